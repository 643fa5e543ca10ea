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
	brailleBlank       = '\u2800' // a symbol without a mark
	virama             = 9        // canonical combining class
)

// Visible reports whether there is anything to be seen in a text: a letter, a digit, a mark of punctuation or a symbol
// that has a shape.
func Visible(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool {
		return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) && !shapeless(r)
	})
}

// validName reports whether a text can be what somebody or something is called: one line of at most so many characters
// that shows everything it holds, so that no two names look alike because of what can't be seen.
func validName(text string, limit int) bool {
	return Visible(text) && utf8.RuneCountInString(text) <= limit && !strings.ContainsFunc(text, unspeakable) && !hides(text)
}

// hides reports whether a text holds a character without a shape where no script needs one. Scripts of India join and
// part letters with zero-width joiners after a virama, Arabic parts letters, ideographs and symbols have variants.
func hides(text string) bool {
	runes := []rune(text)
	for i, r := range runes {
		before, after := beside(runes, i-1), beside(runes, i+1)
		switch {
		case !shapeless(r):
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

// beside returns the rune at an index, or one that needs no joiner.
func beside(runes []rune, i int) rune {
	if i < 0 || i >= len(runes) {
		return ' '
	}
	return runes[i]
}

// pictograph reports whether an emoji sequence may have a joiner beside r.
func pictograph(r rune) bool {
	return unicode.In(r, unicode.So, unicode.Sk, unicode.Variation_Selector) && r != brailleBlank
}

// shapeless reports whether nothing is seen of a character, wherever it stands.
func shapeless(r rune) bool {
	return r == brailleBlank || unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// unspeakable is what has no place in a name: control characters, and those that change the order of others.
func unspeakable(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == utf8.RuneError
}
