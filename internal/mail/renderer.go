package mail

import (
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"path"
	"strings"
	text "text/template"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed templates
var templates embed.FS

// Message is a rendered mail. Subject is one line of UTF-8, not yet encoded for a header. Text and HTML have the same content.
type Message struct{ Subject, Text, HTML string }

// Renderer renders mails. Both forms of a kind share its .tmpl file. A Renderer is safe for concurrent use.
type Renderer struct {
	cfg       Config
	templates map[string]templatePair // by the file of the kind
}

// NewRenderer parses the templates of every kind of mail and executes each once as a check. It returns an Invalid fault
// for an unusable configuration.
func NewRenderer(cfg Config) (*Renderer, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	r := &Renderer{cfg: cfg, templates: map[string]templatePair{}}
	anyPolicy := &policy.Policy{Zone: time.UTC}
	for _, kind := range ticket.MailKinds() {
		err = errors.Join(err, r.parse("templates/layout", ticketTemplate(kind), datesTemplate, repliesTemplate), check(
			r.Render(desk.MailData{Number: "HM-0000000000", N: 1, Kind: kind, Policy: anyPolicy})))
	}
	for _, kind := range account.MailKinds() {
		err = errors.Join(err, r.parse("templates/account", accountTemplate(kind)), check(
			r.RenderAccount(account.Mail{Kind: kind, URL: "x", Policy: anyPolicy}, time.Time{})))
	}
	err = errors.Join(err, r.parse("templates/announcement/announcement", announcementTemplate))
	for _, kind := range ticket.EmergencyKinds() {
		for _, announces := range []desk.AnnouncementKind{desk.AnnouncePlanned, desk.AnnounceStarted, desk.AnnounceChanged, desk.AnnounceEnded, desk.AnnounceCancelled} {
			err = errors.Join(err, check(
				r.RenderAnnouncement(desk.Announcement{Announces: announces, Kind: kind, Policy: anyPolicy, Tickets: make([]desk.AffectedTicket, 1)})))
		}
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

func check(_ Message, err error) error { return err }

// Render renders a ticket mail. It fails for an unknown kind and for data without a policy.
func (r *Renderer) Render(data desk.MailData) (Message, error) {
	return r.render(ticketTemplate(data.Kind), data.Policy, func() (any, *string, error) {
		v, err := newView(data, r.cfg, data.At)
		return &v, &v.Subject, err
	})
}

func ticketTemplate(kind ticket.MailKind) string { return "templates/" + string(kind) + ".tmpl" }

// render executes the templates of a kind, given by its file, with a view and its subject.
func (r *Renderer) render(file string, p *policy.Policy, view func() (v any, subject *string, err error)) (m Message, err error) {
	pair, known := r.templates[file]
	if !known || p == nil || p.Zone == nil {
		return Message{}, fmt.Errorf("render %s: unknown kind or no policy", file)
	}
	v, line, err := view()
	if err == nil {
		m, err = pair.execute(v, line)
	}
	if err != nil {
		return Message{}, fmt.Errorf("render %s: %w", file, err)
	}
	return m, nil
}

// Templates that every email uses (parts.txt or parts.html, and notice.tmpl), and those that every ticket email uses.
const (
	parts           = "templates/parts"
	noticeTemplate  = "templates/notice.tmpl"
	datesTemplate   = "templates/dates.tmpl"
	repliesTemplate = "templates/replies.tmpl"
)

// templatePair is the text and the HTML template of a kind of mail.
type templatePair struct {
	text *text.Template
	html *html.Template
}

// parse parses the file of a kind and others twice: as text/template with <layout>.txt, and as html/template, which escapes,
// with <layout>.html.
func (r *Renderer) parse(layout, file string, others ...string) (err error) {
	var p templatePair
	name := path.Base(layout)
	files := append([]string{layout + ".txt", parts + ".txt", noticeTemplate, file}, others...)
	if p.text, err = text.New(name+".txt").Option("missingkey=error").ParseFS(templates, files...); err != nil {
		return fmt.Errorf("parse text of %s: %w", file, err)
	}
	files[0], files[1] = layout+".html", parts+".html"
	if p.html, err = html.New(name+".html").Funcs(html.FuncMap{"live": live}).Option("missingkey=error").ParseFS(templates, files...); err != nil {
		return fmt.Errorf("parse HTML of %s: %w", file, err)
	}
	r.templates[file] = p
	return nil
}

// live returns paragraphs of plain text as HTML in which web addresses are links.
func live(paragraphs [][]string) html.HTML {
	var all []string
	for _, lines := range paragraphs {
		all = append(all, strings.Join(lines, "\n"))
	}
	return markup.Text(strings.Join(all, "\n\n"), markup.Options{Styles: map[string]string{"p": "margin: 0.9em 0; overflow-wrap: anywhere"}})
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
