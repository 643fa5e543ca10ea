package inbound

import "github.com/holesalemart/supportdesk/internal/link"

// Redactor is a redactor, for tests.
type Redactor struct{ redactor }

func NewRedactor(website string, addresses Addresses, secrets link.Secrets) Redactor {
	return Redactor{redactor{secrets, newRedactedSite(website, addresses)}}
}

func (r Redactor) Redact(text string) string          { return r.redact(text) }
func (r Redactor) RedactHTML(sanitized string) string { return r.redactHTML(sanitized) }
func (r Redactor) Ours(text string) bool              { return r.ours(text) }
