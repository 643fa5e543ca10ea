package quote_test

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

// corpus returns files of public test mails, from a folder beside the checkout, and none where there is no such folder.
func corpus(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob("../../../../shared/corpus/mail/" + pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Log("there is no corpus of mails beside the checkout: nothing was tried")
	}
	return files
}

func read(t *testing.T, file string) string { return readFile(t, file) }

func readFile(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// shown is what a reader sees of a text at once.
func shown(text string) string { return shownOf(text, quote.Options{}) }

func shownOf(text string, o quote.Options) string {
	var b strings.Builder
	for _, s := range quote.SplitText(text, o) {
		if !s.Folded() {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

// showsMore lists the mails of which a reader sees more than the suite expects, and why.
var showsMore = map[string]string{
	"delimiters":                "a character of a tracker is no delimiter",
	"embedded_email_1":          "text below a quotation whose lines are marked is shown, with the quotation that it may answer",
	"embedded_email_7":          "the same; lines that begin with initials, and a rule, are no reliable marks",
	"embedded_email_17":         "the line that introduces what was written is shown",
	"embedded_email_18":         "the same",
	"embedded_email_french_2":   "an answer stands below the quotation",
	"embedded_email_quote_text": "the same",
	"forwarded_apple":           "a forwarded mail is what its sender wants read",
	"forwarded_gmail":           "the same",
	"forwarded_message":         "the same",
	"signatures":                "a line that is no known signature is shown with those above it",
	"spam_1":                    "a mail of nothing but quotations is shown",
}

func TestSplitText_showsWhatWasWrittenInTheCorpus(t *testing.T) {
	files := corpus(t, "quotes/*.trimmed.txt")
	exact := 0
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".trimmed.txt")
		text, want := read(t, strings.Replace(file, ".trimmed", "", 1)), read(t, file)
		have := words(shown(text))
		for line := range strings.Lines(want) {
			if !strings.Contains(have, words(line)) {
				t.Errorf("%s: %q is hidden", name, line)
			}
		}
		_, expected := showsMore[name]
		if more := have != words(want); more != expected {
			t.Errorf("%s: more is shown: %t, want %t:\n%s", name, more, expected, have)
		} else if !more {
			exact++
		}
	}
	if len(files) == 64 && exact != 52 {
		t.Errorf("%d mails are folded exactly as the suite expects, want 52", exact)
	}
}

// Showing everything would satisfy the test above.
func TestSplitText_foldsQuotedLinesOfTheCorpus(t *testing.T) {
	var marked, folded int
	files := corpus(t, "quotes/*.txt")
	for _, file := range files {
		if strings.Contains(file, ".trimmed.") {
			continue
		}
		for _, s := range quote.SplitText(read(t, file), quote.Options{}) {
			for line := range strings.Lines(s.Text) {
				if !strings.HasPrefix(line, ">") {
					continue
				}
				marked++
				if s.Folded() {
					folded++
				}
			}
		}
	}
	// The others are forwarded, answered below, or all that there is: see showsMore.
	if len(files) == 128 && (marked != 635 || folded != 502) {
		t.Errorf("%d of %d quoted lines are folded, want 502 of 635", folded, marked)
	}
}

func TestSplitText_showsTheAnswersOfTheCorpus(t *testing.T) {
	folded := 0
	files := corpus(t, "replies/*")
	for _, file := range files {
		text := plainText(t, read(t, file))
		have := words(shown(text))
		if !strings.Contains(have, "Hello") {
			t.Errorf("%s: the answer is hidden in %q", file, text)
		}
		if have == "Hello" {
			folded++
		} else if !strings.HasSuffix(file, "thunderbird.eml") { // whose answer stands below
			t.Errorf("%s: a reader sees %q", file, have)
		}
	}
	if len(files) == 14 && folded != 13 {
		t.Errorf("%d answers alone are shown, want 13", folded)
	}
}

// plainText is the text of a mail, or of its first part. A file that is no mail is a text.
func plainText(t *testing.T, source string) string {
	t.Helper()
	if text, found := part(t, source, "text/plain"); found {
		return text
	}
	return source
}

// part is the first part of a mail of a type.
func part(t *testing.T, source, kind string) (string, bool) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(source))
	if err != nil || m.Header.Get("From") == "" {
		return "", false
	}
	have, params, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if have == kind {
		return decoded(t, m.Body, m.Header.Get("Content-Transfer-Encoding")), true
	}
	if !strings.HasPrefix(have, "multipart/") {
		return "", false
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err != nil {
			return "", false
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), kind) {
			return decoded(t, p, p.Header.Get("Content-Transfer-Encoding")), true
		}
	}
}

func decoded(t *testing.T, body io.Reader, encoding string) string {
	t.Helper()
	switch encoding {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
