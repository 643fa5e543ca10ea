package markup

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
	"golang.org/x/net/html"

	"github.com/holesalemart/supportdesk/internal/text"
)

// PlainText returns Markdown as plain text that reads well: without the marks of emphasis, with those of lists and quotes,
// and with the URLs of links. Markdown that Markdown returns as text is returned as it is.
func PlainText(text string) string {
	text = clean(cut(text))
	if tooComplex(text) {
		return strings.TrimSpace(text)
	}
	source := []byte(text)
	p := plainText{source: source}
	p.blocks(parseMarkdown(source), "", "", 0)
	return strings.TrimSpace(strings.Join(p.lines, "\n"))
}

// plainText collects lines.
type plainText struct {
	source []byte
	lines  []string
}

// blocks writes the blocks in a node. first is in front of the first line, rest in front of the others.
func (p *plainText) blocks(n ast.Node, first, rest string, depth int) {
	for child := n.FirstChild(); child != nil; child = child.NextSibling() {
		if child.PreviousSibling() != nil && !isTight(child) {
			p.lines = append(p.lines, strings.TrimRight(rest, " "))
		}
		p.block(child, first, rest, depth)
		first = rest
	}
}

// isTight reports whether a block follows another without an empty line.
func isTight(n ast.Node) bool {
	if n.Kind() == ast.KindTextBlock || n.Kind() == ast.KindList && n.Parent().Kind() == ast.KindListItem {
		return true
	}
	if n.Kind() == ast.KindListItem {
		list, is := n.Parent().(*ast.List)
		return is && list.IsTight
	}
	return n.Kind() == east.KindTableRow
}

func (p *plainText) block(n ast.Node, first, rest string, depth int) {
	if depth > maxDepth {
		return
	}
	switch n := n.(type) {
	case *ast.List:
		p.list(n, first, rest, depth)
	case *ast.Blockquote:
		p.blocks(n, first+"> ", rest+"> ", depth+1)
	case *ast.CodeBlock, *ast.FencedCodeBlock:
		p.code(n, first, rest)
	case *ast.ThematicBreak:
		p.lines = append(p.lines, first+"---")
	case *east.Table:
		p.blocks(n, first, rest, depth+1)
	case *east.TableHeader, *east.TableRow:
		var cells []string
		for cell := n.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, p.inline(cell))
		}
		p.lines = append(p.lines, first+strings.Join(cells, " | "))
	case *ast.ListItem, *ast.Document:
		p.blocks(n, first, rest, depth+1)
	default:
		p.paragraph(p.inline(n), first, rest)
	}
}

func (p *plainText) list(list *ast.List, first, rest string, depth int) {
	number := list.Start
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		mark := "- "
		if list.IsOrdered() {
			mark = fmt.Sprintf("%d. ", number)
			number++
		}
		if item.PreviousSibling() != nil && !list.IsTight {
			p.lines = append(p.lines, strings.TrimRight(rest, " "))
		}
		p.blocks(item, first+mark, rest+strings.Repeat(" ", len(mark)), depth+1)
		first = rest
	}
}

func (p *plainText) code(n ast.Node, first, rest string) {
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		p.lines = append(p.lines, strings.TrimRight(first+"    "+string(line.Value(p.source)), "\n"))
		first = rest
	}
}

func (p *plainText) paragraph(text, first, rest string) {
	for line := range strings.SplitSeq(text, "\n") {
		p.lines = append(p.lines, first+line)
		first = rest
	}
}

// inline returns the text in a block.
func (p *plainText) inline(n ast.Node) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // the function returns no error
		p.word(&b, n, entering)
		return ast.WalkContinue, nil
	})
	return b.String()
}

func (p *plainText) word(b *strings.Builder, n ast.Node, entering bool) {
	switch n := n.(type) {
	case *ast.Text:
		if entering {
			b.Write(value(n, p.source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte('\n')
			}
		}
	case *ast.String:
		if entering {
			b.Write(n.Value)
		}
	case *ast.AutoLink:
		if entering {
			b.Write(n.Label(p.source))
		}
	case *east.TaskCheckBox:
		if entering {
			b.WriteString(taskBox(n))
		}
	case *ast.Link:
		if !entering {
			destination(b, n.Destination)
		}
	case *ast.Image:
		if !entering {
			destination(b, n.Destination)
		}
	}
}

// value returns a piece of text as it is shown: without the backslashes and names of characters, unless it is code.
func value(n *ast.Text, source []byte) []byte {
	written := n.Value(source)
	if _, code := n.Parent().(*ast.CodeSpan); code || n.IsRaw() {
		return written
	}
	return escaped.ReplaceAllFunc(written, func(found []byte) []byte {
		if found[0] == '\\' {
			return found[1:]
		}
		return []byte(html.UnescapeString(string(found)))
	})
}

// escaped matches a character that is written with a backslash or by its name or number.
var escaped = regexp.MustCompile(`\\[!-/:-@\[-\x60{-~]|&#?[0-9A-Za-z]+;`)

// destination writes the URL of a link whose text was written just before, unless that is the URL.
func destination(b *strings.Builder, to []byte) {
	href, safe := safeLink(string(to))
	if safe && !strings.HasSuffix(b.String(), strings.TrimPrefix(href, "mailto:")) {
		b.WriteString(" (" + href + ")")
	}
}

// textOf returns the text of HTML without its tags, one line a block.
func textOf(input string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(input))
	skip := false
	for {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			if !skip {
				b.WriteString(z.Token().Data)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name := z.Token().Data
			skip = in(dropped, name)
			if e, known := elements[nameOf(name, modeStore)]; known && e.block || name == "br" {
				b.WriteByte('\n')
			}
		case html.EndTagToken:
			skip = false
		}
	}
}

// maxShort is the number of characters of a summary.
const maxShort = 160

// escapeShort returns the beginning of a text as HTML.
func escapeShort(long string) string {
	return html.EscapeString(text.Shorten(strings.TrimSpace(long), maxShort))
}
