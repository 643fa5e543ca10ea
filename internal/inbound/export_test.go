package inbound

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
	"github.com/holesalemart/supportdesk/internal/link"
)

// Redactor is a redactor, for tests.
type Redactor struct{ redactor }

func NewRedactor(website string, addresses Addresses, secrets link.Secrets) Redactor {
	return Redactor{redactor{secrets, newRedactedSite(website, addresses)}}
}

func (r Redactor) Redact(text string) string          { return r.redact(text) }
func (r Redactor) RedactHTML(sanitized string) string { return r.redactHTML(sanitized) }
func (r Redactor) Ours(text string) bool              { return r.ours(text) }

// Answer returns what is sent to the requester of a mail of staff.
func (r Redactor) Answer(ctx context.Context, raw string) (desk.MailMessage, error) {
	m, err := message.Read(ctx, strings.NewReader(raw), func(message.File, io.Reader) error { return nil })
	s := said{Message: m, redactor: r.redactor}
	return s.answer("Re"), err
}

// Limit sets how long an attempt may take.
func (p *Processor) Limit(d time.Duration) { p.limit = d }

// Defer returns the pause before the next attempt with a mail.
func (p *Processor) Defer(id int64, err error) time.Duration { return p.pause(id, err) }

// Deferred returns the number of mails whose last pause is known.
func (p *Processor) Deferred() int { return len(p.pauses) }
