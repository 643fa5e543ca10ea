package quote_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

var update = flag.Bool("update", false, "write the golden files")

// rendered is what a reader of HTML sees, a line a block, with what is folded in brackets after its summary.
func rendered(t *testing.T, source string) string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			b.WriteString(n.Data)
			return
		case n.Type == html.CommentNode, n.Data == "style", n.Data == "head":
			return
		case n.Data == "img":
			b.WriteString("(picture)")
		case n.Data == "details":
			b.WriteString("\n[")
		case n.Data == "hr":
			b.WriteString("\n----")
		case n.Data == "td", n.Data == "th":
			b.WriteString(" ")
		case n.Data == "div", n.Data == "p", n.Data == "tr", n.Data == "blockquote", n.Data == "li", n.Data == "pre":
			b.WriteString("\n")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
		switch n.Data {
		case "details":
			b.WriteString("]\n")
		case "br", "div", "p", "tr", "blockquote", "summary", "hr", "li", "pre":
			b.WriteString("\n")
		}
	}
	walk(root)
	var lines []string
	for line := range strings.Lines(b.String()) {
		if line = words(line); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestFoldHTML_foldsAsClientsWrite(t *testing.T) {
	files, err := filepath.Glob("testdata/html/*.html")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		source := read(t, file)
		folded := quote.FoldHTML(source, quote.Options{})
		have, golden := rendered(t, folded), strings.TrimSuffix(file, ".html")+".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(have), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := read(t, golden); have != want {
			t.Errorf("%s becomes\n%s\nwant\n%s", file, have, want)
		}
		if again := quote.FoldHTML(source, quote.Options{}); again != folded {
			t.Errorf("%s: folded twice, it differs", file)
		}
		keepsWords(t, source, folded)
	}
}

// keepsSeen is keepsWords for any source: a parser moves some things when it reads its own output, which may change the order.
func keepsSeen(t *testing.T, source, folded string) {
	t.Helper()
	after := squashed(rendered(t, folded))
	for _, word := range strings.Fields(rendered(t, source)) {
		if word = squashed(word); !strings.Contains(after, word) {
			t.Errorf("of %q, %q is missing in %q", source, word, folded)
		}
	}
}

// keepsWords checks that nothing but summaries was added and nothing taken away.
func keepsWords(t *testing.T, source, folded string) {
	t.Helper()
	if before, after := squashed(rendered(t, source)), squashed(rendered(t, folded)); before != after {
		t.Errorf("of %q, %q was kept", before, after)
	}
}

// squashed is a rendered text without summaries, brackets and white space.
func squashed(text string) string {
	for _, summary := range []string{"[" + quote.ShowQuoted, "[" + quote.ShowSignature, "[", "]"} {
		text = strings.ReplaceAll(text, summary, "")
	}
	return strings.Join(strings.Fields(text), "")
}

func TestFoldHTML_returnsTheInputWhereNothingIsFolded(t *testing.T) {
	for _, source := range []string{
		"", "Hello", "<p>Hello", read(t, "testdata/html/quote_only.html"), read(t, "testdata/html/own_blockquote.html"),
		"<p>x</p>" + strings.Repeat("<div>", 600) + "<blockquote type=cite>deep",
		strings.Repeat("<table><tr><td>y<td><p class=gmail_signature>x</p></table>", 300),
	} {
		if have := quote.FoldHTML(source, quote.Options{}); have != source {
			t.Errorf("%.80q became %.300q", source, have)
		}
	}
}

func TestFoldHTML_leavesAloneWhatAParserBlowsUp(t *testing.T) {
	var fonts strings.Builder
	for i := range 300 {
		fmt.Fprintf(&fonts, "<font size=%d>", i)
	}
	source := "<p>Hello</p><div>" + fonts.String() + strings.Repeat("<p>x", 20_000) + "</div><blockquote type=cite>a<br>b<br>c<br>d</blockquote>"
	if allocated := testing.AllocsPerRun(1, func() {
		if quote.FoldHTML(source, quote.Options{}) != source {
			t.Error("it was parsed")
		}
	}); allocated > 10_000 {
		t.Errorf("%.0f allocations", allocated)
	}
}

func TestFoldHTML_foldsTheCorpus(t *testing.T) {
	for _, file := range corpus(t, "quotes-html/*.html") {
		source := read(t, file)
		folded := quote.FoldHTML(source, quote.Options{})
		visible, _, found := strings.Cut(rendered(t, folded), "["+quote.ShowQuoted)
		if !strings.Contains(visible, "Hi. I am fine.") || !strings.Contains(visible, "Alex") || !found {
			t.Errorf("%s: a reader sees %q", file, visible)
		}
		for _, quoted := range []string{"How are you", "Sasha", "wrote", "Subject", "Тема", "Отправлено"} {
			if strings.Contains(visible, quoted) {
				t.Errorf("%s: a reader sees %q", file, visible)
			}
		}
		keepsWords(t, source, folded)
	}
}

// Programs write the same HTML above a mail that is answered and one that is forwarded.
func TestFoldHTML_showsWhatAForwardQuotes(t *testing.T) {
	files, err := filepath.Glob("testdata/html/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, corpus(t, "quotes-html/*.html")...) {
		source := read(t, file)
		folded := quote.FoldHTML(source, quote.Options{Forward: true})
		if strings.Contains(folded, quote.ShowQuoted) {
			t.Errorf("%s becomes\n%s", file, rendered(t, folded))
		}
		keepsWords(t, source, folded)
	}
}

func TestFoldHTML_showsTheAnswersOfTheCorpus(t *testing.T) {
	count := 0
	files := corpus(t, "replies/*.eml")
	for _, file := range files {
		source, found := part(t, read(t, file), "text/html")
		if !found {
			continue
		}
		count++
		folded := quote.FoldHTML(source, quote.Options{})
		visible, _, found := strings.Cut(rendered(t, folded), "[")
		if visible = words(visible); !found || visible != "Hello" && visible != "Allo! Follow up MIME!" {
			t.Errorf("%s: a reader sees %q", file, visible)
		}
		keepsWords(t, source, folded)
	}
	if len(files) == 12 && count != 7 {
		t.Errorf("%d mails have HTML, want 7", count)
	}
}

func TestFoldHTML_losesNothing(t *testing.T) {
	for _, pattern := range []string{"mime/*", "bounces/*", "quotes/*"} {
		for _, file := range corpus(t, pattern) {
			source := read(t, file)
			keepsSeen(t, source, quote.FoldHTML(source, quote.Options{}))
		}
	}
}
