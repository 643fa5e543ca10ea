package mail

import (
	"embed"
	"fmt"
	html "html/template"
	"path"
	"strings"
	text "text/template"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed templates
var templates embed.FS

// Message is a rendered mail. Subject is one line of UTF-8, not yet encoded for a header. Text and HTML have the same content.
type Message struct{ Subject, Text, HTML string }

// Renderer renders mails. Both forms of a kind share templates/<kind>.tmpl. A Renderer is safe for concurrent use.
type Renderer struct {
	cfg          Config
	tickets      map[ticket.MailKind]templatePair
	accounts     map[account.MailKind]templatePair
	announcement templatePair
}

// NewRenderer parses the templates of every kind of mail and executes each once as a check. It returns an Invalid fault
// for an unusable configuration.
func NewRenderer(cfg Config) (*Renderer, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	r := &Renderer{cfg: cfg}
	for _, parse := range []func() error{r.parseTickets, r.parseAccount, r.parseAnnouncement} {
		if err := parse(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// parseTickets parses the templates of ticket mails and executes each once.
func (r *Renderer) parseTickets() (err error) {
	r.tickets = map[ticket.MailKind]templatePair{}
	for _, kind := range ticket.MailKinds() {
		if r.tickets[kind], err = parseTemplates("templates/layout", "templates/"+string(kind)+".tmpl", datesTemplate); err != nil {
			return fmt.Errorf("mail %s: %w", kind, err)
		}
		trial := desk.MailData{Number: "HM-0000000000", N: 1, Kind: kind, Policy: &policy.Policy{Zone: time.UTC}}
		if _, err = r.Render(trial); err != nil {
			return err
		}
	}
	return nil
}

// Render renders a ticket mail. It fails for an unknown kind and for data without a policy.
func (r *Renderer) Render(data desk.MailData) (Message, error) {
	pair, known := r.tickets[data.Kind]
	if !known {
		return Message{}, fmt.Errorf("render mail: there is no kind %q", data.Kind)
	}
	if data.Policy == nil || data.Policy.Zone == nil {
		return Message{}, fmt.Errorf("render mail %s: it has no policy", data.Kind)
	}
	v := newView(data, r.cfg, data.At)
	m, err := pair.execute(&v, &v.Subject)
	if err != nil {
		return Message{}, fmt.Errorf("render mail %s: %w", data.Kind, err)
	}
	return m, nil
}

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
