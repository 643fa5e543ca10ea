package quote

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	maxHTML  = 4 << 20 // bytes that are parsed
	maxNodes = 200_000 // elements and texts that they become
	maxFolds = 200     // of one mail
)

// FoldHTML wraps what is quoted and the signatures of a mail's HTML into details elements, whose summaries say ShowQuoted and
// ShowSignature. It deletes nothing and trusts nothing: its result is to be sanitized like its input. The input is returned
// where there is nothing to fold, and where it is too large or too deeply nested to be sure.
func FoldHTML(source string, o Options) string {
	if len(source) > maxHTML || explodes(source) {
		return source
	}
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return source
	}
	d := document{leaves: map[*html.Node]int{}}
	d.walk(root, context{})
	d.end()
	f := folder{state: d.fold(o)}
	f.combine(root)
	f.wrap(root)
	if f.folds == 0 || f.folds > maxFolds {
		return source
	}
	var b strings.Builder
	if err := html.Render(&b, root); err != nil {
		return source
	}
	return b.String()
}

// formatting elements that are left open are repeated in every paragraph that follows: a few bytes become many nodes.
var formatting = []string{"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}

// explodes reports whether HTML would become too many nodes. It counts those that a parser adds, on the high side.
func explodes(source string) bool {
	z := html.NewTokenizer(strings.NewReader(source))
	open, all, nodes := map[string]int{}, 0, 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken:
			if name, _ := z.TagName(); slices.Contains(formatting, string(name)) {
				if n := string(name); n != "a" && n != "nobr" || open[n] == 0 {
					open[n]++
					all++
				}
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); open[string(name)] > 0 {
				open[string(name)]--
				all--
			}
		}
		if nodes += 1 + all; nodes > maxNodes {
			return true
		}
	}
}

// folds are what the leaves of an element are, together.
type folds uint8

const (
	visible folds = 1 << iota
	quotes
	signatures
)

type folder struct {
	state map[*html.Node]folds
	folds int
}

// combine records for each element what its leaves are.
func (f *folder) combine(n *html.Node) folds {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if s := f.combine(c); s != 0 {
			f.state[n] |= s
		}
	}
	return f.state[n]
}

// wrap folds the longest runs of children that are folded as a whole, and looks into those that are in part.
func (f *folder) wrap(parent *html.Node) {
	for n := parent.FirstChild; n != nil; {
		state := f.state[n]
		if state != quotes && state != signatures || !mayHold(parent) {
			if state&^visible != 0 {
				f.wrap(n)
			}
			n = n.NextSibling
			continue
		}
		last := n
		for c := n.NextSibling; c != nil && f.state[c]&^state == 0; c = c.NextSibling {
			if f.state[c] == state {
				last = c
			}
		}
		n = f.details(parent, n, last, state)
	}
}

// details moves a run of children into a details element, and returns what follows it.
func (f *folder) details(parent, first, last *html.Node, state folds) *html.Node {
	f.folds++
	text := ShowQuoted
	if state == signatures {
		text = ShowSignature
	}
	details := &html.Node{Type: html.ElementNode, Data: "details", DataAtom: atom.Details}
	summary := &html.Node{Type: html.ElementNode, Data: "summary", DataAtom: atom.Summary}
	summary.AppendChild(&html.Node{Type: html.TextNode, Data: text})
	details.AppendChild(summary)
	parent.InsertBefore(details, first)
	for n := first; ; {
		next := n.NextSibling
		parent.RemoveChild(n)
		details.AppendChild(n)
		if n == last {
			return next
		}
		n = next
	}
}

// mayHold reports whether details may be a child of an element.
func mayHold(n *html.Node) bool {
	if n.Type != html.ElementNode || n.Namespace != "" {
		return false
	}
	switch n.DataAtom {
	case atom.Html, atom.Head, atom.Table, atom.Tbody, atom.Thead, atom.Tfoot, atom.Tr, atom.Colgroup, atom.Ul, atom.Ol, atom.Dl, atom.Select, atom.Frameset:
		return false
	}
	return true
}
