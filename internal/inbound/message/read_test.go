package message_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

// read reads a mail whose lines end with LF here, and returns it with the contents of its files.
func read(t *testing.T, mail string) (message.Message, []string) {
	t.Helper()
	var contents []string
	m, err := message.Read(t.Context(), strings.NewReader(strings.ReplaceAll(mail, "\n", "\r\n")), func(f message.File, r io.Reader) error {
		content, err := io.ReadAll(r)
		if f.N != len(contents) {
			t.Errorf("file %d is number %d", len(contents), f.N)
		}
		contents = append(contents, string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m, contents
}

func TestRead_returnsWordsAndFilesOfAnOrdinaryMail(t *testing.T) {
	m, files := read(t, `From: "Ada Lovelace" <ada@example.org>
To: help@desk.example, =?utf-8?q?J=C3=BCrgen?= <j@desk.example>
Subject: =?utf-8?b?R3LDvMOfZQ==?=
Date: Mon, 2 Feb 2026 10:00:00 +0100
Message-ID: <1@example.org>
In-Reply-To: <0@desk.example>
References: <first@desk.example>
 <0@desk.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

It is broken =E2=80=94 please he=
lp.
--inner
Content-Type: text/html; charset=utf-8

<p>It is <b>broken</b></p>
--inner--
--outer
Content-Type: image/png; name="screen.png"
Content-Disposition: attachment; filename="screen.png"
Content-Transfer-Encoding: base64

aGVsbG8=
--outer--
`)
	if m.Text != "It is broken — please help." || m.HTML != "<p>It is <b>broken</b></p>" || m.Subject != "Grüße" {
		t.Errorf("words: %q, %q, %q", m.Text, m.HTML, m.Subject)
	}
	if len(files) != 1 || files[0] != "hello" || m.Files[0].Name != "screen.png" || m.Files[0].Type != "image/png" {
		t.Errorf("files: %+v, %q", m.Files, files)
	}
	if len(m.To) != 2 || m.To[1].Name != "Jürgen" || m.From[0].Name != "Ada Lovelace" || m.From[0].Address != "ada@example.org" {
		t.Errorf("people: %v, %v", m.From, m.To)
	}
	if m.MessageID != "1@example.org" || strings.Join(m.References, " ") != "first@desk.example 0@desk.example" {
		t.Errorf("thread: %q, %q", m.MessageID, m.References)
	}
	if len(m.Problems) != 0 {
		t.Errorf("problems: %q", m.Problems)
	}
}

func TestRead_readsDatesAsProgramsWriteThem(t *testing.T) {
	for _, written := range []string{
		"Mon, 2 Feb 2026 10:00:00 +0000", "Mon,2 Feb 2026 10:00:00 +0000", "Mon 2 Feb 2026 10:00:00 AM UTC", "Mon, 2 February 2026 10:00:00 +0000",
		"Mon, 02 Feb 2026 10:00", "Monday, February 02, 2026 10:00 AM", "02-02-2026 10:00", "2.2.2026 10:00", "2 Feb 2026 11:00:00 AM +0100",
	} {
		m, _ := read(t, "From: ada@example.org\nDate: "+written+"\n\nHello\n")
		if !m.Date.Equal(time.Date(2026, 2, 2, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("%s is %v", written, m.Date)
		}
	}
}

func TestRead_returnsTheErrorsOfOthers(t *testing.T) {
	full := errors.New("no space left")
	const mail = "From: a@example.org\nContent-Type: image/png\n\nx\n"
	_, err := message.Read(t.Context(), strings.NewReader(mail), func(message.File, io.Reader) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("sink's error became %v", err)
	}
	_, err = message.Read(t.Context(), strings.NewReader(" \r\n\r\n"), nil)
	if !errors.Is(err, message.ErrEmpty) {
		t.Errorf("an empty mail: %v", err)
	}
	broken := io.MultiReader(strings.NewReader(mail), failing{full})
	_, err = message.Read(t.Context(), broken, func(_ message.File, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
	if !errors.Is(err, full) {
		t.Errorf("the source's error became %v", err)
	}
}

// Wherever the source fails, the mail is not taken for one that ends there.
func TestRead_returnsTheErrorOfTheSourceWhereverItFails(t *testing.T) {
	broken := errors.New("connection reset")
	for _, kind := range []string{"winmail", "smime-opaque", "mail-attached", "uuencode", "calendar-only", "multipart-in-base64", "names-in-both-forms", "report"} {
		raw, err := os.ReadFile("testdata/" + kind + ".eml")
		if err != nil {
			t.Fatal(err)
		}
		for n := range raw {
			_, err := message.Read(t.Context(), io.MultiReader(bytes.NewReader(raw[:n]), failing{broken}), func(_ message.File, r io.Reader) error {
				_, err := io.Copy(io.Discard, r)
				return err
			})
			if !errors.Is(err, broken) {
				t.Fatalf("%s cut off at %d: error %v", kind, n, err)
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
