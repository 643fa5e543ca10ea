package page

import (
	"bytes"
	"html/template"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// refill fills the page's forms with those that its reader sent before having to sign in. They are not sent
// automatically.
func (v *Visit) refill(page []byte) []byte {
	token, reader := v.formToken(), v.reader()
	if token == "" || reader == "" || v.engine.Forms == nil {
		return page
	}
	saved, err := v.engine.Forms.SavedForms(v.Context(), browserOf(token), reader, v.pageAddress())
	if err != nil {
		v.engine.Log.WarnContext(v.Context(), "page without what was typed before", "error", err)
	}
	if len(saved) == 0 {
		return page
	}
	filled, err := fillIn(page, v.Path(), saved)
	for _, k := range saved {
		if !hasInput(k.Fields) {
			v.dropForms(reader, func(browser []byte) error { // shown once: nothing was done
				return v.engine.Forms.ForgetForm(v.Context(), browser, reader, k.Action, k.Page)
			})
		}
	}
	if err != nil {
		v.engine.Log.ErrorContext(v.Context(), "page without what was typed before", "error", err)
		return page
	}
	return filled
}

const (
	backInPlace = `<div class="notice" role="status"><p>You had to sign in first. What you typed is back and has not been sent yet.</p></div>`
	notDone     = `<div class="notice" role="status"><p>You had to sign in first, so nothing has been done yet. Please try again.</p></div>`
	noForm      = `<section class="card"><h2>What you typed before you had to sign in</h2><p>It was not sent, and this page no longer accepts it. Copy what you need: it is saved here for a day.</p></section>`
)

// fillIn copies stored forms into the forms of a page with the same action, or with that action in data-takes. Input
// that no form accepts is shown above the page.
func fillIn(page []byte, path string, saved []desk.SavedForm) ([]byte, error) {
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	undone := false
	first := &goquery.Selection{}
	for _, k := range saved {
		form, controls := formFor(doc, path, k)
		if !hasInput(k.Fields) || form != nil && controls.Length() == 0 { // only a button or a password: there is no input to restore
			undone = true
			continue
		}
		if form == nil {
			doc.Find("main").PrependHtml(unmatchedFields(k.Fields))
			continue
		}
		fill(controls, k.Fields)
		fillFiles(form, k.Fields)
		form.SetAttr("data-saved", strconv.FormatInt(k.SavedAt.UnixMicro(), 36)) // lets form-drafts.js recognise a draft that is newer
		if table := form.Closest("table"); table.Length() > 0 {                  // a row has no room for a sentence
			table.BeforeHtml(backInPlace)
		} else {
			form.PrependHtml(backInPlace)
		}
		form.ParentsFiltered("details").SetAttr("open", "")
		if kind, there := form.Attr("data-kind"); there { // of the composer, which shows the form of one kind
			selectOptions(doc.Find(`#composer input[name="mode"]`), "checked", []string{kind})
		}
		if !form.Is("form.write") { // in the panel the first keys on a page are shortcuts
			first = filledControls(controls, k.Fields).First()
		}
	}
	first.SetAttr("autofocus", "") // of the last form that was sent: it may be far down the page
	if undone {
		doc.Find("main").PrependHtml(notDone)
	}
	var b bytes.Buffer
	err = html.Render(&b, doc.Nodes[0])
	return b.Bytes(), err
}

// formFor returns the form that accepts a stored form; of several, the one with the most matching fields. It also returns
// the matching visible controls, which may be none. form is nil if there is none.
func formFor(doc *goquery.Document, path string, k desk.SavedForm) (form, controls *goquery.Selection) {
	most := 0
	doc.Find("form").Each(func(_ int, f *goquery.Selection) {
		if !strings.EqualFold(f.AttrOr("method", ""), "post") || !accepts(f, path, k.Action) {
			return
		}
		own := f.Find("input, textarea, select")
		if id := f.AttrOr("id", ""); id != "" {
			own = own.AddSelection(doc.Find("[form]").FilterFunction(func(_ int, c *goquery.Selection) bool { return c.AttrOr("form", "") == id }))
		}
		fits := filledControls(own, k.Fields).Length()
		switch {
		case fits > most:
			form, controls, most = f, own, fits
		case form == nil:
			form, controls = f, &goquery.Selection{}
		}
	})
	return form, controls
}

// filledControls returns the visible controls for which there is a stored value.
func filledControls(controls *goquery.Selection, fields url.Values) *goquery.Selection {
	return controls.FilterFunction(func(_ int, c *goquery.Selection) bool {
		return c.AttrOr("type", "") != "hidden" && len(fields[c.AttrOr("name", "")]) > 0
	})
}

// accepts reports whether a form of the page at path has an action: its own, one of its buttons', or one in data-takes.
func accepts(form *goquery.Selection, path, action string) bool {
	actions := strings.Fields(form.AttrOr("data-takes", ""))
	form.Find("[formaction]").AddSelection(form).Each(func(_ int, s *goquery.Selection) {
		address, _, _ := strings.Cut(s.AttrOr("formaction", s.AttrOr("action", path)), "?")
		actions = append(actions, address)
	})
	return slices.Contains(actions, action)
}

// fill sets the controls of a form. Hidden ones keep the page's values, except for the idempotency key.
func fill(controls *goquery.Selection, fields url.Values) {
	left := maps.Clone(fields)
	controls.Each(func(_ int, c *goquery.Selection) {
		name := c.AttrOr("name", "")
		if name == "" {
			return
		}
		switch kind := strings.ToLower(c.AttrOr("type", "text")); {
		case c.Is("select") && len(fields[name]) == 0:
		case c.Is("select"):
			selectOptions(c.Find("option"), "selected", fields[name])
		case c.Is("input") && (kind == "checkbox" || kind == "radio"):
			selectOptions(c, "checked", fields[name])
		case c.Is("input") && (kind == "password" || kind == "file" || kind == "submit" || kind == "hidden" && name != fieldKey):
		case len(left[name]) == 0:
		default:
			value := left[name][0]
			left[name] = left[name][1:]
			if c.Is("textarea") {
				c.Empty()
				c.AppendNodes(&html.Node{Type: html.TextNode, Data: value})
			} else {
				c.SetAttr("value", value)
			}
		}
	})
}

// fillFiles adds the files of a stored form that were uploaded before.
func fillFiles(form *goquery.Selection, fields url.Values) {
	list := form.Find("[data-attach] .attached")
	for _, id := range fields[fieldFiles] {
		name := fields.Get(fieldName + id)
		if !desk.FileID(id).Valid() || fields.Get(fieldDrop+id) != "" || list.Find(`[data-file="`+id+`"]`).Length() > 0 {
			continue
		}
		list.AppendHtml(`<li class="attached-file" data-file="` + template.HTMLEscapeString(id) + `">` + hidden(fieldFiles, id) + hidden(fieldName+id, name) +
			`<span class="file-name"><bdi>` + template.HTMLEscapeString(name) + `</bdi></span><label class="attached-keep unscripted"><input type="checkbox" name="` +
			template.HTMLEscapeString(fieldDrop+id) + `" value="1"> Remove</label></li>`)
	}
}

// selectOptions marks the chosen options with an attribute and removes it from all others.
func selectOptions(options *goquery.Selection, mark string, chosen []string) {
	options.Each(func(_ int, o *goquery.Selection) {
		o.RemoveAttr(mark)
		if value, there := o.Attr("value"); slices.Contains(chosen, value) || !there && slices.Contains(chosen, strings.TrimSpace(o.Text())) {
			o.SetAttr(mark, "")
		}
	})
}

// unmatchedFields returns HTML that shows the input of a form that the page no longer has.
func unmatchedFields(fields url.Values) string {
	var boxes strings.Builder
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if text := strings.Join(fields[name], "\n"); isInputField(name) && !isFileField(name) && text != "" {
			boxes.WriteString(`<textarea readonly rows="4" dir="auto" aria-label="Typed in ` + template.HTMLEscapeString(name) + `">` +
				"\n" + template.HTMLEscapeString(text) + `</textarea>`) // parsers drop the first line break
		}
	}
	return strings.Replace(noForm, "</section>", boxes.String()+"</section>", 1)
}

// hidden returns the HTML of a hidden field.
func hidden(name, value string) string {
	return `<input type="hidden" name="` + template.HTMLEscapeString(name) + `" value="` + template.HTMLEscapeString(value) + `">`
}
