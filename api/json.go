package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// inspect rejects what encoding/json silently changes: invalid UTF-8 and lone surrogates (both would become U+FFFD),
// duplicate properties (the last would win), names in another case (which would match), and null for a property that is
// not nullable (huma and encoding/json treat it as absent). Bodies are flat, so a problem names the property of the
// outermost object. encoding/json/v2 rejects most of this by itself, but is still experimental and stops at the first
// error.
func inspect(body []byte, nullable func(property string) bool) error {
	if err := checkSyntax(body); err != nil {
		return err
	}
	in := inspection{body: body, field: "body", seen: make(map[string]bool, 8), nullable: nullable}
	for in.at < len(body) && len(in.details) < maxErrors {
		switch body[in.at] {
		case '{', '[':
			in.depth++
			in.at++
		case '}', ']':
			in.depth--
			in.at++
		case '"':
			in.text()
		default:
			in.at++
		}
	}
	if len(in.details) > 0 {
		return fault.Fields(in.details...)
	}
	return nil
}

// inspection scans JSON that is known to be well formed.
type inspection struct {
	body    []byte
	at      int
	depth   int
	field   string // the property of the outermost object that at lies in
	seen    map[string]bool
	details []fault.Detail

	nullable func(property string) bool
}

// text inspects the string that begins at the current byte and advances past it.
func (in *inspection) text() {
	start := in.at
	in.at++
	escaped := false
	for in.body[in.at] != '"' {
		if in.body[in.at] == '\\' {
			escaped = true
			in.at++
		}
		in.at++
	}
	in.at++
	quoted := in.body[start:in.at]
	if in.depth == 1 && bytes.HasPrefix(bytes.TrimLeft(in.body[in.at:], " \t\r\n"), []byte(":")) {
		in.property(quoted)
	}
	if !utf8.Valid(quoted) {
		in.reject("is not UTF-8")
	}
	if escaped && hasLoneSurrogate(quoted) {
		in.reject("contains half of a surrogate pair")
	}
}

func (in *inspection) property(quoted []byte) {
	var name string
	_ = json.Unmarshal(quoted, &name) // well formed
	in.field = name
	switch {
	case !isPropertyName(name):
		in.reject("unexpected property")
	case in.seen[name]:
		in.reject("appears twice")
	case in.null() && !in.nullable(name):
		in.reject("is null; leave it out instead")
	}
	in.seen[name] = true
}

// null reports whether the value of the property whose name ends at the current byte is null.
func (in *inspection) null() bool {
	value := bytes.TrimLeft(in.body[in.at:], ": \t\r\n")
	return bytes.HasPrefix(value, []byte("null"))
}

func (in *inspection) reject(message string) {
	in.details = append(in.details, fault.Detail{Field: in.field, Message: message})
}

// isPropertyName reports whether name consists of lower-case letters and underscores, as all of this API's do.
func isPropertyName(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

// hasLoneSurrogate reports whether the escapes of a JSON string contain a surrogate without its other half.
func hasLoneSurrogate(quoted []byte) bool {
	high := false // the previous escape was a high surrogate
	for i := 0; i < len(quoted); {
		unit, size := rune(-1), 1
		if quoted[i] == '\\' {
			size = 2
			if quoted[i+1] == 'u' {
				code, _ := strconv.ParseUint(string(quoted[i+2:i+6]), 16, 16) // well formed
				unit, size = rune(code), 6
			}
		}
		low := utf16.IsSurrogate(unit) && unit >= 0xdc00
		if high != low {
			return true
		}
		high = utf16.IsSurrogate(unit) && !low
		i += size
	}
	return high
}
