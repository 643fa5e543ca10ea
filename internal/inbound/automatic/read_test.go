package automatic_test

import (
	"bytes"
	"io"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

// read reads a raw mail as the desk does.
func read(t testing.TB, raw []byte) automatic.Mail {
	t.Helper()
	m, err := message.Read(t.Context(), bytes.NewReader(raw), func(message.File, io.Reader) error { return nil })
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return automatic.Mail{Message: m}
}

// person returns a person's mail.
func person(text string) automatic.Mail {
	return automatic.Mail{ReturnPath: "jane@example.com", Ours: []string{"support@example.org"}, Message: message.Message{
		Header: textproto.MIMEHeader{"From": {"Jane Doe <jane@example.com>"}},
		From:   []mail.Address{{Name: "Jane Doe", Address: "jane@example.com"}}, Subject: "Question", Text: text,
	}}
}

// corpus returns mails of public test suites by their names, from a folder beside the checkout. Where that is missing there
// are none, in CI, too: it is no part of the project.
func corpus(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "..", "shared", "corpus", "mail")
	paths, err := filepath.Glob(filepath.Join(folder, filepath.FromSlash(pattern)))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Logf("there is no corpus of mails beside the checkout: %s was not tried", pattern)
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
