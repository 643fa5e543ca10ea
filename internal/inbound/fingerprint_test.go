package inbound

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func fingerprintOf(t *testing.T, mail string) string {
	t.Helper()
	return fingerprintFrom(t, strings.NewReader(mail))
}

func fingerprintFrom(t *testing.T, mail io.Reader) string {
	t.Helper()
	f := newFingerprint()
	if _, err := io.Copy(f, mail); err != nil {
		t.Fatal(err)
	}
	return string(f.Sum())
}

const plainMail = "Subject: Hello\r\nFrom: ann@example.com\r\nX-Long: one\r\n two\r\n\r\nReceived: is a word here\r\n\r\nBye\r\n"

func TestFingerprint_isThatOfTheSameMailByAnotherWay(t *testing.T) {
	t.Parallel()
	want := fingerprintOf(t, plainMail)
	for name, same := range map[string]string{
		"other line ends":     strings.ReplaceAll(plainMail, "\r\n", "\n"),
		"no last line end":    strings.TrimSuffix(plainMail, "\r\n"),
		"empty lines at end":  plainMail + "\r\n\r\n",
		"more trace headers":  "Return-Path: <ann@example.com>\r\nDelivered-To: support@example.com\r\n" + plainMail,
		"folded trace header": "RECEIVED : from a\r\n by b;\r\n\ttoday\r\n" + plainMail,
		"long trace header":   "Received: " + strings.Repeat("x", 3*maxLine) + "\r\n " + strings.Repeat("y", 3*maxLine) + "\r\n" + plainMail,
	} {
		if fingerprintOf(t, same) != want {
			t.Errorf("%s: another fingerprint", name)
		}
	}
	if fingerprintFrom(t, iotest.OneByteReader(strings.NewReader(plainMail))) != want {
		t.Error("read byte by byte: another fingerprint")
	}
}

func TestFingerprint_isAnotherForAnotherMail(t *testing.T) {
	t.Parallel()
	seen := map[string]string{fingerprintOf(t, plainMail): "the mail"}
	for name, other := range map[string]string{
		"subject":                  strings.Replace(plainMail, "Hello", "Hallo", 1),
		"continuation of a header": strings.Replace(plainMail, " two", " three", 1),
		"body":                     strings.Replace(plainMail, "Bye", "By", 1),
		"trace header in the body": strings.Replace(plainMail, "is a word", "was a word", 1),
		"empty line in the body":   strings.Replace(plainMail, "\r\n\r\nBye", "\r\n\r\n\r\nBye", 1),
		"a header more":            "X-Received-By: me\r\n" + plainMail,
		"end of a long line":       strings.Replace(plainMail, "Bye", "Bye"+strings.Repeat("x", 2*maxLine)+"a", 1),
		"end of another long line": strings.Replace(plainMail, "Bye", "Bye"+strings.Repeat("x", 2*maxLine)+"b", 1),
	} {
		f := fingerprintOf(t, other)
		if seen[f] != "" {
			t.Errorf("%s: the same fingerprint as %s", name, seen[f])
		}
		seen[f] = name
	}
}

func FuzzFingerprint(f *testing.F) {
	f.Add([]byte(plainMail), 7)
	f.Fuzz(func(t *testing.T, mail []byte, cut int) {
		whole, parts := newFingerprint(), newFingerprint()
		_, _ = whole.Write(mail)
		cut = min(max(cut, 0), len(mail))
		_, _ = parts.Write(mail[:cut])
		_, _ = parts.Write(mail[cut:])
		if !bytes.Equal(whole.Sum(), parts.Sum()) {
			t.Errorf("cut at %d: another fingerprint", cut)
		}
	})
}
