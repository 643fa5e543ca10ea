package message

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// hiding matches the styles with which programs hide an element, without spaces and in lower case. Newsletters begin with such a
// text for the list of mails.
var hiding = regexp.MustCompile(`(?:^|;)(?:display:none|visibility:hidden|opacity:0(?:\.0*)?(?:!important)?(?:;|$)|max-height:0(?:px)?(?:!important)?(?:;|$))`)

// fontSize matches the size of letters. Those within of size 0 are not seen, unless an element between has another size.
var fontSize = regexp.MustCompile(`(?:^|;)font-size:([^;]*)`)

// visibleHTML returns HTML without what its styles hide. In doubt it returns more: all of it if an element that is hidden does not
// end, or if nothing is seen of the rest.
func visibleHTML(page string) string {
	v := visibleWriter{}
	tokens := html.NewTokenizer(strings.NewReader(page))
	tokens.SetMaxBuf(maxHTML + 1)
	for tokens.Next() != html.ErrorToken {
		raw := string(tokens.Raw()) // Token changes it
		v.token(tokens.Token(), raw)
	}
	if !v.dropped || v.hidden > 0 || !v.seen {
		return page
	}
	return v.out.String()
}

type visibleWriter struct {
	out     strings.Builder
	open    []openElement
	hidden  int // of open, how many are within an element that is hidden, and that itself
	dropped bool
	seen    bool
}

type openElement struct {
	name string
	zero bool // its letters have size 0
}

const maxOpen = 1000 // elements within one another that are followed

var (
	voidElements = set("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr")
	// repeated elements end one of the same name that is open, if none of their containers is between them.
	repeated = map[string]string{"p": "div td table", "li": "ul ol", "td": "tr table", "th": "tr table", "tr": "table", "dt": "dl", "dd": "dl", "option": "select"}
)

func set(names ...string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name] = true
	}
	return all
}

func (v *visibleWriter) token(t html.Token, raw string) {
	switch t.Type {
	case html.TextToken:
		if v.hidden > 0 || v.zero() {
			v.dropped = v.dropped || !blank(t.Data)
			return
		}
		v.seen = v.seen || !blank(strings.ReplaceAll(t.Data, "\u00a0", " ")) && !v.within("style", "title", "script")
	case html.StartTagToken:
		v.start(t)
	case html.EndTagToken:
		within := v.hidden > 0
		v.end(t.Data)
		if within {
			return
		}
	}
	if v.hidden > 0 {
		v.dropped = true
		return
	}
	v.seen = v.seen || t.Data == "img" && t.Type != html.TextToken
	v.out.WriteString(raw)
}

func (v *visibleWriter) zero() bool { return len(v.open) > 0 && v.open[len(v.open)-1].zero }

func (v *visibleWriter) within(names ...string) bool {
	return len(v.open) > 0 && slices.Contains(names, v.open[len(v.open)-1].name)
}

func (v *visibleWriter) start(t html.Token) {
	if voidElements[t.Data] || len(v.open) >= maxOpen {
		return
	}
	if around, is := repeated[t.Data]; is {
		v.endRepeated(t.Data, around)
	}
	style := strings.ToLower(strings.Join(strings.Fields(attribute(t, "style")), ""))
	e := openElement{name: t.Data, zero: v.zero()}
	if size := fontSize.FindStringSubmatch(style); size != nil {
		e.zero = strings.Trim(strings.TrimSuffix(size[1], "!important"), "0.pxtem%") == ""
	}
	v.open = append(v.open, e)
	if v.hidden > 0 || hiding.MatchString(style) || slices.ContainsFunc(t.Attr, func(a html.Attribute) bool { return a.Key == "hidden" }) {
		v.hidden++
	}
}

// endRepeated ends an element that is open and whose end tag was left out.
func (v *visibleWriter) endRepeated(name, around string) {
	for i := len(v.open) - 1; i >= 0; i-- {
		switch open := v.open[i].name; {
		case open == name:
			v.closeTo(i)
			return
		case slices.Contains(strings.Fields(around), open):
			return
		}
	}
}

func (v *visibleWriter) end(name string) {
	for i := len(v.open) - 1; i >= 0; i-- {
		if v.open[i].name == name {
			v.closeTo(i)
			return
		}
		if v.open[i].name == "table" {
			return
		}
	}
}

// closeTo ends the elements from the nth on.
func (v *visibleWriter) closeTo(n int) {
	v.hidden = max(0, v.hidden-(len(v.open)-n))
	v.open = v.open[:n]
}
