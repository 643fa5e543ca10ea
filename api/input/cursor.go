package input

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// EncodeCursor writes a place in a list so that it can stand in an address.
func EncodeCursor(c desk.Cursor) string {
	text, err := json.Marshal(c)
	if err != nil {
		return "" // an instant beyond the year 9999, which no policy promises
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// Cursor reads what EncodeCursor wrote. It holds nothing to protect: one that somebody made up shows them what they
// may see anyway.
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
		f.Reject(field, "is not a cursor that a list gave")
	}
	return c
}
