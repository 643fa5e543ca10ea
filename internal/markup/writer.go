package markup

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/holesalemart/supportdesk/internal/text"
)

// mode is where the HTML comes from that is written.
type mode int

const (
	modeMarkdown mode = iota // rendered from Markdown
	modeText                 // made from plain text
	modeStore                // of a mail, to be stored
	modeMail                 // stored
	modePaste                // pasted, to be converted to Markdown
)

const (
	maxInput  = 1 << 20 // bytes of HTML
	maxOutput = 4 << 20 // bytes before the policy; a link can make a few bytes many
	maxDepth  = 100     // elements within one another
	maxSpan   = 99      // columns or rows of a table's cell
)

// writer writes HTML anew from tokens: known elements with known attributes, well nested. It takes time and memory in
// proportion to its input.
type writer struct {
	Options
	mode  mode
	out   strings.Builder
	open  []string       // elements that are open
	count map[string]int // how often each is
	deep  map[string]int // start tags beyond maxDepth, which were dropped and whose end tags are too
	plain int            // open elements in which nothing becomes a link
	level int            // of the last heading; the first is h3
	auto  int            // length of open at which dir=auto was set; 0: it isn't
	fold  fold
}

// write returns input as safe HTML.
func write(input string, o Options, m mode) template.HTML {
	w := &writer{Options: o, mode: m, count: map[string]int{}, deep: map[string]int{}, level: 2}
	if len(input) > maxInput && m != modeText && m != modeMarkdown { // what they are made from is bounded
		return w.textOnly(input)
	}
	w.tokens(input)
	return template.HTML(policy.Sanitize(w.fold.apply(w.out.String(), o.Fold))) //nolint:gosec // this is what makes it safe
}

func (w *writer) tokens(input string) {
	z := html.NewTokenizer(strings.NewReader(input))
	skip := "" // element whose content is dropped
	for w.out.Len() < maxOutput {
		kind := z.Next()
		if kind == html.ErrorToken {
			break // the end: a string has no other error
		}
		token := z.Token()
		switch {
		case kind == html.TextToken && skip == "":
			w.text(token.Data)
		case kind == html.StartTagToken || kind == html.SelfClosingTagToken:
			if in(fallback, token.Data) {
				z.NextIsNotRawText()
			} else if in(dropped, token.Data) && kind == html.StartTagToken {
				skip = token.Data
			}
			w.start(token)
		case kind == html.EndTagToken:
			if token.Data == skip {
				skip = ""
			}
			w.end(w.openHeading(nameOf(token.Data, w.mode)))
		}
	}
	w.closeTo(0)
}

// start writes a start tag, and the ends that it implies.
func (w *writer) start(t html.Token) {
	if t.Data == "image" {
		t.Data = "img" // as browsers read it
	}
	name := w.heading(nameOf(t.Data, w.mode))
	e, known := elements[name]
	if !known || name == "span" && !isPlaceholder(t) {
		return
	}
	w.imply(e)
	switch {
	case e.within != "" && !w.fits(name, e):
	case name == "img":
		w.image(t)
	case name == "span":
		w.placeholder(t)
	case len(w.open) >= maxDepth && !e.void:
		w.deep[name]++
	default:
		attributes := w.attributes(name, t)
		if name == "a" && attributes == "" {
			return // it leads nowhere
		}
		w.emit(name, attributes, e.void)
	}
}

// heading returns the element for a heading that is not more than one level below the heading before, as assistive
// technology expects, and any other name as it is.
func (w *writer) heading(name string) string {
	if w.mode == modePaste || len(name) != 2 || name[0] != 'h' || name[1] < '3' || name[1] > '6' {
		return name
	}
	w.level = min(int(name[1]-'0'), w.level+1)
	return "h" + strconv.Itoa(w.level)
}

// openHeading returns the heading that an end tag of a heading ends, and any other name as it is.
func (w *writer) openHeading(name string) string {
	if _, of := strings.CutPrefix(name, "h"); !of || name == "hr" {
		return name
	}
	for _, open := range slices.Backward(w.open) {
		if len(open) == 2 && open[0] == 'h' {
			return open
		}
	}
	return name
}

// imply ends the elements that the start of another ends.
func (w *writer) imply(e element) {
	if e.block && w.count["p"] > 0 {
		w.endWithin(" p ")
	}
	if e.closes != "" {
		w.endWithin(e.closes)
	}
}

// endWithin ends the innermost open element of a list unless a bound is within it.
func (w *writer) endWithin(list string) {
	if !slices.ContainsFunc(strings.Fields(list), func(name string) bool { return w.count[name] > 0 }) {
		return
	}
	for i := len(w.open) - 1; i >= 0; i-- {
		name := w.open[i]
		if in(list, name) {
			w.closeTo(i)
			return
		}
		stops := bounds
		if in(list, "li") || in(list, "dd") {
			stops += "ul ol dl "
		} else if in(list, "tr") || in(list, "tbody") {
			stops = " table "
		}
		if in(stops, name) {
			return
		}
	}
}

// fits reports whether an element of a table is within what must contain it, and starts a row that is missing.
func (w *writer) fits(name string, e element) bool {
	around := ""
	if len(w.open) > 0 {
		around = w.open[len(w.open)-1]
	}
	if in(e.within, around) {
		return true
	}
	if (name == "td" || name == "th") && in(elements["tr"].within, around) && len(w.open) < maxDepth {
		w.emit("tr", "", false)
		return true
	}
	return false
}

// emit writes a start tag. The element is open from here on, unless it is void.
func (w *writer) emit(name, attributes string, void bool) {
	if len(w.open) == 0 {
		w.fold.boundary(w.out.Len())
	}
	w.out.WriteString("<" + name + attributes)
	own := strings.Contains(attributes, " dir=")
	if w.auto == 0 && in(directed, name) && !own {
		w.out.WriteString(` dir="auto"`)
	}
	if w.auto == 0 && (in(directed, name) || own) && !void {
		w.auto = len(w.open) + 1
	}
	if style := w.Styles[name]; style != "" {
		w.out.WriteString(` style="` + html.EscapeString(style) + `"`)
	}
	w.out.WriteString(">")
	w.fold.lines(name)
	if void {
		return
	}
	w.open = append(w.open, name)
	w.count[name]++
	if isLiteral(name) {
		w.plain++
	}
}

// end ends an element and those within it. An end tag without a start is dropped.
func (w *writer) end(name string) {
	if w.deep[name] > 0 {
		w.deep[name]--
		return
	}
	if w.count[name] == 0 {
		return
	}
	for i := len(w.open) - 1; i >= 0; i-- {
		if w.open[i] == name {
			w.closeTo(i)
			return
		}
		if in(bounds, w.open[i]) && !in(bounds, name) && !(name == "tr" && w.open[i] != "table") {
			return
		}
	}
}

// closeTo ends open elements until n are left.
func (w *writer) closeTo(n int) {
	for _, name := range slices.Backward(w.open[n:]) {
		w.out.WriteString("</" + name + ">")
		w.count[name]--
		if isLiteral(name) {
			w.plain--
		}
	}
	w.open = w.open[:n]
	if w.auto > n {
		w.auto = 0
	}
	if n == 0 {
		clear(w.deep)
	}
}

// isLiteral reports whether nothing in an element becomes a link.
func isLiteral(name string) bool { return in(" a code kbd samp ", name) }

// text writes text, with links.
func (w *writer) text(text string) {
	text = clean(text)
	if len(w.open) == 0 && strings.TrimSpace(text) != "" {
		w.fold.boundary(w.out.Len())
	}
	w.fold.text(utf8.RuneCountInString(text))
	if w.plain > 0 || w.mode == modePaste {
		w.out.WriteString(html.EscapeString(text))
		return
	}
	w.linkify(text)
}

// attributes returns what an element keeps of its attributes, as HTML.
func (w *writer) attributes(name string, t html.Token) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, a := range t.Attr {
		if seen[a.Key] || a.Namespace != "" {
			continue
		}
		seen[a.Key] = true
		if value, kept := keptAttribute(name, a.Key, a.Val); kept && (name != "a" || a.Key == "href") {
			b.WriteString(" " + a.Key + `="` + html.EscapeString(value) + `"`)
			if a.Key == "href" {
				b.WriteString(` rel="` + linkRel + `" target="_blank"`)
			}
		}
	}
	if name == "pre" || name == "table" && w.mode == modeMarkdown { // those of mails are for layout, too
		b.WriteString(` tabindex="0"`) // it scrolls, and people without a mouse must be able to
	}
	return b.String()
}

func keptAttribute(element, key, value string) (string, bool) {
	value = strings.TrimSpace(value)
	lower := strings.ToLower(value)
	switch {
	case key == "href" && element == "a":
		return safeLink(value)
	case key == "dir":
		return lower, lower == "ltr" || lower == "rtl" || lower == "auto"
	case key == "align" && (element == "td" || element == "th"):
		return lower, in(" left right center ", lower)
	case (key == "colspan" || key == "rowspan") && (element == "td" || element == "th"):
		n, err := strconv.Atoi(value)
		return strconv.Itoa(min(n, maxSpan)), err == nil && n > 1
	case key == "start" && element == "ol":
		n, err := strconv.Atoi(value)
		return value, err == nil && n >= 0 && n < 1e9 && strconv.Itoa(n) == value
	}
	return "", false
}

// textOnly returns the text of HTML that is too long to be shown, from its beginning.
func (w *writer) textOnly(input string) template.HTML {
	return Text(textOf(text.Truncate(input, maxInput)), w.Options)
}
