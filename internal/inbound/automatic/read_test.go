package automatic_test

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	gomessage "github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // the mails of the corpus have many
	gomail "github.com/emersion/go-message/mail"

	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

// read reads a raw mail as the desk does.
func read(t testing.TB, raw []byte) automatic.Mail {
	t.Helper()
	raw = regexp.MustCompile(`\A(From .*\n)?(\r?\n)*`).ReplaceAll(raw, nil)
	e, err := gomessage.Read(bytes.NewReader(raw))
	if e == nil {
		t.Fatalf("read: %v", err)
	}
	m := message.Message{Header: textproto.MIMEHeader{}}
	for f := e.Header.Fields(); f.Next(); {
		m.Header.Add(f.Key(), f.Value())
	}
	h := gomail.Header{Header: e.Header}
	m.Subject, _ = h.Subject()
	m.MessageID, _ = h.MessageID()
	m.InReplyTo, _ = h.MsgIDList("In-Reply-To")
	m.References, _ = h.MsgIDList("References")
	m.From, m.ReplyTo, m.To = list(h, "From"), list(h, "Reply-To"), list(h, "To")
	walk(e, &m)
	return automatic.Mail{Message: m}
}

// person returns a person's mail.
func person(text string) automatic.Mail {
	return automatic.Mail{ReturnPath: "jane@example.com", Ours: []string{"support@example.org"}, Message: message.Message{
		Header: textproto.MIMEHeader{"From": {"Jane Doe <jane@example.com>"}},
		From:   []mail.Address{{Name: "Jane Doe", Address: "jane@example.com"}}, Subject: "Question", Text: text,
	}}
}

func list(h gomail.Header, name string) []mail.Address {
	var all []mail.Address
	found, _ := h.AddressList(name)
	for _, a := range found {
		all = append(all, mail.Address(*a))
	}
	return all
}

func walk(e *gomessage.Entity, m *message.Message) {
	kind, _, _ := e.Header.ContentType()
	if parts := e.MultipartReader(); parts != nil {
		for {
			p, err := parts.NextPart()
			if p == nil || err != nil && errors.Is(err, io.EOF) {
				return
			}
			walk(p, m)
		}
	}
	body, _ := io.ReadAll(e.Body)
	switch kind {
	case "", "text/plain", "text/html":
		m.Text += string(body) + "\n"
	case "message/rfc822":
		head, _, _ := bytes.Cut(bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), []byte("\n\n"))
		m.Reports = append(m.Reports, message.Report{Type: kind, Body: head})
	case "message/delivery-status", "message/feedback-report", "text/rfc822-headers":
		m.Reports = append(m.Reports, message.Report{Type: kind, Body: body})
	default:
		m.Files = append(m.Files, message.File{Type: kind})
	}
}

// corpus returns the mails of a folder of the shared corpus, which lies beside the checkout where it is there.
func corpus(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "..", "shared", "corpus", "mail")
	paths, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
	if err != nil || len(paths) == 0 {
		t.Skipf("the corpus of mails is not there: %s", pattern)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))] = raw
	}
	return all
}
