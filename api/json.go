package api

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// inspect refuses what encoding/json changes without a word: bytes that are no UTF-8 and halves of surrogate pairs
// (both would become U+FFFD), a property that comes twice (the last would win), names in another case (which
// would match), and null for a property that takes no null (huma and encoding/json take it for one that is absent).
// Bodies here are flat, so a problem is named after the property of the outermost object. encoding/json/v2 refuses most of
// this by itself, but is an experiment yet, and stops at the first.
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

// inspection walks over JSON that is known to be well formed.
type inspection struct {
	body    []byte
	at      int
	depth   int
	field   string // the property of the outermost object that at lies in
	seen    map[string]bool
	details []fault.Detail

	nullable func(property string) bool
}

// text looks at the string that begins at the current byte and moves behind it.
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
		in.reject("holds half of a surrogate pair")
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
		in.reject("comes twice")
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

// isPropertyName reports whether a property's name is written as all of this API's are.
func isPropertyName(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

// hasLoneSurrogate reports whether the escapes of a string name one surrogate without the other.
func hasLoneSurrogate(quoted []byte) bool {
	high := false // the escape before this one was the first half
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
