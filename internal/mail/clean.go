package mail

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxName    = 80   // runes of a person's name
	maxSubject = 1000 // runes; the API takes 200, this only bounds a header
)

// oneLine makes what somebody typed fit for a header or the middle of a sentence: valid UTF-8, no control
// characters, no line breaks, single spaces, none of the characters that turn the direction of the text around
// them. Over limit runes it is cut and ends in an ellipsis; a limit of 0 is none.
func oneLine(typed string, limit int) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case turnsText(r), invisible(r):
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

// paragraphs takes a message apart at its blank lines, each paragraph into its lines. Control characters other
// than tabs go; the direction of text may turn, because it turns back at the end of the line.
func paragraphs(message string) [][]string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	message = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n").Replace(message)
	message = strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && unicode.IsControl(r) || invisible(r) {
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

// turnsText reports the embeddings, overrides and isolates of the bidirectional algorithm. Text in a right-to-left
// script needs none of them.
func turnsText(r rune) bool {
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// invisible reports runes that mail programs and parsers disagree on: byte order marks and noncharacters.
func invisible(r rune) bool {
	return r == '\uFEFF' || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF
}
