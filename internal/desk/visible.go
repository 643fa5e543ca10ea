package desk

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/holesalemart/supportdesk/internal/text"
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
func validName(name string, limit int) bool {
	return Visible(name) && utf8.RuneCountInString(name) <= limit && utf8.ValidString(name) && !strings.ContainsFunc(name, forbidden) && withoutInvisible(name) == name
}

// CleanName returns what someone elsewhere calls themselves as a name that is valid here. It is empty if nothing of it is visible.
func CleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError {
			return -1
		}
		return r
	}, withoutInvisible(text.Line(name)))
	if name = text.Shorten(strings.Join(strings.Fields(name), " "), MaxName); !ValidName(name) {
		return ""
	}
	return name
}

// withoutInvisible returns a text without the invisible characters that no script requires. Indic scripts use zero-width
// joiners and non-joiners after a virama, Arabic uses non-joiners between letters, and ideographs and symbols have
// variation selectors.
func withoutInvisible(text string) string {
	runes := []rune(text)
	kept := make([]rune, 0, len(runes))
	for i, r := range runes {
		before, after := runeAt(runes, i-1), runeAt(runes, i+1)
		switch {
		case !invisible(r):
		case r == zeroWidthNonJoiner && unicode.Is(unicode.Arabic, before) && unicode.Is(unicode.Arabic, after):
		case (r == zeroWidthJoiner || r == zeroWidthNonJoiner) && norm.NFC.PropertiesString(string(before)).CCC() == virama:
		case r == zeroWidthJoiner && pictograph(before) && pictograph(after):
		case unicode.Is(unicode.Variation_Selector, r) && (unicode.Is(unicode.Han, before) || unicode.In(before, unicode.S, unicode.N)):
		default:
			continue
		}
		kept = append(kept, r)
	}
	return string(kept)
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

// forbidden reports whether a character is not allowed in names.
func forbidden(r rune) bool { return !text.InLine(r) || r == utf8.RuneError }
