package markup_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/markup"
)

// hostile are texts of 64 KiB and more of which careless readers take seconds, or gigabytes. The test fails by taking its
// time or memory; BenchmarkHostile shows how long each takes.
func hostile() map[string]string {
	const size = 64 << 10
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)) }
	third := func(s string) string { return strings.Repeat(s, size/3/len(s)) }
	var ticks, steps, attributes, fonts strings.Builder
	for i := 1; ticks.Len() < size; i++ {
		ticks.WriteString("e" + strings.Repeat("`", i))
		steps.WriteString(strings.Repeat(" ", 2*i) + "- a\n")
	}
	for i := range 5000 {
		fmt.Fprintf(&attributes, `<a x%d="%d" href="https://a.example/%d">`, i, i, i)
		fmt.Fprintf(&fonts, `<b x=%d>`, i)
	}
	return map[string]string{
		"quotes": repeat(">"), "quotes with spaces": repeat("> "), "quote lines": repeat(strings.Repeat(">", 15) + "a\n"), "lists": repeat("- "),
		"quotes beyond": repeat(strings.Repeat("> ", 200) + "a\n"), "indented lists": steps.String(), "numbers": repeat("1. "), "quoted lists": repeat("> - "),
		"brackets": repeat("["), "closed brackets": strings.Repeat("[", size/2) + strings.Repeat("]", size/2), "links": repeat("[a]("), "open links": repeat("[a](b"),
		"link blocks": repeat(strings.Repeat("[a](", 240) + "\n\n"), "titles": repeat("[a](b '"), "references": repeat("[a]: b\n"), "bad references": repeat("[a]:\n"), "images": repeat("!["),
		"emphasis": repeat("*a "), "strong": repeat("*a **a "), "mixed": repeat("*a_ "), "mixed blocks": repeat(strings.Repeat("*a_ ", 900) + "\n\n"),
		"strikes": repeat("~~a "), "backticks": ticks.String(), "code": repeat("`a``"), "tags": repeat("<"), "open tags": repeat("<a "), "entities": repeat("&#0;"),
		"addresses": repeat("http://a.b "), "long address": "http://a.b/" + repeat("(a)"), "emails": repeat("a@b.c "), "dots": repeat("a."), "www": repeat("www."),
		"wide table": third("|a") + "\n" + third("|-") + "\n" + third("|\n"), "long table": "|a|b|\n|-|-|\n" + repeat("|\n"), "tables": repeat("|a\n|-\n"),
		"fences": repeat("```\n"), "headings": repeat("a\n-\n"), "lines": repeat("a\n"), "empty lines": repeat("\n"), "backslashes": repeat("\\"), "tasks": repeat("- [ ] a\n"),
		"numbers of tickets": repeat("HM-7Q2K9XM4TD "), "hyphens": repeat("A-"), "one word": repeat("x"),
		"divs": strings.Repeat("<div>", 200_000), "paragraphs": strings.Repeat("<p>", 300_000), "ends": strings.Repeat("<p></b>", 150_000), "fonts and paragraphs": fonts.String() + strings.Repeat("<p>x", 100_000),
		"links and paragraphs": attributes.String() + strings.Repeat("<p>x", 100_000), "tables in tables": strings.Repeat("<table><tr><td>", 60_000), "cells": "<table>" + strings.Repeat("<td>", 200_000),
		"comments": strings.Repeat("<!--", 200_000), "doctypes": strings.Repeat("<!", 300_000), "one tag": "<a " + strings.Repeat("a=b ", 250_000) + ">", "details": strings.Repeat("<details><summary>", 50_000),
		"images of mails": strings.Repeat(`<img src=https://a.b>`, 50_000), "too long": strings.Repeat("<p>words</p>", 500_000), "list items": strings.Repeat("<ul><li>", 100_000), "formatting": strings.Repeat("<b><i><u><s>", 80_000) + strings.Repeat("<p>", 10_000),
	}
}

func TestHostile_textStaysBounded(t *testing.T) {
	for name, text := range hostile() {
		for way, show := range waysIn {
			if out := show(text); len(out) > 10<<20 {
				t.Errorf("%s: %s of %d bytes becomes %d", way, name, len(text), len(out))
			}
		}
		if out := markup.PlainText(text); len(out) > 2<<20 {
			t.Errorf("plain text of %s of %d bytes becomes %d", name, len(text), len(out))
		}
	}
}

// A text of two-byte characters of which one stands across each bound.
func TestCut_isBetweenCharacters(t *testing.T) {
	long := "x" + strings.Repeat("ä", 1<<20)
	for way, got := range map[string]string{
		"text":       string(markup.Text(long, markup.Options{})),
		"plain text": markup.PlainText(long),
		"mail":       markup.SanitizeMail(long),
		"image":      markup.SanitizeMail(`<img src="cid:a" alt="` + long[:2000] + `">`),
	} {
		if strings.Contains(got, "\ufffd") || !strings.Contains(got, "xää") {
			t.Errorf("%s: %.20q…%q", way, got, got[max(0, len(got)-40):])
		}
	}
}

func BenchmarkHostile(b *testing.B) {
	for name, text := range hostile() {
		for way, show := range waysIn {
			b.Run(way+"/"+name, func(b *testing.B) {
				for b.Loop() {
					show(text)
				}
			})
		}
	}
}
