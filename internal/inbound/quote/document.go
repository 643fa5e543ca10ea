package quote

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	picture = "\ufffc" // stands for what is seen and is no text
	maxCuts = 20_000   // lines of preformatted text, the rest is one
)

// document is the lines that a reader sees of HTML.
type document struct {
	lines  []line
	leaves map[*html.Node]int // the line of every text and picture that isn't blank
	text   strings.Builder    // of the line that is being read
	now    context            // of its first word
	filled bool               // whether it has one
	mark   mark               // for the next line that isn't blank
	pre    int
	cut    int // lines that preformatted text was cut into
}

// context is what the elements around a node say of it.
type context struct {
	quoted, soft, sign, introducing bool
}

func (d *document) walk(n *html.Node, c context) {
	switch n.Type {
	case html.TextNode:
		d.words(n, c)
		return
	case html.ElementNode:
	case html.DocumentNode:
		d.children(n, c)
		return
	default:
		return
	}
	switch n.DataAtom {
	case atom.Head, atom.Style, atom.Script, atom.Title, atom.Template, atom.Noscript:
		return
	case atom.Br:
		d.end()
		return
	case atom.Hr:
		d.end()
		d.leaf(n, "______", c)
		d.end()
		d.read(n)
		return
	case atom.Img, atom.Video, atom.Audio, atom.Object, atom.Svg, atom.Input, atom.Iframe:
		if !unseen(n) {
			d.leaf(n, picture, c)
		}
		return
	case atom.Td, atom.Th:
		d.text.WriteByte(' ')
	}
	d.element(n, c)
}

// element reads an element with children.
func (d *document) element(n *html.Node, c context) {
	block := blocks[n.DataAtom]
	if block {
		d.end()
	}
	c = c.within(n)
	d.read(n)
	if n.DataAtom == atom.Pre {
		d.pre++
	}
	d.children(n, c)
	if n.DataAtom == atom.Pre {
		d.pre--
	}
	if block {
		d.end()
	}
}

func (d *document) children(n *html.Node, c context) {
	for child := n.FirstChild; child != nil; {
		next := child.NextSibling // before a text is cut in two
		d.walk(child, c)
		child = next
	}
}

// words reads a text. Preformatted text is cut into a node a line.
func (d *document) words(n *html.Node, c context) {
	for d.pre > 0 && d.cut < maxCuts {
		first, rest, found := strings.Cut(n.Data, "\n")
		if !found || rest == "" && n.NextSibling == nil {
			break
		}
		n.Data = first + "\n"
		following := &html.Node{Type: html.TextNode, Data: rest}
		n.Parent.InsertBefore(following, n.NextSibling)
		d.leaf(n, first, c)
		d.end()
		d.cut++
		n = following
	}
	d.leaf(n, n.Data, c)
}

func (d *document) leaf(n *html.Node, text string, c context) {
	d.text.WriteString(text)
	if clean(text) == "" {
		return
	}
	d.leaves[n] = len(d.lines)
	if !d.filled {
		d.filled, d.now = true, c
	}
	d.now.sign = d.now.sign && c.sign
	d.now.introducing = d.now.introducing && c.introducing
}

// end ends a line.
func (d *document) end() {
	text := strings.ReplaceAll(d.text.String(), "\u00a0", " ")
	d.text.Reset()
	l := line{raw: clean(strings.Join(strings.Fields(text), " "))}
	l.body = l.raw
	if strings.HasPrefix(l.raw, ">") {
		l.quoted, l.body = true, unquoted(l.raw)
	}
	if l.raw == "--" {
		l.dashes = delimiter(strings.TrimLeft(text, " \r\n\t"))
	}
	if d.filled {
		l.quoted, l.sure = l.quoted || d.now.quoted, d.now.quoted
		l.soft, l.sign, l.mark = d.now.soft, d.now.sign, d.mark
		if l.mark == noMark && d.now.introducing {
			l.mark = introducing
		}
		d.mark = noMark
	}
	d.lines = append(d.lines, l)
	d.now, d.filled = context{}, false
}

// fold returns which leaves are folded.
func (d *document) fold(o Options) map[*html.Node]folds {
	kinds := make([]folds, len(d.lines))
	for _, p := range split(d.lines, o) {
		kind := visible
		if !p.inline && p.kind == Quoted {
			kind = quotes
		} else if !p.inline && p.kind == Signature {
			kind = signatures
		}
		for i := p.from; i < p.to; i++ {
			kinds[i] = kind
		}
	}
	state := make(map[*html.Node]folds, len(d.leaves))
	for n, i := range d.leaves {
		state[n] = kinds[i]
	}
	return state
}
