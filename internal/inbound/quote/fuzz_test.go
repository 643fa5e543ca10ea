package quote_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

// checkSplit checks what holds for every text.
func checkSplit(t *testing.T, text string) {
	t.Helper()
	var joined, shown strings.Builder
	for _, s := range quote.SplitText(text, quote.Options{}) {
		joined.WriteString(s.Text)
		if !s.Folded() {
			shown.WriteString(s.Text)
		}
		if s.Text == "" || s.Kind == quote.Written && s.Inline {
			t.Errorf("of %q, a segment is %+v", text, s)
		}
	}
	if joined.String() != text {
		t.Errorf("the segments of %q are %q", text, joined.String())
	}
	if strings.TrimSpace(shown.String()) == "" && strings.Trim(text, "\u200e\u200f\u202a\u202b\u202c \r\n\t") != "" && isText(text) {
		t.Errorf("of %q nothing is shown", text)
	}
	joined.Reset()
	segments := quote.Fold(text, quote.Options{})
	for i, s := range segments {
		joined.WriteString(s.Text)
		if i > 0 && segments[i-1].Kind == s.Kind {
			t.Errorf("two segments in a row of %q are %s", text, s.Kind)
		}
	}
	if joined.String() != text {
		t.Errorf("folded, %q is %q", text, joined.String())
	}
}

// isText reports whether a text has a letter that is seen.
func isText(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r > ' ' && r < 0x7f })
}

func FuzzSplitText(f *testing.F) {
	for _, s := range []string{
		"", "\n", "\r\n\r\n", "Hello\n-- \nCarol\n\nOn 7 May 2024, at 10:15, Ada <a@b.example> wrote:\n> x\nyes\n>> y\n", "-- ", "--\n", "> ", ">",
		"x\n-----Original Message-----\nFrom: a@b.example\nTo: c\nSubject: d\n\n> e\nf", "---------- Forwarded message ----------\nFrom: <a@b.example>\nDate: x\n\ny",
		"```\n> x\n```\n", "\u200e\n", "Sent from my iPhone", "x\n\n\u00a0\nSent from my iPhone\n\n", "A> b\n| c\n", "x\nOn 1.1.2024 1:00 <a@b.example\n> wrote:\nz", "\xff\xfe>\n",
	} {
		f.Add(s)
	}
	for _, introduction := range strings.Split(readFile(f, "testdata/introductions.txt"), "\n") {
		f.Add("Hello\n" + introduction + "\n> x\n")
	}
	f.Fuzz(func(t *testing.T, text string) {
		checkSplit(t, text)
		if have, found := quote.Forwarded(text); found && (!strings.Contains(have.From.Address, "@") || len(have.Text) > len(text)) {
			t.Errorf("%q forwards %+v", text, have)
		}
		quote.Forwards(text, text)
	})
}

func FuzzFoldHTML(f *testing.F) {
	files, err := filepath.Glob("testdata/html/*.html")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		f.Add(readFile(f, file))
	}
	for _, s := range []string{"<p>x<blockquote type=cite>y", "<table><tr><blockquote type=cite>y", "<details><summary>x</summary><blockquote type=cite>a", "<svg><p>x", "<pre>\n\nx", "<plaintext>x", "<select><option>x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		folded := quote.FoldHTML(source, quote.Options{})
		if folded == source {
			return
		}
		if strings.Count(folded, "<details>")-strings.Count(source, "<details>") > 200 {
			t.Errorf("%q has too many folds", source)
		}
		keepsSeen(t, source, folded)
	})
}

func TestSplitText_losesNothing(t *testing.T) {
	for _, pattern := range []string{"quotes/*.txt", "replies/*", "quotes-html/*", "mime/*", "bounces/*"} {
		for _, file := range corpus(t, pattern) {
			checkSplit(t, read(t, file))
		}
	}
}
