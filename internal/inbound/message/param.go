package message

import (
	"slices"
	"strconv"
	"strings"
)

// parameters splits a field such as Content-Type into its value, in lower case, and its parameters, decoded (RFC 2231, and
// the words of RFC 2047 that many programs write there). Of a parameter that repeats the first one counts.
func parameters(field, hint string) (value string, params map[string]string) {
	if len(field) > maxParameter {
		field = field[:maxParameter]
	}
	value, rest := cutUnquoted(field, ';')
	value = strings.ToLower(strings.TrimSpace(value))
	plain, pieces := map[string]string{}, map[string][]piece{}
	for rest != "" {
		var one string
		one, rest = cutUnquoted(rest, ';')
		name, v, is := strings.Cut(one, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !is || name == "" {
			continue
		}
		v = unquote(strings.TrimSpace(v))
		base, p, split := splitName(name, v)
		if split {
			pieces[base] = append(pieces[base], p)
		} else if _, twice := plain[name]; !twice {
			plain[name] = DecodeHeader(decodeBytes(v, hint))
		}
	}
	for name, all := range pieces { // they win, being the exact form
		plain[name] = joinPieces(all, hint)
	}
	return value, plain
}

// piece is a part of a parameter's value: name*2*=...
type piece struct {
	n       int
	encoded bool
	value   string
}

func splitName(name, value string) (base string, p piece, is bool) {
	base, rest, is := strings.Cut(name, "*")
	if !is || base == "" {
		return name, piece{}, false
	}
	number, star := strings.CutSuffix(rest, "*")
	if rest == "" {
		star = true
	}
	n := 0
	if number != "" {
		var err error
		if n, err = strconv.Atoi(number); err != nil {
			return name, piece{}, false
		}
	}
	return base, piece{n, star, value}, true
}

func joinPieces(all []piece, hint string) string {
	slices.SortStableFunc(all, func(a, b piece) int { return a.n - b.n })
	charset, text := "", ""
	for i, p := range all {
		if i > 0 && p.n == all[i-1].n {
			continue
		}
		v := p.value
		if p.encoded {
			if i == 0 {
				charset, v = cutCharset(v)
			}
			v = unescapePercent(v)
		}
		text += v
	}
	if charset == "" {
		return DecodeHeader(decodeBytes(text, hint))
	}
	return decodeBytes(text, charset)
}

// cutCharset cuts charset'language' off a value. Some programs leave out the language with its apostrophe.
func cutCharset(s string) (charset, value string) {
	before, after, is := strings.Cut(s, "'")
	if !is {
		return "", s
	}
	if _, rest, is := strings.Cut(after, "'"); is {
		return before, rest
	}
	if byLabel(normalLabel(before), nil) != nil {
		return before, after
	}
	return "", s
}

func unescapePercent(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0 {
			b.WriteByte(byte(unhex(s[i+1])<<4 | unhex(s[i+2])))
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// cutUnquoted cuts at the first separator outside of quotes. Quotes that do not end quote nothing.
func cutUnquoted(s string, separator byte) (before, after string) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case separator:
			return s[:i], s[i+1:]
		case '"':
			if end := quotedEnd(s[i+1:]); end >= 0 {
				i += end + 1
			}
		}
	}
	return s, ""
}

// quotedEnd returns the index of the quote that ends a quoted string; -1: none.
func quotedEnd(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return -1
}

// unquote returns what a quoted string means, and leaves anything else as it is. A backslash in front of a letter stays:
// it is one of a path on Windows.
func unquote(s string) string {
	inner, is := strings.CutPrefix(s, `"`)
	if !is {
		return strings.Trim(s, `'"`)
	}
	if end := quotedEnd(inner); end >= 0 {
		inner = inner[:end]
	}
	var b strings.Builder
	for i := 0; i < len(inner); i++ {
		if inner[i] == '\\' && i+1 < len(inner) && (inner[i+1] == '"' || inner[i+1] == '\\') {
			i++
		}
		b.WriteByte(inner[i])
	}
	return b.String()
}
