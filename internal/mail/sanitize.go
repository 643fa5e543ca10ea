package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName    = 80   // runes of a person's name
	maxSubject = 1000 // runes; the API accepts 200, this only bounds a header
)

// oneLine makes text that a person typed safe for a header or the middle of a sentence. The result is valid UTF-8 in one
// line with single spaces, without control characters and without characters that change the direction of surrounding
// text. Text of more than limit runes is cut and ends in an ellipsis; a limit of 0 means no limit.
func oneLine(typed string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case isBidiControl(r), isInvisible(r):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(typed, "\uFFFD"))
	clean = strings.Join(strings.Fields(clean), " ")
	if limit > 0 && utf8.RuneCountInString(clean) > limit {
		clean = strings.TrimRight(string([]rune(clean)[:limit-1]), " ") + "…"
	}
	return clean
}

// paragraphs splits a message at blank lines into paragraphs, and each of those into lines. It removes control characters
// other than tabs. It retains changes of text direction, because they end with the line.
func paragraphs(message string) [][]string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	message = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(message)
	message = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || isInvisible(r) {
			return -1
		}
		return r
	}, message)
	var all [][]string
	var current []string
	for line := range strings.SplitSeq(message, "\n") {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line != "" {
			current = append(current, line)
			continue
		}
		if current != nil {
			all = append(all, current)
			current = nil
		}
	}
	if current != nil {
		all = append(all, current)
	}
	return all
}

// isBidiControl reports whether r is an embedding, override or isolate of the bidirectional algorithm. Text in a
// right-to-left script needs none of them.
func isBidiControl(r rune) bool {
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// isInvisible reports whether r is a byte order mark or a noncharacter, which mail programs and parsers treat differently.
func isInvisible(r rune) bool {
	return r == '\uFEFF' || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF
}
