package message

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// guessed is how much of a text is decoded to find its charset.
const guessed = 16 << 10

// guess decodes bytes whose charset is not known.
func guess(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	sample := b[:min(len(b), guessed)]
	if mostlyUTF8(sample) {
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	var best encoding.Encoding
	score := 0.0
	for _, c := range candidates {
		if s := c.likeness(sample); s > score && !alphabetic(sample) {
			best, score = c.encoding, s
		}
	}
	if best == nil {
		best = singleByte(sample)
	}
	return must(best, b)
}

// mostlyUTF8 reports whether there are several characters of UTF-8 for each byte that is none.
func mostlyUTF8(b []byte) bool {
	good, bad := 0, 0
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case r >= utf8.RuneSelf:
			good++
		}
		b = b[n:]
	}
	return good > 3*bad
}

// candidate is an encoding of East Asia with the range of first bytes of its frequent characters. Of two that are as likely
// the first one is taken: its range is the narrower one.
type candidate struct {
	encoding encoding.Encoding
	from, to byte
	japanese bool // and so it has kana among the others
}

var candidates = []candidate{
	{japanese.EUCJP, 0xb0, 0xcf, true}, {japanese.ShiftJIS, 0x88, 0x97, true}, {korean.EUCKR, 0xb0, 0xc8, false},
	{simplifiedchinese.GB18030, 0xb0, 0xd7, false}, {traditionalchinese.Big5, 0xa4, 0xc6, false},
}

// likeness is how likely text is in an encoding, up to 1; 0: it is not.
func (c candidate) likeness(b []byte) float64 {
	frequent, kana, rare := 0, 0, latinLetters(b)
	encoder := c.encoding.NewEncoder()
	for _, r := range must(c.encoding, b) {
		switch {
		case r < utf8.RuneSelf, r >= 0x3000 && r < 0x3030, r >= 0xff00 && r < 0xff5f: // and punctuation
		case r >= 0xff61 && r < 0xffa0: // narrow kana, which any byte can be
			rare++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			frequent++
			kana++
		case unicode.In(r, unicode.Han, unicode.Hangul):
			if first, err := encoder.Bytes([]byte(string(r))); err == nil && first[0] >= c.from && first[0] <= c.to {
				frequent++
			} else {
				rare++
			}
		default:
			rare += 2
		}
	}
	if frequent < 2 || rare > frequent/4 || c.japanese && kana < frequent/8 {
		return 0
	}
	return float64(frequent) / float64(frequent+4*rare)
}

// alphabetic reports whether all of several high bytes are letters in Latin and Cyrillic charsets. Of the bytes of East Asian characters
// a third is none.
func alphabetic(b []byte) bool {
	n := 0
	for _, c := range b {
		if c >= 0x80 && c < 0xc0 {
			return false
		}
		if c >= 0xc0 {
			n++
		}
	}
	return n >= 8
}

// latinLetters counts the high bytes within words, as letters with accents stand there. A letter that follows a high byte is none
// for sure: it may be the second half of a character. So what is counted has two letters after it, or a letter that is no such half
// before it and another one, or the end of the word, after it.
func latinLetters(b []byte) int {
	n := 0
	at := func(i int) byte {
		if i < 0 || i >= len(b) {
			return ' '
		}
		return b[i]
	}
	for i, c := range b {
		if c < 0x80 {
			continue
		}
		before := letter(at(i-1)) && at(i-2) < 0x80
		after := letter(at(i + 1))
		if after && letter(at(i+2)) || before && (after || at(i+1) == ' ') {
			n++
		}
	}
	return n
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// singleByte returns the encoding of text in an alphabet: one of Cyrillic letters where words consist of high bytes, and
// otherwise the western one.
func singleByte(b []byte) encoding.Encoding {
	if !mostlyHigh(b) {
		return charmap.Windows1252
	}
	high, low := 0, 0 // bytes from 0xe0 on, and from 0xc0 on: lower case in Windows-1251 and in KOI8-R
	for _, c := range b {
		switch {
		case c >= 0xe0:
			high++
		case c >= 0xc0:
			low++
		}
	}
	switch { // most letters are in lower case
	case low > high && inCase(b, func(c byte) bool { return c < 0xe0 }):
		return charmap.KOI8R
	case low <= high && inCase(b, func(c byte) bool { return c >= 0xe0 }):
		return charmap.Windows1251
	}
	return charmap.Windows1252
}

// inCase reports whether letters are in upper and lower case as in words: few capitals follow a small letter, and few small letters
// several capitals.
func inCase(b []byte, small func(byte) bool) bool {
	letters, strange, capitals, within := 0, 0, 0, false
	for _, c := range b {
		switch {
		case c < 0xc0:
			capitals, within = 0, false
		case small(c):
			letters++
			if capitals > 1 {
				strange++
			}
			capitals, within = 0, true
		default:
			letters++
			if within {
				strange++
			}
			capitals, within = capitals+1, false
		}
	}
	return strange*10 <= letters
}

// mostlyHigh reports whether most letters are high bytes, several in a row, which they are in no western language.
func mostlyHigh(b []byte) bool {
	high, low, row, longest := 0, 0, 0, 0
	for _, c := range b {
		switch {
		case c >= 0xa0:
			high++
			row++
			longest = max(longest, row)
			continue
		case letter(c):
			low++
		}
		row = 0
	}
	return high > low && longest >= 4
}
