package message

import (
	"bytes"
	"encoding/base64"
	"unicode/utf16"

	"golang.org/x/text/encoding/korean"
)

// decodeUTF7 decodes UTF-7 (RFC 2152).
func decodeUTF7(b []byte) string {
	var out bytes.Buffer
	for len(b) > 0 {
		plain, rest, shifted := bytes.Cut(b, []byte("+"))
		out.Write(plain)
		if !shifted {
			break
		}
		end := 0
		for end < len(rest) && sextet(rest[end]) >= 0 {
			end++
		}
		coded := rest[:end]
		rest, _ = bytes.CutPrefix(rest[end:], []byte("-"))
		if end == 0 {
			out.WriteByte('+')
		}
		writeUTF16(&out, coded)
		b = rest
	}
	return string(bytes.ToValidUTF8(out.Bytes(), []byte("\ufffd")))
}

func writeUTF16(out *bytes.Buffer, coded []byte) {
	units := make([]byte, base64.RawStdEncoding.DecodedLen(len(coded)))
	n, _ := base64.RawStdEncoding.Decode(units, coded) // as far as it goes: the last bits may be none
	var text []uint16
	for i := 0; i+1 < n; i += 2 {
		text = append(text, uint16(units[i])<<8|uint16(units[i+1]))
	}
	out.WriteString(string(utf16.Decode(text)))
}

// decodeShifted decodes ISO-2022-KR (RFC 1557), which is EUC-KR in seven bits between two shifts.
func decodeShifted(b []byte) string {
	const shiftOut, shiftIn = 0x0e, 0x0f
	high, out := byte(0), make([]byte, 0, len(b))
	b = bytes.ReplaceAll(b, []byte("\x1b$)C"), nil)
	for _, c := range b {
		switch {
		case c == shiftOut:
			high = 0x80
		case c == shiftIn, c == '\n':
			high = 0
		}
		if c != shiftOut && c != shiftIn {
			if c > ' ' {
				c |= high
			}
			out = append(out, c)
		}
	}
	return must(korean.EUCKR, out)
}
