// Package input reads what people typed, for the JSON API and for the pages alike: what is accepted, trimmed, and
// refused field by field in words that they may read. It knows no HTTP.
package input

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of the short fields, in characters.
const (
	MaxOrder  = 64
	MaxWord   = 64 // categories, handles, IDs
	MaxSearch = 200
)

// Fields reads what people typed, and collects what is wrong with it, field by field. The zero Fields is ready.
type Fields struct{ details []fault.Detail }

// Reject notes what is wrong with a field.
func (f *Fields) Reject(field, format string, args ...any) {
	f.details = append(f.details, fault.Detail{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Err is an Invalid fault with every field that was rejected; nil when none was.
func (f *Fields) Err() error {
	if len(f.details) == 0 {
		return nil
	}
	return fault.Fields(f.details...)
}

// Line reads one line of text, such as a subject: trimmed, not empty, without anything invisible that could change
// what stands beside it in a list.
func (f *Fields) Line(field, typed string, limit int) string {
	text := strings.TrimSpace(typed)
	if !desk.Visible(text) {
		f.Reject(field, "is empty")
		return ""
	}
	return f.Optional(field, text, limit)
}

// Optional reads a line that may be empty.
func (f *Fields) Optional(field, typed string, limit int) string {
	text := strings.TrimSpace(typed)
	switch bad, found := firstRejected(text, allowedInLine); {
	case !utf8.ValidString(text):
		f.Reject(field, "is not UTF-8")
	case found:
		f.Reject(field, "holds the character %U, which a line of text can't have", bad)
	case utf8.RuneCountInString(text) > limit:
		f.Reject(field, "is longer than %d characters", limit)
	}
	return text
}

// Words reads a message: any text with line breaks and tabs, line breaks written as \n.
func (f *Fields) Words(field, typed string) string {
	text := strings.ReplaceAll(typed, "\r\n", "\n")
	switch bad, found := firstRejected(text, allowedInText); {
	case !desk.Visible(text):
		f.Reject(field, "is empty")
	case found:
		f.Reject(field, "holds the control character %U", bad)
	case len(text) > desk.MaxBody:
		f.Reject(field, "is longer than %d bytes", desk.MaxBody)
	}
	return text
}

// Number reads another ticket's number; an empty one is none.
func (f *Fields) Number(field, typed string) ticket.Number {
	if typed == "" {
		return ""
	}
	n, err := ticket.ParseNumber(typed)
	if err != nil {
		f.Reject(field, "is not a ticket's number")
	}
	return n
}

// Entry reads the number of a timeline's entry; an empty one is none.
func (f *Fields) Entry(field, typed string) int {
	if typed == "" {
		return 0
	}
	n, err := strconv.Atoi(typed)
	if err != nil || n < 1 {
		f.Reject(field, "is not an entry of the timeline")
	}
	return n
}

// Instant reads an instant as RFC 3339 has it.
func (f *Fields) Instant(field, typed string) time.Time {
	at, err := time.Parse(time.RFC3339, typed)
	if err != nil {
		f.Reject(field, "must be an instant, such as 2026-12-03T09:00:00Z")
	}
	return at.UTC()
}

func firstRejected(text string, allowed func(rune) bool) (rune, bool) {
	for _, r := range text {
		if !allowed(r) {
			return r, true
		}
	}
	return 0, false
}

func allowedInText(r rune) bool { return r == '\n' || r == '\t' || !unicode.IsControl(r) }

// allowedInLine also refuses line separators and what turns the writing direction around for all that follows. The plain
// direction marks stay: Arabic and Hebrew need them.
func allowedInLine(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return false
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return false
	default:
		return true
	}
}
