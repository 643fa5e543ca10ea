package mail

import (
	"embed"
	"fmt"
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

// Renderer writes mails out. The words of a kind stand once, in templates/<kind>.tmpl. Safe for concurrent use.
type Renderer struct {
	cfg          Config
	tickets      map[ticket.MailKind]words
	accounts     map[account.MailKind]words
	announcement words
}

// NewRenderer parses the templates of every kind of mail and tries each of them once. A configuration that can't be
// used gives an Invalid fault.
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

// parseTickets parses the templates of tickets' mails and tries each of them once.
func (r *Renderer) parseTickets() (err error) {
	r.tickets = map[ticket.MailKind]words{}
	for _, kind := range ticket.MailKinds() {
		if r.tickets[kind], err = parseWords("templates/layout", "templates/"+string(kind)+".tmpl", dateWords); err != nil {
			return fmt.Errorf("mail %s: %w", kind, err)
		}
		trial := desk.MailData{Number: "HM-0000000000", N: 1, Kind: kind, Policy: &policy.Policy{Zone: time.UTC}}
		if _, err = r.Render(trial); err != nil {
			return err
		}
	}
	return nil
}

// Render writes a letter out. It fails for a kind that doesn't exist and for a letter without a policy.
func (r *Renderer) Render(l desk.MailData) (Message, error) {
	words, known := r.tickets[l.Kind]
	if !known {
		return Message{}, fmt.Errorf("render mail: there is no kind %q", l.Kind)
	}
	if l.Policy == nil || l.Policy.Zone == nil {
		return Message{}, fmt.Errorf("render mail %s: the letter has no policy", l.Kind)
	}
	v := newView(l, r.cfg, l.At)
	m, err := words.write(&v, &v.Subject)
	if err != nil {
		return Message{}, fmt.Errorf("render mail %s: %w", l.Kind, err)
	}
	return m, nil
}
