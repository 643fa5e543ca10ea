package message_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.eml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) { check(t, raw) })
}

func FuzzDecodeHeader(f *testing.F) {
	f.Add("=?utf-8?q?a=C3?= =?utf-8?b?vA==?= and =?x?q?b?= =?utf-7?q?+AOk-?=")
	f.Fuzz(func(t *testing.T, value string) {
		if decoded := message.DecodeHeader(value); !utf8.ValidString(decoded) {
			t.Errorf("%q is not UTF-8", decoded)
		}
	})
}

// check reads a mail and verifies what holds of every mail: a database can store the result.
func check(t *testing.T, raw []byte) {
	t.Helper()
	passed := 0
	m, err := message.Read(t.Context(), bytes.NewReader(raw), func(file message.File, r io.Reader) error {
		if file.N != passed {
			t.Errorf("file %d is number %d", passed, file.N)
		}
		passed++
		if passed%3 == 0 {
			return nil
		}
		_, err := io.Copy(io.Discard, r)
		return err
	})
	if err != nil {
		if len(bytes.TrimSpace(raw)) > 0 {
			t.Errorf("error %v", err)
		}
		return
	}
	if passed != len(m.Files) {
		t.Errorf("%d files, %d were passed on", len(m.Files), passed)
	}
	words := append([]string{m.Subject, m.Text, m.HTML, m.MessageID}, m.Problems...)
	words = append(append(words, m.InReplyTo...), m.References...)
	for _, a := range append(append(append(m.From, m.ReplyTo...), m.To...), m.Cc...) {
		words = append(words, a.Name, a.Address)
		if strings.Count(a.Address, "@") == 0 || strings.ContainsAny(a.Address, "\r\n<>") {
			t.Errorf("address %q", a.Address)
		}
	}
	for _, file := range m.Files {
		words = append(words, file.Name, file.Type, file.ContentID, file.Description)
		if !strings.Contains(file.Type, "/") {
			t.Errorf("type %q", file.Type)
		}
	}
	for _, s := range words {
		if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\r") {
			t.Errorf("%.200q can't be stored or shown", s)
		}
	}
}

// Real mails that were cut off, or damaged in transport, are read as well.
func TestCorpus_readsDamagedMails(t *testing.T) {
	for name, raw := range corpus(t) {
		if len(raw) > 20_000 {
			continue
		}
		for cut := 0; cut < len(raw); cut += 1 + len(raw)/15 {
			check(t, raw[:cut])
			check(t, raw[cut:])
			damaged := bytes.Clone(raw)
			damaged[cut] ^= 0x80
			check(t, damaged)
			check(t, bytes.ReplaceAll(raw, []byte{raw[cut]}, nil))
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
}
