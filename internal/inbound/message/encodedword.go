package message

import (
	"io"
	"strings"
)

// DecodeHeader returns a header's value in UTF-8, with the encoded words of RFC 2047 decoded, also those that break its
// rules in a way that is known.
func DecodeHeader(value string) string { return decodeHeader(value, "utf-8") }

func decodeHeader(value, hint string) string {
	decoded := decodeWords(value, hint)
	if strings.Contains(decoded, "=?") && strings.Contains(decoded, "?=") { // some programs encode words again
		return decodeWords(decoded, "utf-8")
	}
	return decoded
}

func decodeWords(value, hint string) string {
	if !strings.Contains(value, "=?") {
		return decodeBytes(value, hint)
	}
	var out strings.Builder
	var last word // the words that follow one another are decoded together, since they may split a character
	flush := func() {
		if last.is {
			out.WriteString(decodeBytes(last.bytes, last.charset))
		}
		last = word{}
	}
	for value != "" {
		i := strings.Index(value, "=?")
		if i < 0 {
			break
		}
		w, rest := cutWord(value[i:])
		between := value[:i]
		if !w.is {
			flush()
			out.WriteString(decodeBytes(between+"=?", hint))
			value = value[i+2:]
			continue
		}
		switch {
		case last.is && strings.TrimSpace(between) == "" && strings.EqualFold(last.charset, w.charset):
			last.bytes += w.bytes
		case last.is && strings.TrimSpace(between) == "":
			flush()
			last = w
		default:
			flush()
			out.WriteString(decodeBytes(between, hint))
			last = w
		}
		value = rest
	}
	flush()
	out.WriteString(decodeBytes(value, hint))
	return out.String()
}

// word is an encoded word.
type word struct {
	is      bool
	charset string
	bytes   string
}

// cutWord reads the encoded word that s begins with: =?charset?encoding?text?=
func cutWord(s string) (w word, rest string) {
	parts := strings.SplitN(s[2:], "?", 3)
	if len(parts) < 3 || len(parts[0]) == 0 || len(parts[0]) > 60 {
		return word{}, s
	}
	charset, _, _ := strings.Cut(parts[0], "*") // a language may follow
	text, after, is := strings.Cut(parts[2], "?=")
	if !is { // not closed: up to the next space
		text, after, _ = strings.Cut(parts[2], " ")
		if after != "" {
			after = " " + after
		}
	}
	switch strings.TrimSpace(parts[1]) {
	case "b", "B":
		decoded, _ := io.ReadAll(newBase64(strings.NewReader(text))) // a string can be read
		return word{true, charset, string(decoded)}, after
	case "q", "Q":
		return word{true, charset, decodeQ(text)}, after
	}
	return word{}, s
}

func decodeQ(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			b.WriteByte(' ')
		case s[i] == '=' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			b.WriteByte(byte(unhex(s[i+1])<<4 | unhex(s[i+2])))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
