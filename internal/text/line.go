package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns what a person wrote as one line that can stand beside other text: a subject, a name, the number of an order. It is valid
// UTF-8 with single spaces, without control characters and without what changes the order in which others see the text around it.
// Direction marks stay in a text with right-to-left letters, which needs them; so do the joiners that some scripts require.
func Line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.In(r, unicode.Z):
			return ' '
		case !InLine(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if strings.ContainsFunc(s, directionMark) && !strings.ContainsFunc(s, rightToLeft) {
		s = strings.Map(func(r rune) rune {
			if directionMark(r) {
				return -1
			}
			return r
		}, s)
	}
	return strings.Join(strings.Fields(s), " ")
}

// InLine reports whether a line of text may contain a character: no control characters, line separators, byte order marks,
// noncharacters, and none that reorders text.
func InLine(r rune) bool {
	return !unicode.IsControl(r) && r != '\u2028' && r != '\u2029' && !Reorders(r) && !Noncharacter(r)
}

// Reorders reports whether a character is an embedding, override or isolate of the bidirectional algorithm, or ends one. Text in a
// right-to-left script needs none of them.
func Reorders(r rune) bool {
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// directionMark reports whether a character is invisible and has a direction, which it lends to the signs beside it.
func directionMark(r rune) bool { return r == '\u200E' || r == '\u200F' || r == '\u061C' }

// rightToLeft reports whether a character is a letter of a script that is written from right to left.
func rightToLeft(r rune) bool {
	return unicode.In(r, unicode.L) && (r >= 0x0590 && r <= 0x08FF || r >= 0xFB1D && r <= 0xFDFF || r >= 0xFE70 && r <= 0xFEFC ||
		r >= 0x10800 && r <= 0x10FFF || r >= 0x1E800 && r <= 0x1EFFF)
}

// Noncharacter reports whether a character is a byte order mark or stands for none, which programs treat differently.
func Noncharacter(r rune) bool {
	return r == '\uFEFF' || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF
}

// Shorten returns a text of at most so many characters, with an ellipsis if something is cut off.
func Shorten(s string, characters int) string {
	if utf8.RuneCountInString(s) <= characters {
		return s
	}
	end := 0
	for i := range s {
		if characters--; characters == 0 {
			end = i
			break
		}
	}
	return strings.TrimRightFunc(s[:end], unicode.IsSpace) + "…"
}
