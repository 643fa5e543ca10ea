package desk

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
	brailleBlank       = '\u2800' // a symbol that is rendered as blank
	virama             = 9        // canonical combining class
)

// Visible reports whether a text has a visible character: a letter, a digit, punctuation or a symbol.
func Visible(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !invisible(r)
	})
}

// validName reports whether a text can be a name: one line of at most limit characters, none of them invisible, so that
// different names look different.
func validName(text string, limit int) bool {
	return Visible(text) && utf8.RuneCountInString(text) <= limit && !strings.ContainsFunc(text, forbidden) && !hasInvisible(text)
}

// hasInvisible reports whether a text has an invisible character where no script requires one. Indic scripts use zero-width
// joiners and non-joiners after a virama, Arabic uses non-joiners between letters, and ideographs and symbols have
// variation selectors.
func hasInvisible(text string) bool {
	runes := []rune(text)
	for i, r := range runes {
		before, after := runeAt(runes, i-1), runeAt(runes, i+1)
		switch {
		case !invisible(r):
		case r == zeroWidthNonJoiner && unicode.Is(unicode.Arabic, before) && unicode.Is(unicode.Arabic, after):
		case (r == zeroWidthJoiner || r == zeroWidthNonJoiner) && norm.NFC.PropertiesString(string(before)).CCC() == virama:
		case r == zeroWidthJoiner && pictograph(before) && pictograph(after):
		case unicode.Is(unicode.Variation_Selector, r) && (unicode.Is(unicode.Han, before) || unicode.In(before, unicode.S, unicode.N)):
		default:
			return true
		}
	}
	return false
}

// runeAt returns the rune at an index, or a space beyond the ends.
func runeAt(runes []rune, i int) rune {
	if i < 0 || i >= len(runes) {
		return ' '
	}
	return runes[i]
}

// pictograph reports whether r may stand beside a joiner in an emoji sequence.
func pictograph(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Sk, unicode.Variation_Selector) && r != brailleBlank
}

// invisible reports whether a character has no glyph of its own.
func invisible(r rune) bool {
	return r == brailleBlank || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// forbidden reports whether a character is not allowed in names: control characters, and those that reorder text.
func forbidden(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == utf8.RuneError
}
