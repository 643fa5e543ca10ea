package message_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

var update = flag.Bool("update", false, "write the golden files")

// Each mail in testdata is of one kind. The file beside it is what it is read as.
func TestRead_readsMailsOfEveryKind(t *testing.T) {
	mails, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(mails) < 80 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	for _, path := range mails {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".eml"), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := render(t, raw)
			golden := strings.TrimSuffix(path, ".eml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// render reads a mail and returns everything of it as text.
func render(t *testing.T, raw []byte) string {
	t.Helper()
	var contents []string
	m, err := message.Read(t.Context(), bytes.NewReader(raw), func(_ message.File, r io.Reader) error {
		b, err := io.ReadAll(r)
		contents = append(contents, string(b))
		return err
	})
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	line := func(name string, value any, show bool) {
		if show {
			fmt.Fprintf(&b, "%s: %v\n", name, value)
		}
	}
	line("id", m.MessageID, m.MessageID != "1@example.org")
	line("in reply to", m.InReplyTo, m.InReplyTo != nil)
	line("references", fmt.Sprintf("%q", m.References), m.References != nil)
	line("subject", m.Subject, m.Subject != "Test")
	line("date", m.Date, m.Date.Unix() != 1770022800)
	line("from", m.From, fmt.Sprint(m.From) != "[{Ada ada@example.org}]")
	line("sender", m.Sender, m.Sender != nil)
	line("reply to", m.ReplyTo, m.ReplyTo != nil)
	line("to", m.To, fmt.Sprint(m.To) != "[{ help@desk.example}]")
	line("cc", m.Cc, m.Cc != nil)
	line("encrypted", m.Encrypted, m.Encrypted)
	line("signed", m.Signed, m.Signed)
	line("calendar", m.Calendar, m.Calendar != "")
	for _, p := range m.Problems {
		line("problem", p, true)
	}
	for i, f := range m.Files {
		content := contents[i]
		if len(content) > 200 {
			content = fmt.Sprintf("%d bytes", len(content))
		}
		fmt.Fprintf(&b, "file: name=%q type=%s id=%q inline=%v %q\n", f.Name, f.Type, f.ContentID, f.Inline, content)
	}
	for _, r := range m.Reports {
		fmt.Fprintf(&b, "report: %s %q\n", r.Type, r.Body)
	}
	fmt.Fprintf(&b, "--- text\n%s\n", m.Text)
	if m.HTML != "" {
		fmt.Fprintf(&b, "--- html\n%s\n", m.HTML)
	}
	return b.String()
}
