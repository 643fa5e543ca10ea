package mail

import (
	"fmt"
	html "html/template"
	"path"
	"strings"
	text "text/template"
)

// Templates that every email uses (parts.txt or parts.html, and notice.tmpl), and those that every ticket email uses.
const (
	parts          = "templates/parts"
	noticeTemplate = "templates/notice.tmpl"
	datesTemplate  = "templates/dates.tmpl"
)

// templatePair is the text and the HTML template of a kind of mail.
type templatePair struct {
	text *text.Template
	html *html.Template
}

// parseTemplates parses the files twice: as text/template with <layout>.txt, and as html/template, which escapes, with
// <layout>.html.
func parseTemplates(layout string, files ...string) (p templatePair, err error) {
	name := path.Base(layout)
	files = append([]string{layout + ".txt", parts + ".txt", noticeTemplate}, files...)
	if p.text, err = text.New(name+".txt").Option("missingkey=error").ParseFS(templates, files...); err != nil {
		return p, fmt.Errorf("parse text: %w", err)
	}
	files[0], files[1] = layout+".html", parts+".html"
	if p.html, err = html.New(name+".html").Option("missingkey=error").ParseFS(templates, files...); err != nil {
		return p, fmt.Errorf("parse HTML: %w", err)
	}
	return p, nil
}

// execute executes the templates with a view. If there is a template named subject, its output becomes *subject first.
func (p templatePair) execute(view any, subject *string) (Message, error) {
	var line, asText, asHTML strings.Builder
	if t := p.text.Lookup("subject"); t != nil {
		if err := t.Execute(&line, view); err != nil {
			return Message{}, fmt.Errorf("write subject: %w", err)
		}
		*subject = line.String()
	}
	if err := p.text.Execute(&asText, view); err != nil {
		return Message{}, fmt.Errorf("write text: %w", err)
	}
	if err := p.html.Execute(&asHTML, view); err != nil {
		return Message{}, fmt.Errorf("write HTML: %w", err)
	}
	return Message{Subject: *subject, Text: asText.String(), HTML: asHTML.String()}, nil
}
