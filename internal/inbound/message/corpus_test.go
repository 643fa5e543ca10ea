package message_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

// corpus returns real mails of public test suites by folder and name, from a folder beside the checkout. Where that is
// missing there are none, in CI, too: it is no part of the project.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	root := filepath.FromSlash("../../../../shared/corpus/mail")
	all := map[string][]byte{}
	for _, folder := range []string{"mime", "bounces", "replies", "quotes", "quotes-html"} {
		paths, err := filepath.Glob(filepath.Join(root, folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[folder+"/"+filepath.Base(path)] = raw
		}
	}
	if len(all) == 0 {
		t.Log("there is no corpus of mails beside the checkout: nothing was tried")
	}
	return all
}

// readOtherwise are the mails of the corpus whose parts the standard library reads in a worse way, or which are none.
var readOtherwise = map[string]string{
	"mime/enmime-unk-encoding-part.raw":   "base64 under another name",
	"mime/stalwart-thirdparty-001.eml":    "a boundary after another line break than the one before",
	"bounces/lhost-amazonworkmail-03.eml": "winmail.dat, whose words are read",
	"bounces/lhost-amazonworkmail-08.eml": "winmail.dat, whose words are read",
	"bounces/rhost-aol-03.eml":            "cells of a table that are hidden",
	"quotes/spam_1.trimmed.txt":           "empty",
}

// What the standard library can read without an error is all there: each part is in the words, in a file or in a report.
func TestCorpus_losesNoPart(t *testing.T) {
	parts, mails := 0, 0
	all := corpus(t)
	for name, raw := range all {
		if readOtherwise[name] != "" {
			continue
		}
		m, contents := readAll(t, name, raw)
		leaves, err := leavesOf(raw)
		if err != nil {
			continue // malformed mails have their own tests
		}
		mails++
		for _, leaf := range leaves {
			parts++
			if !found(leaf, m, contents) {
				t.Errorf("%s: a part is lost: %.100q", name, leaf)
			}
		}
	}
	if len(all) > 0 && parts <= mails {
		t.Errorf("%d mails with %d parts were compared: multiparts were not", mails, parts)
	}
}

func readAll(t testing.TB, name string, raw []byte) (message.Message, []string) {
	t.Helper()
	var contents []string
	m, err := message.Read(t.Context(), bytes.NewReader(raw), func(_ message.File, r io.Reader) error {
		b, err := io.ReadAll(r)
		contents = append(contents, string(b))
		return err
	})
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return m, contents
}

// leavesOf returns the decoded parts of a mail as the standard library reads it.
func leavesOf(raw []byte) ([]string, error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return leavesIn(textproto.MIMEHeader(m.Header), m.Body)
}

func leavesIn(h textproto.MIMEHeader, body io.Reader) ([]string, error) {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if h.Get("Content-Type") != "" && err != nil {
		return nil, err
	}
	if strings.HasPrefix(media, "multipart/") {
		var all []string
		in := multipart.NewReader(body, params["boundary"])
		for {
			p, err := in.NextRawPart()
			if errors.Is(err, io.EOF) {
				return all, nil
			}
			if err != nil {
				return nil, err
			}
			leaves, err := leavesIn(p.Header, p)
			if err != nil {
				return nil, err
			}
			all = append(all, leaves...)
		}
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	leaf, err := io.ReadAll(body)
	return []string{string(leaf)}, err
}

var (
	plainWord = regexp.MustCompile(`[A-Za-z0-9]{3,}`)
	japanese  = regexp.MustCompile("\x1b\\$B[^\x1b]*\x1b\\([BJ]")
)

func found(leaf string, m message.Message, contents []string) bool {
	for _, content := range contents {
		if content == leaf {
			return true
		}
	}
	for _, r := range m.Reports {
		if strings.HasPrefix(leaf, string(r.Body)) && (len(r.Body) == len(leaf) || len(r.Body) == 64<<10) {
			return true
		}
	}
	leaf = japanese.ReplaceAllString(leaf, " ")
	for _, word := range plainWord.FindAllString(leaf, -1) {
		if !strings.Contains(m.Text, word) && !strings.Contains(m.HTML, word) {
			return false
		}
	}
	return true
}

// What people can read in the mails of the corpus: written down by hand from the mails.
func TestCorpus_readsWhatPeopleRead(t *testing.T) {
	all := corpus(t)
	if len(all) == 0 {
		return
	}
	for _, c := range []struct{ name, subject, text, html, file string }{
		{name: "mime/enmime-attachment-octet.raw", subject: "In One Ear", text: "A text section"},
		{name: "mime/enmime-attachment-only-inline-quoted-printable.raw", text: "Just some html content", html: "<!DOCTYPE html"},
		{name: "mime/enmime-attachment-only-inline.raw", file: "favicon.jpg"},
		{name: "mime/enmime-attachment-only-text-attachment.raw", file: "test.csv"},
		{name: "mime/enmime-bad-final-boundary.raw", text: "A text section", file: "foo_9E5D72.zip"},
		{name: "mime/enmime-bad-header-start.raw", subject: "plain text", text: "An HTML section"},
		{name: "mime/enmime-bad-header-wrap.raw", subject: "Attachment", file: "7DDA4_foo_9E5D72.zip"},
		{name: "mime/enmime-ctype-bug.raw", subject: "Welcome to Papertrail", text: "Head over to the Quick Start:"},
		{name: "mime/enmime-dsn_with_multipart_alternative.raw", subject: "Undeliverable: Some subject", text: "[human-readable explanation goes here]"},
		{name: "mime/enmime-erroneous.raw", text: "// Not an RFC-822 Document"},
		{name: "mime/enmime-html-mime-bad-charset-inline.raw", text: "Test of text section", html: "Test of HTML section", file: "favicon.png"},
		{name: "mime/enmime-incorrect-charset.raw", text: "∮ E⋅da = Q,  n → ∞, ∑ f(i) = ∏ g(i)"},
		{name: "mime/enmime-inlinemultipart.raw", text: "Simple text.", file: "test.pdf"},
		{name: "mime/enmime-malformed-base64-attach.raw", text: "A text section", file: "some.doc"},
		{name: "mime/enmime-mime-bad-8bit-filename.raw", text: "Text part", file: "管理.doc"},
		{name: "mime/enmime-mime-bad-content-transfer-encoding.raw", text: "ploozdect  nispplul swunkglap", html: "This is an example"},
		{name: "mime/enmime-mime-bad-content-type.raw", text: "Thank you for booking with easyHotel.", file: "Invoice_302232133150612.pdf"},
		{name: "mime/enmime-mime-mixed-related.raw", text: "html1\n\nhtml2", html: "<p>html2</p>"},
		{name: "mime/enmime-mime-signed.raw", text: "Section one\n\nSection two", file: "signature.asc"},
		{name: "mime/enmime-mime-unquoted-tspecials-param.raw", text: "Thank you for booking", file: "Invoice_(302232133150612).pdf"},
		{name: "mime/enmime-missing-content-type2.raw", text: "A text section\n\nAn HTML section"},
		{name: "mime/enmime-multipart-wo-boundary.raw", text: "I'm  multipart message without boundary"},
		{name: "mime/enmime-non-mime-html-charset-header-only.raw", text: "Test Müller"},
		{name: "mime/enmime-non-mime-html.raw", text: "This is a test mailing", html: "<strong>a</strong>"},
		{name: "mime/enmime-non-mime-missing-charset.raw", text: "Unencoded Euro Sign: Â€"},
		{name: "mime/enmime-qp-utf8-header.raw", subject: "MIME UTF8 Test ¢ More Text", text: "Lorem ipsum dolor sit amet"},
		{name: "mime/enmime-unk-encoding-part.raw", text: "A text section", file: "foo_9E5D72.zip"},
		{name: "mime/stalwart-malformed-004.eml", text: "body"},
		{name: "mime/stalwart-malformed-013.eml", text: "hello, world\n\nhello, world"},
		{name: "mime/stalwart-malformed-018.eml", text: "Enviado desde mi BlackBerry® de Vodafone"},
		{name: "mime/stalwart-malformed-021.eml", text: "áóúäöüß"},
		{name: "mime/stalwart-rfc-002.eml", subject: "[Fwd: Map of Argentina with Description]", text: "Fire up Air Force One!", file: "Map of Argentina with Description.eml"},
		{name: "mime/stalwart-rfc-007.eml", text: "A\n\nB\n\nD\n\nK", file: "J.eml"},
		{name: "mime/stalwart-thirdparty-002.eml", text: "yötä vaan."},
		{name: "mime/stalwart-thirdparty-004.eml", text: "Move ♚ to ♛'s ♝"},
		{name: "mime/stalwart-thirdparty-005.eml", text: "『世界人権宣言』"},
		{name: "mime/stalwart-thirdparty-010.eml", subject: "こんにちは", text: "人権の無視及"},
		{name: "mime/stalwart-thirdparty-017.eml", text: "Search for hähä", html: "Search for höhö", file: "kigaaldcbanejcbi.png"},
		{name: "replies/android.eml", text: "пользователь \"bob@xxx.mailgun.org\""},
		{name: "replies/iphone.eml", text: "Hello\n\nSent from my iPhone"},
	} {
		if all[c.name] == nil {
			t.Logf("%s is not there", c.name)
			continue
		}
		m, _ := readAll(t, c.name, all[c.name])
		file := c.file == ""
		for _, f := range m.Files {
			file = file || f.Name == c.file
		}
		if c.subject != "" && m.Subject != c.subject || !strings.Contains(m.Text, c.text) || !strings.Contains(m.HTML, c.html) || !file {
			t.Errorf("%s: %q, text %.300q, HTML %.100q, files %+v", c.name, m.Subject, m.Text, m.HTML, m.Files)
		}
	}
}
