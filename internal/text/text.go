// Package text makes texts of people fit to be stored and shown: it cuts them without breaking their characters, and makes lines of
// them that do not disturb their surroundings. It knows nothing of what they say.
package text

import "unicode/utf8"

// Truncate returns the beginning of a text, at most limit bytes of whole characters. What is not UTF-8 may be cut anywhere.
func Truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for end := limit; end > limit-utf8.UTFMax && end >= 0; end-- {
		if utf8.RuneStart(s[end]) {
			return s[:end]
		}
	}
	return s[:limit]
}
