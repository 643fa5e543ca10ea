package input

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
