package mail

import (
	"fmt"
	html "html/template"
	"path"
	"slices"
	"strings"
	text "text/template"
)

// noticeWords are shared by every mail, and dateWords by every mail about a ticket.
const (
	noticeWords = "templates/notice.tmpl"
	dateWords   = "templates/dates.tmpl"
)

// words are the templates of one kind of mail, in both forms.
type words struct {
	text *text.Template
	html *html.Template
}

// parseWords parses templates twice: by text/template into <layout>.txt and by html/template, which escapes, into
// <layout>.html.
func parseWords(layout string, files ...string) (w words, err error) {
	name := path.Base(layout)
	files = slices.Insert(append(files, noticeWords), 0, layout+".txt")
	if w.text, err = text.New(name+".txt").Option("missingkey=error").ParseFS(templates, files...); err != nil {
		return w, fmt.Errorf("parse text: %w", err)
	}
	files[0] = layout + ".html"
	if w.html, err = html.New(name+".html").Option("missingkey=error").ParseFS(templates, files...); err != nil {
		return w, fmt.Errorf("parse HTML: %w", err)
	}
	return w, nil
}

// write executes the templates with a view. Where one of them is the subject's, it sets the view's subject first.
func (w words) write(view any, subject *string) (Message, error) {
	var line, asText, asHTML strings.Builder
	if t := w.text.Lookup("subject"); t != nil {
		if err := t.Execute(&line, view); err != nil {
			return Message{}, fmt.Errorf("write subject: %w", err)
		}
		*subject = line.String()
	}
	if err := w.text.Execute(&asText, view); err != nil {
		return Message{}, fmt.Errorf("write text: %w", err)
	}
	if err := w.html.Execute(&asHTML, view); err != nil {
		return Message{}, fmt.Errorf("write HTML: %w", err)
	}
	return Message{Subject: *subject, Text: asText.String(), HTML: asHTML.String()}, nil
}
