package message_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

const start = "From: ada@example.org\r\nDate: Mon, 2 Feb 2026 10:00:00 +0100\r\n"

// repeat reads a text as often as is needed for a size, so that the test holds no large mail.
type repeat struct {
	text string
	left int
	at   int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), r.left)]
	for n := 0; n < len(p); {
		copied := copy(p[n:], r.text[r.at:])
		r.at, n = (r.at+copied)%len(r.text), n+copied
	}
	r.left -= len(p)
	return len(p), nil
}

// peak returns the most that was allocated and in use while a mail was read, beyond what was before.
func peak(t *testing.T, mail io.Reader) (more uint64, m message.Message, size int64) {
	t.Helper()
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapAlloc, uint64(0)
	unmeasured := 0
	measured := readerFunc(func(p []byte) (int, error) {
		n, err := mail.Read(p)
		if unmeasured += n; unmeasured > 2<<20 || err != nil {
			unmeasured = 0
			runtime.GC()
			runtime.ReadMemStats(&stats)
			most = max(most, stats.HeapAlloc)
		}
		return n, err
	})
	m, err := message.Read(t.Context(), measured, func(_ message.File, r io.Reader) error {
		n, err := io.Copy(io.Discard, r)
		size += n
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return most - min(most, before), m, size
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A mail of up to 25 MiB, in each form that could be kept as a whole, takes a few megabytes.
func TestRead_boundsItsMemory(t *testing.T) {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	multipart := start + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	for name, c := range map[string]struct {
		head, body string
		limit      uint64 // in MiB
		size       int    // in MiB; less where there are many parts or lines
	}{
		"file":             {multipart + "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n", line, 2, 25},
		"one long line":    {multipart + "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n", "QUJD", 2, 25},
		"quoted-printable": {multipart + "Content-Type: image/png\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", "=41=42=43=", 2, 25},
		"text":             {start + "\r\n", "A line of text.\r\n", 6, 25},
		"html":             {start + "Content-Type: text/html\r\n\r\n", "<p>A line of <b>text</b>.</p>\r\n", 12, 25},
		"header":           {start + "Subject: ", strings.Repeat("x", 70) + "\r\n ", 2, 5},
		"many fields":      {start, "X-Field: value\r\n", 2, 5},
		"one field":        {start + "Subject: ", "x", 2, 5},
		"preamble":         {multipart[:len(multipart)-5], "A line.\r\n", 2, 25},
		"boundary lines":   {multipart, "--b\r\n", 2, 5},
		"closing lines":    {multipart, "--b--\r\n", 2, 5},
		"text parts":       {multipart, "\r\n\r\nwords\r\n--b\r\n", 8, 5},
		"files":            {multipart, "Content-Type: image/png\r\n\r\nx\r\n--b\r\n", 4, 5},
		"reports":          {multipart, "Content-Type: message/delivery-status\r\n\r\nx\r\n--b\r\n", 4, 5},
		"attached mail":    {multipart + "Content-Type: message/rfc822\r\n\r\n", "Subject: x\r\n", 2, 25},
		"s/mime":           {start + "Content-Type: application/pkcs7-mime\r\n\r\n", "0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 14, 25},
		"winmail.dat":      {start + "Content-Type: application/ms-tnef\r\n\r\n", "\x78\x9f\x3e\x22\x01\x00\x02\x0f\x80\x06\x00\xff\xff\xff\x7f", 2, 25},
		"calendar":         {start + "Content-Type: text/calendar\r\n\r\nBEGIN:VEVENT\r\n", "SUMMARY:x\r\n ", 4, 25},
		"uuencode":         {start + "\r\nbegin 644 x\r\n", "#0V%T\r\n", 2, 5},
		"addresses":        {start + "To: ", "a@example.org, ", 2, 5},
		"nested":           {start + "Content-Type: multipart/mixed; boundary=b0\r\n\r\n", nested(100), 4, 25},
	} {
		t.Run(name, func(t *testing.T) {
			more, _, _ := peak(t, io.MultiReader(strings.NewReader(c.head), &repeat{text: c.body, left: c.size << 20}))
			if more > c.limit<<20 {
				t.Errorf("it took %.1f MiB, which is more than %d", float64(more)/(1<<20), c.limit)
			}
			t.Logf("%.1f MiB", float64(more)/(1<<20))
		})
	}
}

// nested returns multiparts within one another.
func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		fmt.Fprintf(&b, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
	}
	return b.String()
}

// Past a bound nothing is lost without a word.
func TestRead_saysWhatIsPastABound(t *testing.T) {
	multipart := start + "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	for name, c := range map[string]struct {
		mail, problem, file string
	}{
		"long text":     {start + "\r\n" + strings.Repeat("words\r\n", 200_000) + "the end", "The text is very long. All of it is in a file.", "the end"},
		"many parts":    {multipart + strings.Repeat("--b\r\n\r\nx\r\n", 1100) + "--b\r\n\r\nthe end", "The email has more than 1000 parts.", "the end"},
		"many files":    {multipart + strings.Repeat("--b\r\nContent-Type: image/png\r\n\r\nx\r\n", 300), "The email has more than 250 files.", ""},
		"deep":          {start + "Content-Type: multipart/mixed; boundary=b0\r\n\r\n" + nested(40) + "\r\nthe end", "Parts are nested more than 32 times.", "the end"},
		"long header":   {start + strings.Repeat("X-A: "+strings.Repeat("x", 900)+"\r\n", 400) + "\r\nwords", "A header is very long.", ""},
		"many fields":   {start + strings.Repeat("X-A: b\r\n", 1500) + "\r\nwords", "A header is very long.", ""},
		"long report":   {start + "Content-Type: message/delivery-status\r\n\r\n" + strings.Repeat("x", 70<<10), "A report in the email is very long.", ""},
		"many to":       {start + "To: " + strings.Repeat("a@example.org,", 600) + "\r\n\r\nwords", "The field To has more addresses", ""},
		"many problems": {multipart + manyProblems(), "There are more problems than are listed here.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, contents := readAll(t, name, []byte(c.mail))
			if !strings.Contains(strings.Join(m.Problems, "\n"), c.problem) || len(m.Problems) > 60 {
				t.Errorf("problems: %q", m.Problems)
			}
			if !strings.Contains(strings.Join(contents, "\n"), c.file) {
				t.Error("the end is in no file")
			}
			if len(m.Text) > 1<<20 || len(m.Files) > 250 || len(m.Reports) > 16 {
				t.Errorf("%d bytes of text, %d files, %d reports", len(m.Text), len(m.Files), len(m.Reports))
			}
		})
	}
}

// manyProblems returns signed mails with names of their own that can't be read.
func manyProblems() string {
	var b strings.Builder
	for i := range 70 {
		fmt.Fprintf(&b, "--b\r\nContent-Type: application/pkcs7-mime; name=n%d\r\n\r\n0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\r\n", i)
	}
	return b.String()
}

func TestRead_endsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	mail := io.MultiReader(strings.NewReader(start+"Content-Type: image/png\r\n\r\n"), &repeat{text: "x", left: 1 << 30})
	_, err := message.Read(ctx, mail, func(_ message.File, r io.Reader) error {
		cancel()
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A sink may leave content unread.
func TestRead_skipsWhatTheSinkLeaves(t *testing.T) {
	mail := start + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 100_000)) + "\r\n--b\r\n\r\nwords\r\n--b--\r\n"
	m, err := message.Read(t.Context(), strings.NewReader(mail), func(message.File, io.Reader) error { return nil })
	if err != nil || m.Text != "words" || len(m.Problems) != 0 {
		t.Errorf("%q, %q, %v", m.Text, m.Problems, err)
	}
}
