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
