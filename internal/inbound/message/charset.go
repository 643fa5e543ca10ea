package message

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// decodeBytes returns bytes of a charset in UTF-8. Where they are not of that charset, or it is not known, the charset is
// guessed from the bytes.
func decodeBytes(s, label string) string {
	text, _ := decode([]byte(s), label)
	return text
}

// decode also reports whether the label was right.
func decode(b []byte, label string) (text string, right bool) {
	label = normalLabel(label)
	if b, is := bytes.CutPrefix(b, []byte("\xef\xbb\xbf")); is && utf8.Valid(b) {
		return string(b), true
	}
	if !strings.HasPrefix(label, "utf-16") && !strings.HasPrefix(label, "utf-32") && label != "utf-7" && label != "hz-gb-2312" &&
		ascii(b) && bytes.IndexByte(b, 0x1b) < 0 && bytes.IndexByte(b, 0x0e) < 0 {
		return string(b), true
	}
	switch {
	case label == "utf-7":
		return decodeUTF7(b), true
	case label == "iso-2022-kr":
		return decodeShifted(b), true
	case isEscaped(b):
		return must(japanese.ISO2022JP, b), strings.HasPrefix(label, "iso-2022-jp")
	case western(label) && utf8.Valid(b) && !controls(b):
		return string(b), label == "utf-8"
	}
	e := byLabel(label, b)
	if e == nil || label == "us-ascii" || label == "ascii" || label != "utf-8" && western(label) && !deliberate(label) && mostlyHigh(b) {
		return guess(b), false
	}
	text = must(e, b)
	if faults(text) == 0 {
		return text, true
	}
	if other := guess(b); faults(other) < faults(text) {
		return other, false
	}
	return text, false
}

func must(e encoding.Encoding, b []byte) string {
	text, err := e.NewDecoder().Bytes(b)
	if err != nil { // decoders replace what they can't read
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	return string(text)
}

// faults counts the characters that could not be decoded.
func faults(s string) int { return strings.Count(s, "\ufffd") }

var labelJunk = regexp.MustCompile(`^(charset=|cs|x-)|["'\s]`)

// normalLabel returns a charset's name as most programs write it.
func normalLabel(label string) string {
	label = strings.ToLower(strings.TrimSpace(label))
	label = labelJunk.ReplaceAllString(label, "")
	switch label {
	case "", "unknown", "unknown-8bit", "8bit", "default", "none", "user-defined", "binary":
		return ""
	case "utf8", "utf-8mb4", "unicode-1-1-utf-8", "utf-8-mac", "utf8mb4":
		return "utf-8"
	case "utf7", "unicode-1-1-utf-7", "unicode-2-0-utf-7":
		return "utf-7"
	case "hz", "hz-gb":
		return "hz-gb-2312"
	case "cp932", "ms932", "windows-932":
		return "shift_jis"
	case "cp936", "ms936", "gb", "gb18030-2000":
		return "gb18030"
	case "cp949", "ms949", "uhc":
		return "euc-kr"
	case "cp950":
		return "big5"
	}
	return label
}

// western reports whether programs write a label when they know nothing of charsets.
func western(label string) bool {
	switch label {
	case "", "utf-8", "us-ascii", "ascii", "ansi_x3.4-1968", "iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252", "iso-8859-15", "windows-1250", "iso-8859-2":
		return true
	}
	return byLabel(label, nil) == nil
}

// deliberate reports whether no program writes a label that it doesn't mean: one of letters that few languages have.
func deliberate(label string) bool {
	return label == "iso-8859-15" || label == "windows-1250" || label == "iso-8859-2"
}

// byLabel returns the encoding of a label; nil: not known.
func byLabel(label string, b []byte) encoding.Encoding {
	switch label {
	case "utf-8":
		return unicode.UTF8
	case "gb2312", "gbk", "gb_2312-80", "euc-cn":
		return simplifiedchinese.GB18030 // which contains the others
	case "hz-gb-2312":
		return simplifiedchinese.HZGB2312
	case "utf-16":
		return unicode.UTF16(utf16Order(b), unicode.UseBOM)
	case "utf-16le":
		return unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	case "utf-16be":
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
	case "utf-32", "utf-32be":
		return utf32.UTF32(utf32.BigEndian, utf32.UseBOM)
	case "utf-32le":
		return utf32.UTF32(utf32.LittleEndian, utf32.UseBOM)
	case "cp437", "ibm437":
		return charmap.CodePage437
	case "cp850", "ibm850":
		return charmap.CodePage850
	case "cp858":
		return charmap.CodePage858
	case "cp865":
		return charmap.CodePage865
	}
	e, name := charset.Lookup(label)
	if name == "replacement" {
		return nil
	}
	return e
}

// utf16Order is the order of bytes in text without a byte order mark: most zeros are in the high bytes.
func utf16Order(b []byte) unicode.Endianness {
	even := 0
	for i := 0; i+1 < len(b) && i < 1000; i += 2 {
		if b[i] == 0 {
			even++
		}
		if b[i+1] == 0 {
			even--
		}
	}
	if even < 0 {
		return unicode.LittleEndian
	}
	return unicode.BigEndian
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// controls reports whether UTF-8 contains controls that text never has, so that it is none: they look like the letters of
// older charsets.
func controls(b []byte) bool {
	for _, c := range string(b) {
		if c >= 0x80 && c < 0xa0 && c != 0x85 {
			return true
		}
	}
	return false
}

// isEscaped reports whether text is in ISO-2022-JP, whatever it is called: it shifts by escape sequences.
func isEscaped(b []byte) bool {
	if !ascii(b) {
		return false
	}
	for _, shift := range []string{"\x1b$B", "\x1b$@", "\x1b(J", "\x1b(I"} {
		if bytes.Contains(b, []byte(shift)) {
			return true
		}
	}
	return false
}
