package quote_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

// hostile are what would take a careless parser quadratic time, to be repeated.
var hostile = map[string]string{
	"marks": ">", "marked lines": ">\n", "nested": "> > > > x\n", "on": "On ", "on lines": "On\n", "introductions": "On 1.1.2024 10:00 ",
	"lines of introductions": "On 1.1.2024 10:00\n", "verbs": "On On On On wrote:\n", "addresses": "<a@b.example>\n", "open addresses": "<a@b.example\n",
	"quoted introductions": "> On 1.1.2024 10:00\n", "interrupted": "> x\n\ny\n", "headers": "From: a@b.example\n", "labels": "To: x\ny\nz\n",
	"originals": "-----\n", "rules": "_____\n\n\n", "delimiters": "--\n", "signatures": "Sent from my phone\n", "fences": "```\n", "blank": "\n",
	"blank then marked": "\n\n\n\n>\n", "forwards": "---------- Forwarded message\n", "quoted forwards": "> Begin forwarded message:\n\nx\n", "named": "Ada> x\n",
	"source": "Received: x\nSubject: x\nFrom: x@y\nTo: z\n",
}

func TestSplitText_takesLinearWork(t *testing.T) {
	for name, unit := range hostile {
		for i, above := range []string{"", "Hello\n"} {
			var before int
			for _, size := range []int{8 << 10, 16 << 10} {
				text := above + strings.Repeat(unit, size/len(unit))
				steps, lines := quote.Steps(text)
				if steps > 50*lines+10_000 {
					t.Errorf("%s: %d steps for %d lines", name, steps, lines)
				}
				if before > 0 && steps > 2*before+500 {
					t.Errorf("%s: %d steps for %d bytes, %d for half of them", name, steps, size, before)
				}
				before = steps
			}
			if i == 0 {
				continue
			}
			text := above + strings.Repeat(unit, (64<<10)/len(unit))
			checkSplit(t, text)
			quote.Forwarded(text)
		}
	}
}

func TestSplitText_looksCloselyAtFewLines(t *testing.T) {
	if steps, lines := quote.Steps(strings.Repeat("On 1.1.2024 10:00\n", 20_000)); steps > 2*lines+10_000 {
		t.Errorf("%d steps for %d lines", steps, lines)
	}
}

// Allocations stand for work: a tree that grows out of proportion allocates.
func TestFoldHTML_takesLinearWork(t *testing.T) {
	units := map[string]string{
		"paragraphs": "<b><p>x</b>", "links": "<a><p>", "foster": "<table>x<b>", "quotes": "<blockquote type=cite>x</blockquote>y", "cells": "<table><tr><td>x",
		"lists": "<li>x", "headers": `<div style="border-top:solid"><b>x:</b></div>`, "preformatted": "<pre>x\nx\n</pre>", "foreign": "<svg><p>", "ends": "</p>",
		"appended": "<div id=appendonsend></div><!-- x -->", "signatures": "<p class=gmail_signature>x</p>", "forms": "<form><input>", "attributes": "<p a=1 b=2 a=3>",
	}
	for name, unit := range hostile {
		units[name] = strings.ReplaceAll(strings.ReplaceAll(unit, "<", "&lt;"), "\n", "<br>")
	}
	for name, unit := range units {
		allocated := func(size int) float64 {
			source := "<p>Hello</p>" + strings.Repeat(unit, size/len(unit))
			return testing.AllocsPerRun(1, func() { quote.FoldHTML(source, quote.Options{}) })
		}
		half, whole := allocated(8<<10), allocated(16<<10)
		if whole > 2.5*half+1000 {
			t.Errorf("%s: %.0f allocations, %.0f for half of it", name, whole, half)
		}
	}
}

func TestFoldHTML_boundsAttributes(t *testing.T) {
	var many strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&many, " a%d", i)
	}
	source := "<p>x</p><blockquote type=cite" + many.String() + ">y<br>y</blockquote>"
	if have := quote.FoldHTML(source, quote.Options{}); !strings.Contains(have, quote.ShowQuoted) {
		t.Error("an element with many attributes isn't folded")
	}
}
