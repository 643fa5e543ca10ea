package message

import (
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// words are the words of a part, in one form or in both.
type words struct {
	text, html string
	derived    bool   // the text was made of HTML, at least in part
	spare      bool   // others of the same multipart say the same, if there are any
	image      string // the Content-ID of an image that stands here
}

// join puts words in their order, complete in both forms where one part has HTML.
func join(all []words) words {
	all, spare := withoutSpare(all)
	plain, formatted, derived := false, false, false
	for _, w := range all {
		plain = plain || !blank(w.text)
		formatted = formatted || !blank(w.html)
		derived = derived || w.derived || blank(w.text) && !blank(w.html)
	}
	var text, page []string
	for _, w := range all {
		if plain {
			text = append(text, w.plain())
		}
		shown := w.image != "" && slices.ContainsFunc(all, func(other words) bool { return refers(other.html, "cid:"+w.image) })
		if formatted && !shown {
			page = append(page, w.page())
		}
	}
	return words{text: joinBlank(text, "\n\n"), html: joinBlank(page, "\n"), derived: derived, spare: spare}
}

// withoutSpare leaves out what says the same as others in another form, unless there is nothing else.
func withoutSpare(all []words) (some []words, spare bool) {
	said := func(w words) bool { return !w.spare && !(blank(w.text) && blank(w.html)) }
	if !slices.ContainsFunc(all, said) {
		return all, slices.ContainsFunc(all, func(w words) bool { return w.spare })
	}
	return slices.DeleteFunc(all, func(w words) bool { return w.spare }), false
}

func (w words) plain() string {
	if blank(w.text) && !blank(w.html) {
		return htmlText(w.html, maxText)
	}
	return strings.Trim(w.text, "\n")
}

func (w words) page() string {
	switch {
	case w.image != "":
		return `<p><img src="cid:` + html.EscapeString(w.image) + `"></p>`
	case blank(w.html) && !blank(w.text):
		return textHTML(w.text)
	}
	return w.html
}

// textHTML returns text as HTML, its lines as they are.
func textHTML(text string) string {
	return `<div>` + strings.ReplaceAll(html.EscapeString(strings.Trim(text, "\n")), "\n", "<br>\n") + `</div>`
}

func joinBlank(all []string, between string) string {
	var kept []string
	for _, s := range all {
		if strings.TrimSpace(s) != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, between)
}

// alternative chooses of several forms of the same words the text and the HTML. Another text than the chosen one is kept,
// too: some programs write alternatives that are none.
func alternative(all []words) words {
	all, spare := withoutSpare(all)
	chosen := words{spare: spare, derived: !slices.ContainsFunc(all, func(w words) bool { return !blank(w.text) && !w.derived })}
	var seen strings.Builder // the text chosen so far, but for its spaces
	for _, w := range all {
		if !blank(w.html) {
			chosen.html = w.html
		}
		normal := strings.Join(strings.Fields(w.text), " ")
		if w.derived && !chosen.derived || strings.Contains(seen.String(), normal) {
			continue
		}
		seen.WriteString(normal + "\n")
		chosen.text = joinBlank([]string{chosen.text, w.text}, "\n\n")
	}
	return chosen
}

// ownID ends the Content-ID of an image that had none.
const ownID = "@inline.invalid"

// image returns the place of an image among words. Without a Content-ID it gets one.
func (r *reader) image(p *part) words {
	if p.kind() != "image" || p.disposition == "attachment" || p.parent == "multipart/related" || p.parent == "" {
		return words{}
	}
	if p.id == "" {
		p.id = "file-" + strconv.Itoa(len(r.Files)) + ownID
	}
	return words{image: p.id}
}

// findInline settles which files stand within the words, now that these are known.
func (r *reader) findInline() {
	for i := range r.Files {
		f := &r.Files[i]
		if f.ContentID != "" && refers(r.HTML, "cid:"+f.ContentID) || r.related[i] != "" && refers(r.HTML, r.related[i]) {
			f.Inline = true
		} else if strings.HasSuffix(f.ContentID, ownID) {
			f.ContentID = ""
		}
	}
}

func refers(page, to string) bool {
	return strings.Contains(page, to) || strings.Contains(page, html.EscapeString(to))
}

// cleanText returns text with line feeds only, without NUL and the controls that no one can see.
func cleanText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\r':
			return '\n'
		case c == '\n', c == '\t':
			return c
		case unicode.IsControl(c), c == '\ufeff':
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
