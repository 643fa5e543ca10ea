// Package input validates user input for the JSON API and the pages. It trims and checks values, and collects a message
// for each rejected field. It must not know HTTP.
package input

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/text"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of the short fields, in characters.
const (
	MaxOrder  = 64
	MaxWord   = 64 // categories, handles, IDs
	MaxSearch = 200
)

// Fields validates input, and collects what is wrong with it by field. The zero Fields is ready to use.
type Fields struct{ details []fault.Detail }

// Reject records what is wrong with a field.
func (f *Fields) Reject(field, format string, args ...any) {
	f.details = append(f.details, fault.Detail{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Err returns an Invalid fault with every rejected field, or nil if there is none.
func (f *Fields) Err() error {
	if len(f.details) == 0 {
		return nil
	}
	return fault.Fields(f.details...)
}

// Line validates one line of text, such as a subject, and returns it as text.Line does. It must not be empty, or contain control
// characters or others that change how text around it is displayed.
func (f *Fields) Line(field, typed string, limit int) string {
	if !desk.Visible(typed) {
		f.Reject(field, "is empty")
		return ""
	}
	return f.Optional(field, typed, limit)
}

// Optional validates a line that may be empty.
func (f *Fields) Optional(field, typed string, limit int) string {
	typed = strings.TrimSpace(typed)
	switch bad, found := firstRejected(typed, text.InLine); {
	case !utf8.ValidString(typed):
		f.Reject(field, "is not UTF-8")
	case found:
		f.Reject(field, "contains the character %U, which is not allowed in a line of text", bad)
	case utf8.RuneCountInString(typed) > limit:
		f.Reject(field, "is longer than %d characters", limit)
	}
	return text.Line(typed)
}

// Words validates a message, which may contain line breaks and tabs. It returns it with \n as line breaks.
func (f *Fields) Words(field, typed string) string {
	text := strings.ReplaceAll(typed, "\r\n", "\n")
	switch bad, found := firstRejected(text, allowedInText); {
	case !desk.Visible(text):
		f.Reject(field, "is empty")
	case found:
		f.Reject(field, "contains the control character %U", bad)
	case len(text) > desk.MaxBody:
		f.Reject(field, "is longer than %d bytes", desk.MaxBody)
	}
	return text
}

// Message validates a message as Words does. It may be empty if it is not required, or if it has files.
func (f *Fields) Message(field, typed string, required bool, files []desk.FileID) string {
	if !required && typed == "" || len(files) > 0 && !desk.Visible(typed) {
		return ""
	}
	return f.Words(field, typed)
}

// Format parses the format of a message. Without one, it is plain text.
func (f *Fields) Format(field, typed string) desk.Format {
	format := desk.Format(typed).OrText()
	if !slices.Contains(desk.Formats(), format) {
		f.Reject(field, "is not text or markdown")
	}
	return format
}

// Channel parses the channel of what staff enter for a customer, which may be empty.
func (f *Fields) Channel(field, typed string) desk.Channel {
	channel := desk.Channel(typed)
	if typed != "" && !slices.Contains(desk.EnteredChannels(), channel) {
		f.Reject(field, "is not phone or in-person")
	}
	return channel
}

// Number parses a ticket number, which may be empty.
func (f *Fields) Number(field, typed string) ticket.Number {
	if typed == "" {
		return ""
	}
	n, err := ticket.ParseNumber(typed)
	if err != nil {
		f.Reject(field, "is not a ticket number")
	}
	return n
}

// Entry parses the number of an entry of a timeline. It returns 0 for an empty text.
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

// Instant parses an instant in the format of RFC 3339.
func (f *Fields) Instant(field, typed string) time.Time {
	at, err := time.Parse(time.RFC3339, typed)
	if err != nil {
		f.Reject(field, "must be a date and time, such as 2026-12-03T09:00:00Z")
	}
	return at.UTC()
}

// EncodeCursor encodes a place in a list for use in a URL.
func EncodeCursor(c desk.Cursor) string {
	text, err := json.Marshal(c)
	if err != nil {
		return "" // an instant beyond the year 9999, which no policy can produce
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Cursor decodes the result of EncodeCursor. It is not authenticated: a forged cursor shows only what its sender may see
// anyway.
func (f *Fields) Cursor(field, typed string) desk.Cursor {
	if typed == "" {
		return desk.Cursor{}
	}
	var c desk.Cursor
	text, err := base64.RawURLEncoding.Strict().DecodeString(typed)
	if err == nil {
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.DisallowUnknownFields()
		err = d.Decode(&c)
	}
	n, bad := ticket.ParseNumber(string(c.Number))
	if err != nil || bad != nil || n != c.Number || EncodeCursor(c) != typed {
		f.Reject(field, "is not the cursor of a list")
	}
	return c
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
