package message

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/holesalemart/supportdesk/internal/text"
)

// htmlText makes plain text of HTML: lines by block, links with their addresses, no scripts and styles. It reads tokens and
// builds no tree, so that no nesting can harm it.
func htmlText(page string, limit int) string {
	t := textWriter{limit: limit}
	tokens := html.NewTokenizer(strings.NewReader(page))
	tokens.SetMaxBuf(maxHTML + 1)
	for t.out.Len() < limit {
		switch tokens.Next() {
		case html.ErrorToken:
			return t.String()
		case html.TextToken:
			if t.hidden == 0 {
				t.text(string(tokens.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			t.start(token)
		case html.EndTagToken:
			token := tokens.Token()
			t.end(token.DataAtom)
		}
	}
	return t.String()
}

// textWriter writes words with the spaces and line breaks that HTML means.
type textWriter struct {
	out    strings.Builder
	limit  int
	hidden int // open elements whose content is not shown
	pre    int
	breaks int  // line breaks due before the next word
	space  bool // a space is due
	quote  int
	href   string
	link   int // where the words of the link begin
}

func (t *textWriter) text(s string) {
	if t.pre > 0 {
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				t.breaks++
			}
			if line != "" {
				t.write(line)
			}
		}
		return
	}
	fields := strings.FieldsFunc(s, isHTMLSpace)
	if len(fields) == 0 {
		t.space = t.space || s != ""
		return
	}
	t.space = t.space || isHTMLSpace(rune(s[0]))
	for i, word := range fields {
		if i > 0 {
			t.space = true
		}
		t.write(strings.ReplaceAll(word, "\u00a0", " "))
	}
	t.space = isHTMLSpace(rune(s[len(s)-1]))
}

func isHTMLSpace(c rune) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

func (t *textWriter) write(word string) {
	switch {
	case t.out.Len() == 0:
		t.mark()
	case t.breaks > 0:
		for range min(t.breaks, 3) {
			t.out.WriteByte('\n')
		}
		t.mark()
	case t.space:
		t.out.WriteByte(' ')
	}
	t.breaks, t.space = 0, false
	t.out.WriteString(word)
}

// mark writes the marks of quotation that a line begins with.
func (t *textWriter) mark() {
	if t.quote > 0 {
		t.out.WriteString(strings.Repeat(">", min(t.quote, 20)) + " ")
	}
}

func (t *textWriter) lines(n int) { t.breaks, t.space = max(t.breaks, n), false }

func (t *textWriter) start(token html.Token) {
	switch token.DataAtom {
	case atom.Script, atom.Style, atom.Title, atom.Head, atom.Template, atom.Noscript:
		if token.Type == html.StartTagToken {
			t.hidden++
		}
	case atom.Body:
		t.hidden = 0
	case atom.Br:
		t.breaks, t.space = t.breaks+1, false
	case atom.P, atom.Ul, atom.Ol, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table:
		t.lines(2)
	case atom.Div, atom.Tr, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd, atom.Address:
		t.lines(1)
	case atom.Td, atom.Th:
		t.space = true
	case atom.Pre:
		t.lines(2)
		t.pre++
	case atom.Li:
		t.lines(1)
		t.write("-")
		t.space = true
	case atom.Blockquote:
		t.lines(2)
		t.quote++
	case atom.Hr:
		t.lines(1)
		t.write("----------")
		t.lines(1)
	case atom.Img:
		if alt := text.Line(attribute(token, "alt")); alt != "" && t.hidden == 0 {
			t.write("[" + alt + "]")
		}
	case atom.A:
		t.href, t.link = strings.TrimSpace(attribute(token, "href")), t.out.Len()
	}
}

func (t *textWriter) end(a atom.Atom) {
	switch a {
	case atom.Script, atom.Style, atom.Title, atom.Template, atom.Noscript:
		t.hidden = max(0, t.hidden-1)
	case atom.Head:
		t.hidden = 0
	case atom.P, atom.Ul, atom.Ol, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Table:
		t.lines(2)
	case atom.Div, atom.Tr, atom.Li, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Dt, atom.Dd, atom.Address:
		t.lines(1)
	case atom.Pre:
		t.pre = max(0, t.pre-1)
		t.lines(2)
	case atom.Blockquote:
		t.quote = max(0, t.quote-1)
		t.lines(2)
	case atom.A:
		t.endLink()
	}
}

// endLink writes the address of a link after its words, unless they are the address.
func (t *textWriter) endLink() {
	href := t.href
	t.href = ""
	if t.hidden > 0 || !shownLink(href) {
		return
	}
	words := strings.TrimSpace(t.out.String()[min(t.link, t.out.Len()):])
	bare := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(s, "mailto:"), "https://"), "http://")
		return strings.ToLower(strings.TrimSuffix(s, "/"))
	}
	if bare(words) == bare(href) {
		return
	}
	if words == "" {
		t.write("<" + href + ">")
		return
	}
	t.space = true
	t.write("<" + href + ">")
}

func shownLink(href string) bool {
	for _, scheme := range []string{"http:", "https:", "mailto:", "tel:"} {
		if len(href) <= 2000 && len(href) > len(scheme) && strings.EqualFold(href[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

func (t *textWriter) String() string {
	var b strings.Builder
	for line := range strings.Lines(t.out.String()) {
		b.WriteString(strings.TrimRight(line, " \t\n"))
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}

func attribute(token html.Token, name string) string {
	for _, a := range token.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

var meta = regexp.MustCompile(`(?i)<meta[^>]{1,200}charset\s*=\s*["']?\s*([a-z0-9_:.-]{1,40})`)

// metaCharset returns the charset that HTML itself declares near its beginning.
func metaCharset(page []byte) string {
	if found := meta.FindSubmatch(bytes.TrimSpace(page[:min(len(page), 4096)])); found != nil {
		return string(found[1])
	}
	return ""
}
