package mail

import (
	"embed"
	"fmt"
	html "html/template"
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

// Message is a mail's words. Subject is one line of UTF-8, not yet encoded for a header; Text and HTML say the same.
type Message struct{ Subject, Text, HTML string }

// Renderer writes letters out. The words of a kind stand once, in templates/<kind>.tmpl, and are parsed twice: by
// text/template into layout.txt and by html/template, which escapes, into layout.html. Safe for concurrent use.
type Renderer struct {
	cfg      Config
	texts    map[ticket.MailKind]*text.Template
	htmls    map[ticket.MailKind]*html.Template
	accounts map[account.Kind]accountWords

	announcement announcementWords
}

// noticeWords are shared by every mail, and dateWords by every mail about a ticket.
const (
	noticeWords = "templates/notice.tmpl"
	dateWords   = "templates/dates.tmpl"
)

// NewRenderer parses the templates of every kind of mail and tries each of them once. A configuration that can't be
// used gives an Invalid fault.
func NewRenderer(cfg Config) (*Renderer, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, err
	}
	r := &Renderer{cfg: cfg, texts: map[ticket.MailKind]*text.Template{}, htmls: map[ticket.MailKind]*html.Template{}}
	for _, kind := range ticket.MailKinds() {
		words := "templates/" + string(kind) + ".tmpl"
		if r.texts[kind], err = text.New("layout.txt").Option("missingkey=error").ParseFS(templates, "templates/layout.txt", words, noticeWords, dateWords); err != nil {
			return nil, fmt.Errorf("parse text of mail %s: %w", kind, err)
		}
		if r.htmls[kind], err = html.New("layout.html").Option("missingkey=error").ParseFS(templates, "templates/layout.html", words, noticeWords, dateWords); err != nil {
			return nil, fmt.Errorf("parse HTML of mail %s: %w", kind, err)
		}
		trial := desk.Letter{Number: "HM-0000000000", N: 1, Kind: kind, Policy: &policy.Policy{Zone: time.UTC}}
		if _, err = r.Render(trial); err != nil {
			return nil, err
		}
	}
	if err := r.parseAccount(); err != nil {
		return nil, err
	}
	return r, r.parseAnnouncement()
}

// Render writes a letter out. It fails for a kind that doesn't exist and for a letter without a policy.
func (r *Renderer) Render(l desk.Letter) (Message, error) {
	texts, htmls := r.texts[l.Kind], r.htmls[l.Kind]
	if texts == nil || htmls == nil {
		return Message{}, fmt.Errorf("render mail: there is no kind %q", l.Kind)
	}
	if l.Policy == nil || l.Policy.Zone == nil {
		return Message{}, fmt.Errorf("render mail %s: the letter has no policy", l.Kind)
	}
	v := newView(l, r.cfg, l.At)
	var asText, asHTML strings.Builder
	if err := texts.Execute(&asText, v); err != nil {
		return Message{}, fmt.Errorf("render text of mail %s: %w", l.Kind, err)
	}
	if err := htmls.Execute(&asHTML, v); err != nil {
		return Message{}, fmt.Errorf("render HTML of mail %s: %w", l.Kind, err)
	}
	return Message{Subject: v.Subject, Text: asText.String(), HTML: asHTML.String()}, nil
}
