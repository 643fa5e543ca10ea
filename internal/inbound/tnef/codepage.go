package tnef

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// labels are the charsets of code pages that are not called windows-N.
var labels = map[int]string{
	437: "ibm437", 850: "ibm850", 866: "ibm866", 932: "shift_jis", 936: "gb18030", 949: "euc-kr", 950: "big5", 10000: "macintosh",
	20866: "koi8-r", 21866: "koi8-u", 20932: "euc-jp", 50220: "iso-2022-jp", 50221: "iso-2022-jp", 51932: "euc-jp", 51949: "euc-kr",
	52936: "hz-gb-2312", 54936: "gb18030", 65001: "utf-8", 20127: "us-ascii",
}

// decodeHTML returns HTML of a code page in UTF-8, which it may be already, whatever its code page is said to be.
func decodeHTML(b []byte, page int) string {
	b = bytes.TrimRight(b, "\x00")
	shifts := page == 50220 || page == 50221 || page == 52936 // in bytes of ASCII
	if utf8.Valid(b) && !shifts {
		return string(b)
	}
	return decode(b, page)
}

// decode returns bytes of a code page in UTF-8.
func decode(b []byte, page int) string {
	label, known := labels[page]
	switch {
	case known:
	case page >= 28591 && page <= 28606:
		label = "iso-8859-" + strconv.Itoa(page-28590)
	default:
		label = "windows-" + strconv.Itoa(page)
	}
	e, _ := charset.Lookup(label)
	if e == nil {
		e, _ = charset.Lookup("windows-1252")
	}
	if label == "utf-8" && utf8.Valid(b) {
		return string(b)
	}
	text, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return strings.ToValidUTF8(string(b), "\ufffd")
	}
	return string(text)
}
