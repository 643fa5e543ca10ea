package inbound

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
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
	return string(f.Sum(time.Time{}))
}

const plainMail = "Subject: Hello\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nFrom: ann@example.com\r\nX-Long: one\r\n two\r\n\r\nReceived: is a word here\r\n\r\nBye\r\n"

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

// A program may report the same every day, and a mail server may try the same mail again.
func TestFingerprint_ofMailsWithoutDateAndMessageIDSaysWhichAreTheSame(t *testing.T) {
	t.Parallel()
	const alarm = "From: disk@example.com\r\nSubject: Disk full\r\n\r\nThe disk is full.\r\n"
	const date, id = "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n", "Message-ID: <1@example.com>\r\n"
	received := func(ids ...string) (all string) {
		for _, id := range ids {
			all += "Received: by mx.example.com (Postfix)\r\n\tid " + id + "; Mon, 23 Nov 2026 10:00:00 +0000\r\n"
		}
		return all
	}
	today := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	later, tomorrow := today.Add(13*time.Hour), today.Add(14*time.Hour)
	of := func(mail string, day time.Time) string {
		f := newFingerprint()
		_, _ = f.Write([]byte(mail))
		return string(f.Sum(day))
	}
	for name, c := range map[string]struct {
		first, second string
		at            time.Time
		same          bool
	}{
		"from a program, on the same day":         {alarm, alarm, later, true},
		"from a program, on the next day":         {alarm, alarm, tomorrow, false},
		"once more by the same mail server":       {received("A") + alarm, received("A") + alarm, tomorrow, true},
		"another one by the same mail server":     {received("A") + alarm, received("B") + alarm, later, false},
		"with another server before it":           {received("B", "A") + alarm, received("C", "A") + alarm, later, false},
		"the same Date by another way":            {received("A") + date + alarm, received("B") + date + alarm, tomorrow, true},
		"the same Message-ID by another way":      {received("A") + id + alarm, received("B") + id + alarm, tomorrow, true},
		"the same Date, directly":                 {date + alarm, date + alarm, tomorrow, true},
		"a Date in the text does not make it one": {alarm + date, alarm + date, tomorrow, false},
	} {
		if same := of(c.first, today) == of(c.second, c.at); same != c.same {
			t.Errorf("%s: the same %t", name, same)
		}
	}
	if first, again := of(alarm, time.Time{}), of(alarm, time.Time{}); first != again {
		t.Error("a mailbox that is read again has another mail")
	}
}

func TestFingerprint_collectsWhatTheMailAnswers(t *testing.T) {
	t.Parallel()
	const token, folded, id = "support+hm7q2k9xm4td@example.com", "support+other@example.com", "hm-7q2k9xm4td.3.m0123456789abcdef@example.com"
	mail := "From: ann+sales@example.com\r\nTO: \"Support, <x>\" <" + token + ">,\r\n " + folded + ",\r\n\tplain@example.com\r\nSubject: " + token + "\r\n" +
		"X-Forwarded-To: " + token + "\r\nReferences: <1@client.example>\r\n <" + id + ">\r\n\r\nTo: " + token + "\r\n"
	for name, r := range map[string]io.Reader{"at once": strings.NewReader(mail), "byte by byte": iotest.OneByteReader(strings.NewReader(mail))} {
		f := newFingerprint()
		if _, err := io.Copy(f, r); err != nil {
			t.Fatal(err)
		}
		if got, want := f.Answers(), []string{token, folded, token, id}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	f := newFingerprint()
	_, _ = f.Write([]byte("To: " + strings.Repeat(token+",\r\n ", 10_000) + "\r\n\r\n"))
	if n := len(f.Answers()); n != maxAddressed || len(f.answers) > maxAnswers {
		t.Errorf("%d of ten thousand, from %d bytes", n, len(f.answers))
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
		if !bytes.Equal(whole.Sum(time.Time{}), parts.Sum(time.Time{})) {
			t.Errorf("cut at %d: another fingerprint", cut)
		}
	})
}
