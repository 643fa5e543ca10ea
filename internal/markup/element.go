package markup

import "strings"

// element is how the writer treats an element.
type element struct {
	void   bool
	block  bool   // it ends a paragraph
	closes string // open elements that its start ends, between spaces
	within string // what must contain it, between spaces; empty: anything
}

// elements are those that the writer emits.
var elements = map[string]element{
	"a": {closes: " a "}, "b": {}, "strong": {}, "i": {}, "em": {}, "u": {}, "s": {}, "del": {}, "ins": {}, "code": {}, "kbd": {}, "samp": {},
	"var": {}, "sub": {}, "sup": {}, "small": {}, "mark": {}, "q": {}, "cite": {}, "abbr": {}, "dfn": {}, "span": {}, "bdi": {},
	"br": {void: true}, "wbr": {void: true}, "img": {void: true}, "hr": {void: true, block: true},

	"p": {block: true}, "div": {block: true}, "h3": {block: true}, "h4": {block: true}, "h5": {block: true}, "h6": {block: true},
	"blockquote": {block: true}, "pre": {block: true}, "ul": {block: true}, "ol": {block: true}, "dl": {block: true},
	"li": {block: true, closes: " li "}, "dt": {block: true, closes: " dt dd "}, "dd": {block: true, closes: " dt dd "},
	"details": {block: true}, "summary": {block: true},

	"table": {block: true}, "caption": {block: true, within: " table "},
	"thead": {block: true, closes: " thead tbody tfoot ", within: " table "},
	"tbody": {block: true, closes: " thead tbody tfoot ", within: " table "},
	"tfoot": {block: true, closes: " thead tbody tfoot ", within: " table "},
	"tr":    {block: true, closes: " tr caption ", within: " table thead tbody tfoot "},
	"td":    {block: true, closes: " td th caption ", within: " tr "},
	"th":    {block: true, closes: " td th caption ", within: " tr "},
}

// renamed are elements that are shown as others. Headings are below those of a page.
var renamed = map[string]string{
	"h1": "h3", "h2": "h4", "h3": "h5", "h4": "h6", "h5": "h6", "h6": "h6", "strike": "s", "tt": "code", "center": "div",
	"address": "div", "section": "div", "article": "div", "header": "div", "footer": "div", "main": "div", "aside": "div", "nav": "div",
	"figure": "div", "figcaption": "div", "fieldset": "div", "legend": "div", "form": "div", "body": "div", "xmp": "pre", "plaintext": "pre", "listing": "pre",
}

// dropped are elements whose content is dropped too: it is for programs. The tokenizer reads it as one text.
const dropped = " script style title iframe "

// fallback are elements whose content a browser shows if it doesn't support them. The tokenizer is to read it as HTML.
const fallback = " noscript noembed noframes "

// bounds are elements across which an end tag or an implied end has no effect.
const bounds = " table td th caption details summary blockquote "

// directed are elements that get dir=auto, since each may be of another language than what is around it.
const directed = " p h3 h4 h5 h6 ul ol dl blockquote table summary "

func in(list, name string) bool { return strings.Contains(list, " "+name+" ") }

// nameOf returns the name under which an element is shown. HTML that was stored has been through here before.
func nameOf(name string, mode mode) string {
	if mode == modeMail && len(name) == 2 && name[0] == 'h' {
		return name
	}
	if other, is := renamed[name]; is {
		return other
	}
	return name
}
