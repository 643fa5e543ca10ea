package automatic_test

import (
	"net/textproto"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/inbound/message"
)

// A mail of any content has a verdict whose size is bounded, and words alone make no person's mail a machine's.
func FuzzClassify(f *testing.F) {
	files, _ := filepath.Glob("testdata/bounce/*.eml")
	for _, file := range files {
		m := fixture(f, strings.TrimSuffix(filepath.Base(file), ".eml"))
		report := ""
		for _, part := range m.Reports {
			report += string(part.Body) + "\n\n"
		}
		f.Add("From", m.Header.Get("From"), m.Subject, m.Text, report)
	}
	f.Add("Auto-Submitted", "auto-replied", "Automatic reply: x", "Away", "Feedback-Type: abuse\n\nTo: a@b, c@d\n")
	f.Add("From", "a@example.com", "x", "\xe6", "")
	f.Fuzz(func(t *testing.T, name, value, subject, text, report string) {
		m := with()
		m.Header[textproto.CanonicalMIMEHeaderKey(name)] = []string{value}
		m.Header.Set("Content-Type", "multipart/report; boundary=b")
		m.Subject, m.Text = subject, text
		for _, kind := range []string{"", "message/delivery-status", "message/feedback-report", "message/rfc822"} {
			if m.Reports = nil; kind != "" {
				m.Reports = []message.Report{{Type: kind, Body: []byte(report)}}
			}
			check(t, automatic.Classify(m))
		}
		m.Reports, m.EnvelopeEmpty = nil, true
		check(t, automatic.Classify(m))
		if v := automatic.Classify(person(text)); v.Kind != automatic.Person || v.NoAnswer {
			t.Fatalf("words made a person's mail a %s: %s", v.Kind, v.Reason)
		}
	})
}

func check(t *testing.T, v automatic.Verdict) {
	t.Helper()
	if v.Kind == "" || len(v.Reason) > 200 || len(v.Bounces) > 50 || len(v.OriginalMessageIDs) > 50 || len(v.OriginalTo) > 50 {
		t.Fatalf("a verdict without bounds: %+v", v)
	}
	if v.Kind != automatic.Person && !v.NoAnswer {
		t.Fatalf("a %s may be answered", v.Kind)
	}
	for _, id := range v.OriginalMessageIDs {
		if id == "" || len(id) > 998 || strings.ContainsAny(id, " \r\n<>") {
			t.Fatalf("%q is no Message-ID", id)
		}
	}
	for _, r := range v.Bounces {
		if len(r.Diagnostic) > 1000 || !utf8.ValidString(r.Diagnostic) || strings.ContainsAny(r.Diagnostic+r.Address, "\r\n") || len(r.Address) > 320 {
			t.Fatalf("a recipient without bounds: %+v", r)
		}
		if r.Hard && r.Action != automatic.Failed {
			t.Fatalf("hard without a failure: %+v", r)
		}
	}
}

// What is read of a mail is bounded, whatever it is made of.
func TestClassify_isBoundedForHugeMails(t *testing.T) {
	for name, line := range map[string]string{
		"recipients": "<a@example.com>: 550 5.1.1 no\n", "headers": "Received: x\n\n", "ids": "Message-ID: <a@b>\n",
		"fields": "Final-Recipient: rfc822;a@example.com\nAction: failed\n\n", "one word": "a@",
	} {
		m := fixture(t, "qmail")
		m.Text += strings.Repeat(line, 4<<20/len(line))
		m.Header.Set("X-Failed-Recipients", strings.Repeat("a@example.com, ", 1<<16))
		m.Header.Set("List-Id", strings.Repeat("<", 1<<20))
		m.Subject = strings.Repeat("Automatic reply", 1<<16)
		if name == "fields" {
			m.Reports = []message.Report{{Type: "message/delivery-status", Body: []byte(m.Text)}}
		}
		v := automatic.Classify(m)
		if check(t, v); v.Kind != automatic.Bounce {
			t.Errorf("%s: it is a %s", name, v.Kind)
		}
	}
}
