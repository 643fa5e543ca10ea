package inbound

import (
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// flat is a text without what breaks links and addresses: spaces and line breaks, marks of quotation, characters without width,
// soft line breaks. What is encoded is decoded. Of
//
//	See https://desk.example/c/%41bc=
//	> def today
//
// the chars are "Seehttps://desk.example/c/Abcdeftoday", and that of "A" is at the percent sign. A token is found in the chars; what is
// redacted are the bytes of the text that spell it.
type flat struct {
	text  string
	chars []byte  // ASCII
	at    []int32 // where each of chars is in the text: the first of the bytes that spell it
	spell spelling
	html  bool
}

// spelling is how links may be spelled in a text, besides percent-encoding, once or more, and character references.
type spelling uint8

const (
	plain      spelling = iota
	printable           // quoted-printable, as in the source of a mail: "=2D" for a hyphen
	proofpoint          // as in the links of this gateway: "-2D" for a hyphen, and "_" for a slash
)

var (
	printableSigns  = regexp.MustCompile(`=(?:2[BDF]|3[AD]|40|5F)`)
	proofpointSigns = regexp.MustCompile(`(?i)-(?:3A|2F|2D|5F)`)
)

// spellings returns how links may be spelled in a text. A sign that may be spelled in another way has the text searched once more:
// "/c/a=2Db" is "/c/a-b" in quoted-printable and, with an equals sign that breaks it, "/c/a2Db" otherwise.
func spellings(text string) []spelling {
	all := []spelling{plain}
	if printableSigns.MatchString(text) {
		all = append(all, printable)
	}
	if proofpointSigns.MatchString(text) {
		all = append(all, proofpoint)
	}
	return all
}

// barrier stands for what is no part of a link and does not merely break one, such as "é" or a control character: "abcédef" contains
// no token "abcdef".
const barrier = '"'

// flatten returns a text without what breaks links, see flat. In HTML, it leaves out the tags: "/c/ab<wbr>cd" has the chars "/c/abcd".
func flatten(text string, s spelling, isHTML bool) flat {
	f := flat{text: text, spell: s, html: isHTML, chars: make([]byte, 0, len(text)), at: make([]int32, 0, len(text))}
	for i := 0; i < len(text); {
		char, size := f.next(i)
		if char != 0 {
			f.chars, f.at = append(f.chars, char), append(f.at, int32(i)) //nolint:gosec // texts are of a few MiB
		}
		i += size
	}
	return f
}

// next returns the character at a byte of the text, or 0 if it is left out, and how many bytes spell it: at "&#45;x" '-' and 5, at "%2Fx"
// '/' and 3, at a line break 0 and 1.
func (f *flat) next(i int) (char byte, size int) {
	rest := f.text[i:]
	switch c := rest[0]; {
	case f.html && c == '<':
		if end := strings.IndexByte(rest, '>'); end > 0 {
			return 0, end + 1
		}
		return barrier, 1
	case c == '%':
		if decoded, size := percent(rest); size > 0 && decoded < utf8.RuneSelf {
			return kept(rune(decoded)), size
		} else if size > 0 { // of a character without width, perhaps
			return 0, size
		}
	case c == '=' && f.spell == printable, c == '-' && f.spell == proofpoint:
		if decoded, is := hex(rest[1:]); is {
			return kept(rune(decoded)), 3
		}
	case c == '_' && f.spell == proofpoint:
		return '/', 1
	case c == '&':
		if end := strings.IndexByte(rest[:min(len(rest), 10)], ';'); end > 0 {
			if decoded := html.UnescapeString(rest[:end+1]); decoded != rest[:end+1] {
				r, _ := utf8.DecodeRuneInString(decoded)
				return kept(r), end + 1
			}
		}
	}
	r, size := utf8.DecodeRuneInString(rest)
	return kept(r), size
}

// kept returns what a decoded character is among the chars: itself if links may contain it, 0 if programs insert it into links (spaces,
// ">", soft hyphens), and otherwise a barrier.
func kept(r rune) byte {
	switch {
	case unicode.IsSpace(r), r >= 0x80 && (unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Z, r)), strings.ContainsRune(`=>|\`, r):
		return 0
	case r <= ' ' || r >= 0x7f:
		return barrier
	}
	return byte(r)
}

// percent decodes the character that s begins with and that is percent-encoded, once or more: '/' and 3 for "%2F", '/' and 5 for "%252F".
// The size is 0 if s begins with no encoded character.
func percent(s string) (decoded byte, size int) {
	at := 1
	for strings.HasPrefix(s[at:], "25") && at < 40 {
		at += 2
	}
	for ; at >= 1; at -= 2 { // "%25" alone is a percent sign
		if decoded, is := hex(s[at:]); is {
			return decoded, at + 2
		}
	}
	return 0, 0
}

// hex returns the byte that the first two digits of s spell: '/' for "2Fx".
func hex(s string) (byte, bool) {
	if len(s) < 2 {
		return 0, false
	}
	high, low := strings.IndexByte(hexDigits, s[0]|0x20), strings.IndexByte(hexDigits, s[1]|0x20)
	return byte(high<<4 | low), high >= 0 && low >= 0
}

const hexDigits = "0123456789abcdef"

func isTokenByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '-' || c == '_'
}

// row returns how many characters of a token follow one another in the text from one of chars on, without anything that breaks them.
// From "a" on it is 3 for "abc/def", and for "abc" and "def" on two lines, of which the chars are "abcdef".
func (f *flat) row(from int) int {
	i := from
	for ; i < len(f.chars) && isTokenByte(f.chars[i]); i++ {
		if i > from && int(f.at[i]) != f.end(i-1) {
			break
		}
	}
	return i - from
}

// end returns the byte of the text after those that spell one of chars: 3 for that of "%2Fx" at 0.
func (f *flat) end(i int) int {
	_, size := f.next(int(f.at[i]))
	return int(f.at[i]) + size
}

// around returns the bytes of the text that spell the chars between two, with those before and after them that belong to the same link
// or address: of "(see https://desk.example/c/TOKEN?a=1)." all from "https" to "a=1", given where TOKEN is among the chars.
func (f *flat) around(from, to int, belongs func(byte) bool) [2]int {
	first, last := int(f.at[from]), f.end(to-1)
	for first > 0 && belongs(f.text[first-1]) && !f.endsReference(first) {
		first--
	}
	end := last
	for end < len(f.text) && belongs(f.text[end]) && !f.beginsReference(end) {
		end++
	}
	for end > last && strings.IndexByte(".,;:!?", f.text[end-1]) >= 0 { // of the sentence
		end--
	}
	return [2]int{first, end}
}

var delimiters = []string{"&lt;", "&gt;", "&#34;", "&#39;"}

// endsReference reports whether a sign that ends a link is written before a byte of HTML as a reference: "&lt;" before the h of
// "&lt;https://desk.example/".
func (f *flat) endsReference(i int) bool {
	for _, d := range delimiters {
		if f.html && strings.HasSuffix(f.text[:i], d) {
			return true
		}
	}
	return false
}

// beginsReference reports the same of the bytes from one on: "&gt;" after "/c/TOKEN".
func (f *flat) beginsReference(i int) bool {
	for _, d := range delimiters {
		if f.html && strings.HasPrefix(f.text[i:], d) {
			return true
		}
	}
	return false
}

func isURLByte(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`<>"'()[]{}|\^`+"`", c) < 0
}

func isAddressByte(c byte) bool { return isTokenByte(c) || strings.IndexByte(".+@%", c) >= 0 }

func isIDByte(c byte) bool { return isAddressByte(c) || c == '<' || c == '>' }

// broken returns the parts of a token that is damaged from one of chars on, as by a program that wraps and indents the lines of a link:
// the first row of characters, and those that follow within the length of a token and are no words. Of
//
//	/c/AbCdEf0123456789
//	Hello GhIjKl
//
// it redacts "AbCdEf0123456789" with its link, and "GhIjKl".
func (f *flat) broken(from, size int) finding {
	row := f.row(from)
	found := finding{parts: [][2]int{f.around(from, from+row, isURLByte)}, replacement: linkRemoved}
	for i := from + row; i < len(f.chars) && i < from+size+longToken/4 && row < size; {
		n := f.row(i)
		if n == 0 {
			i++
			continue
		}
		if random(f.chars[i : i+n]) {
			found.parts = append(found.parts, [2]int{int(f.at[i]), f.end(i + n - 1)})
			row += n
		}
		i += n
	}
	return found
}

// number is what looks random and is known to all who are of a ticket.
var number = regexp.MustCompile(`^[0-9A-Z]{1,8}-[0-9A-Z]{10}$`)

// random reports whether characters are rather of a token than of a word, as "xK9dPq2LmZ" and "GhIjKl" are, and "Tuesday", "iPhone",
// "2026" and a ticket's number are not.
func random(chars []byte) bool {
	if number.Match(chars) {
		return false
	}
	var lower, upper, digits, changes int
	for i, c := range chars {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'A' <= c && c <= 'Z':
			if upper++; i > 0 && 'a' <= chars[i-1] && chars[i-1] <= 'z' {
				changes++
			}
		case 'a' <= c && c <= 'z':
			lower++
		}
	}
	return len(chars) >= 6 && (digits > 0 && lower+upper > 0 && len(chars) >= 10 || changes >= 2)
}
