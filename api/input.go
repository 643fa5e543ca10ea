package api

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of the short fields, in characters.
const (
	maxOrder  = 64
	maxWord   = 64 // categories, handles, IDs
	maxSearch = 200
)

// fields reads what people typed, and collects what is wrong with it, field by field.
type fields struct{ details []fault.Detail }

func (f *fields) reject(field, format string, args ...any) {
	f.details = append(f.details, fault.Detail{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (f *fields) err() error {
	if len(f.details) == 0 {
		return nil
	}
	return fault.Fields(f.details...)
}

// line reads one line of text, such as a subject: trimmed, not empty, without anything invisible that could change
// what stands beside it in a list.
func (f *fields) line(field, typed string, limit int) string {
	text := strings.TrimSpace(typed)
	if blank(text) {
		f.reject(field, "is empty")
		return ""
	}
	return f.optional(field, text, limit)
}

// optional reads a line that may be empty.
func (f *fields) optional(field, typed string, limit int) string {
	text := strings.TrimSpace(typed)
	switch bad, found := firstBad(text, inLine); {
	case !utf8.ValidString(text):
		f.reject(field, "is not UTF-8")
	case found:
		f.reject(field, "holds the character %U, which a line of text can't have", bad)
	case utf8.RuneCountInString(text) > limit:
		f.reject(field, "is longer than %d characters", limit)
	}
	return text
}

// words reads a message: any text with line breaks and tabs, line breaks written as \n.
func (f *fields) words(field, typed string) string {
	text := strings.ReplaceAll(typed, "\r\n", "\n")
	switch bad, found := firstBad(text, inWords); {
	case blank(text):
		f.reject(field, "is empty")
	case found:
		f.reject(field, "holds the control character %U", bad)
	case len(text) > desk.MaxBody:
		f.reject(field, "is longer than %d bytes", desk.MaxBody)
	}
	return text
}

// number reads another ticket's number; an empty one is none.
func (f *fields) number(field, typed string) ticket.Number {
	if typed == "" {
		return ""
	}
	n, err := ticket.ParseNumber(typed)
	if err != nil {
		f.reject(field, "is not a ticket's number")
	}
	return n
}

func firstBad(text string, allowed func(rune) bool) (rune, bool) {
	for _, r := range text {
		if !allowed(r) {
			return r, true
		}
	}
	return 0, false
}

func inWords(r rune) bool { return r == '\n' || r == '\t' || !unicode.IsControl(r) }

// inLine also refuses line separators and what turns the writing direction around for all that follows. The plain
// direction marks stay: Arabic and Hebrew need them.
func inLine(r rune) bool {
	switch {
	case unicode.IsControl(r), r == '\u2028', r == '\u2029':
		return false
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
		return false
	default:
		return true
	}
}

// blank reports whether nothing in a text can be seen.
func blank(text string) bool {
	for _, r := range text {
		if unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) {
			return false
		}
	}
	return true
}
