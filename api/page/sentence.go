package page

import (
	"unicode"
	"unicode/utf8"
)

// Sentence makes a message one, as it stands on a page: with a capital letter first and a full stop at the end.
func Sentence(message string) string {
	first, size := utf8.DecodeRuneInString(message)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + message[size:] + "."
}
