package mail_test

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/mail"
)

func parse(t *testing.T, data []byte) *netmail.Message {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, data)
	}
	return m
}

// checkHeaders reads a sent mail back: exactly these headers, the subject and both parts as rendered.
func checkHeaders(t *testing.T, s *mail.Sender, l desk.MailData, data []byte) {
	t.Helper()
	want, err := newRenderer(t).Render(l)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.SplitSeq(data, []byte("\r\n")) {
		if len(line) > 200 || bytes.ContainsAny(line, "\r\n") || bytes.ContainsFunc(line, func(r rune) bool { return r >= 0x80 }) {
			t.Errorf("line of %d bytes: %q", len(line), line)
		}
	}
	m := parse(t, data)
	for name := range m.Header {
		if !slices.Contains([]string{
			"From", "To", "Subject", "Date", "Message-Id", "In-Reply-To", "References", "Auto-Submitted", "Precedence",
			"X-Auto-Response-Suppress", "Content-Language", "Mime-Version", "Content-Type", "Reply-To", automatic.DeskHeader,
		}, name) || len(m.Header[name]) != 1 {
			t.Errorf("header %s: %q", name, m.Header[name])
		}
	}
	if got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || got != want.Subject {
		t.Errorf("subject %q (%v), want %q", got, err, want.Subject)
	}
	if to, err := m.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != l.To.Address {
		t.Errorf("To %v, %v", to, err)
	}
	text, asHTML := parts(t, m)
	if lf(text) != lf(want.Text) || lf(asHTML) != lf(want.HTML) {
		t.Errorf("the parts are not as rendered:\n%q\n%q", text, want.Text)
	}
}

func lf(s string) string { return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n") }

func parts(t *testing.T, m *netmail.Message) (text, asHTML string) {
	t.Helper()
	kind, parameters, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %s, %v", kind, err)
	}
	reader := multipart.NewReader(m.Body, parameters["boundary"])
	var bodies []string
	for _, want := range []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"} {
		part, err := reader.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if got := part.Header.Get("Content-Type"); got != want {
			t.Errorf("part of type %q, want %q", got, want)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(body))
	}
	return bodies[0], bodies[1]
}
