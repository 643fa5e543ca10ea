package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/local"
)

func startMailbox(t *testing.T, dir string) *local.Mailbox {
	t.Helper()
	box, err := local.StartMailbox(local.MailboxOptions{Dir: dir, Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatalf("start the mailbox: %v", err)
	}
	t.Cleanup(func() { _ = box.Stop() })
	return box
}

func post(t *testing.T, box *local.Mailbox, to, mail string) {
	t.Helper()
	text := strings.ReplaceAll(mail, "\n", "\r\n")
	if err := smtp.SendMail(box.Addr(), nil, "desk@example.com", []string{to}, []byte(text)); err != nil {
		t.Fatalf("send: %v", err)
	}
}

const receipt = `From: Holesalemart Support <support@example.com>
To: ann@example.com
Reply-To: Support <support+one@example.com>, =?utf-8?q?=E2=9C=93?= <two@example.com>
Subject: =?utf-8?q?Ticket_HM-7Q2K9XM4TD_=E2=9C=93?=
Date: Mon, 23 Nov 2026 10:00:00 +0000
Message-ID: <hm-2@example.com>
In-Reply-To: <hm-1@example.com>
References: <hm-0@example.com> <hm-1@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=m

--m
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Caf=E9
--b
Content-Type: text/html; charset=utf-8

<!doctype html><html><head><title>x</title></head><body><p>Café</p></body></html>
--b--
--m
Content-Type: application/pdf
Content-Disposition: attachment; filename="invoice.pdf"

%PDF
--m--
`

// check compares a mail with the receipt.
func check(t *testing.T, got local.Message) {
	t.Helper()
	for name, pair := range map[string][2]any{
		"id": {got.ID, 1}, "subject": {got.Subject, "Ticket HM-7Q2K9XM4TD ✓"},
		"from": {got.From, "Holesalemart Support <support@example.com>"}, "to": {fmt.Sprint(got.To), "[ann@example.com]"},
		"reply_to":   {fmt.Sprint(got.ReplyTo), "[support+one@example.com two@example.com]"},
		"message_id": {got.MessageID, "hm-2@example.com"}, "in_reply_to": {got.InReplyTo, "hm-1@example.com"},
		"references": {fmt.Sprint(got.References), "[hm-0@example.com hm-1@example.com]"},
		"text":       {strings.TrimSpace(got.Text), "Café"}, "attachments": {fmt.Sprint(got.Attachments), "[invoice.pdf]"},
		"date": {got.Date.UTC().Format(time.RFC3339), "2026-11-23T10:00:00Z"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %q, want %q", name, pair[0], pair[1])
		}
	}
	if !strings.Contains(got.HTML, "<p>Café</p>") {
		t.Errorf("html is %q", got.HTML)
	}
	if age := time.Since(got.ReceivedAt); age < 0 || age > time.Minute {
		t.Errorf("received %s ago", age)
	}
}

func TestMailbox_keepsWhatItAcknowledged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box := startMailbox(t, dir)
	post(t, box, "ann@example.com", receipt)
	before := box.Messages()
	if len(before) != 1 {
		t.Fatalf("%d mails", len(before))
	}
	check(t, before[0])
	if err := box.Stop(); err != nil {
		t.Fatal(err)
	}
	again := startMailbox(t, dir)
	after := again.Messages()
	if len(after) != 1 {
		t.Fatalf("%d mails after a restart", len(after))
	}
	check(t, after[0])
	if !after[0].ReceivedAt.Equal(before[0].ReceivedAt) {
		t.Errorf("received at %s, was %s", after[0].ReceivedAt, before[0].ReceivedAt)
	}
	post(t, again, "bob@example.com", "Subject: second\n\nHello\n")
	if got := again.Messages(); len(got) != 2 || got[1].ID != 2 {
		t.Errorf("the next mail: %+v", got[1:])
	}
}

func TestMailbox_numbersARushWithoutGaps(t *testing.T) {
	t.Parallel()
	const senders, each = 8, 25
	dir := t.TempDir()
	box := startMailbox(t, dir)
	var group sync.WaitGroup
	for sender := range senders {
		group.Go(func() {
			for i := range each {
				mail := fmt.Sprintf("Subject: %d-%d\r\n\r\nHello\r\n", sender, i)
				if err := smtp.SendMail(box.Addr(), nil, "desk@example.com", []string{"a@example.com"}, []byte(mail)); err != nil {
					t.Errorf("send: %v", err)
				}
			}
		})
	}
	group.Wait()
	_ = box.Stop()
	seen := map[string]bool{}
	for i, m := range startMailbox(t, dir).Messages() {
		if m.ID != i+1 {
			t.Fatalf("mail %d has number %d", i, m.ID)
		}
		seen[m.Subject] = true
	}
	if len(seen) != senders*each {
		t.Errorf("%d different mails, want %d", len(seen), senders*each)
	}
}

func TestWait_seesStoredMailsAndNewOnes(t *testing.T) {
	t.Parallel()
	box := startMailbox(t, t.TempDir())
	is := func(subject string) func(local.Message) bool {
		return func(m local.Message) bool { return m.Subject == subject }
	}
	got := make(chan error)
	go func() {
		_, err := box.Wait(t.Context(), is("coming"))
		got <- err
	}()
	post(t, box, "a@example.com", "Subject: kept\n\n.\n")
	post(t, box, "a@example.com", "Subject: coming\n\n.\n")
	if err := <-got; err != nil {
		t.Error(err)
	}
	if _, err := box.Wait(t.Context(), is("kept")); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := box.Wait(ctx, is("never")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a mail that never comes: %v", err)
	}
}

func TestMailbox_refusesATakenPortAndDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box := startMailbox(t, dir)
	_, err := local.StartMailbox(local.MailboxOptions{Dir: t.TempDir(), Addr: box.Addr()})
	refused(t, err, fault.Conflict, "is in use", "mailbox")
	_, err = local.StartMailbox(local.MailboxOptions{Dir: dir, Addr: "127.0.0.1:0"})
	refused(t, err, fault.Conflict, "another mailbox", dir)
}

func TestMailboxPages_filter(t *testing.T) {
	t.Parallel()
	box := startMailbox(t, t.TempDir())
	post(t, box, "ann@example.com", receipt)
	post(t, box, "bob@example.com", "Subject: HM-0000000000\n\nHello Bob\n")
	for query, want := range map[string]string{
		"": "[2 1]", "?to=ann@example.com": "[1]", "?ticket=hm-0000000000": "[2]", "?to=ann&ticket=HM-0000000000": "[]",
	} {
		answer := serve(box, "/dev/mail.json"+query)
		var got []local.Message
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v in %s", query, err, answer.Body)
		}
		ids := make([]int, len(got))
		for i, m := range got {
			ids[i] = m.ID
		}
		if fmt.Sprint(ids) != want {
			t.Errorf("%s gives %v, want %s", query, ids, want)
		}
	}
	for path, status := range map[string]int{
		"/dev/mail": 200, "/dev/mail/1": 200, "/dev/mail/1/html": 200, "/dev/mail/mailbox.css": 200,
		"/dev/mail/2/html": 404, "/dev/mail/3": 404, "/dev/mail/0": 404, "/dev/mail/x": 404, "/dev/mail/-1": 404,
	} {
		if got := serve(box, path).Code; got != status {
			t.Errorf("%s answers %d, want %d", path, got, status)
		}
	}
	if page := serve(box, "/dev/mail/1/html").Body.String(); !strings.Contains(page, `<head><base target="_blank">`) {
		t.Errorf("links stay in the frame: %s", page)
	}
}

// A demonstration's mailbox may see a hundred thousand mails: memory and answers are bounded, and nothing is lost.
func TestMailbox_holdsTheNewestAndFindsTheRest(t *testing.T) {
	t.Parallel()
	const recent, sent = 4, 23
	dir := t.TempDir()
	options := local.MailboxOptions{Dir: dir, Addr: "127.0.0.1:0", Recent: recent}
	box, err := local.StartMailbox(options)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sent {
		post(t, box, fmt.Sprintf("a%d@example.com", i%2), fmt.Sprintf("Subject: number %d\n\nHello\n", i+1))
	}
	for range 2 { // as it grew, and after a restart
		if all := box.Messages(); len(all) != recent || all[0].ID != sent-recent+1 || all[recent-1].ID != sent {
			t.Errorf("held: %d mails from %d on", len(all), all[0].ID)
		}
		var seen []int
		for next := "/dev/mail.json?to=a0"; next != ""; {
			answer := serve(box, next)
			var page []local.Message
			if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || len(page) > recent {
				t.Fatalf("%s: %d mails, %v", next, len(page), err)
			}
			for _, m := range page {
				seen = append(seen, m.ID)
			}
			next, _, _ = strings.Cut(strings.TrimPrefix(answer.Header().Get("Link"), "<"), ">")
		}
		if fmt.Sprint(seen) != "[23 21 19 17 15 13 11 9 7 5 3 1]" {
			t.Errorf("page by page: %v", seen)
		}
		if page := serve(box, "/dev/mail/2").Body.String(); !strings.Contains(page, "number 2") {
			t.Error("an old mail can't be read")
		}
		if page := serve(box, "/dev/mail").Body.String(); !strings.Contains(page, "number 1<") || !strings.Contains(page, "(23)") {
			t.Errorf("the list ends too early: %s", page)
		}
		if err := box.Stop(); err != nil {
			t.Fatal(err)
		}
		if box, err = local.StartMailbox(options); err != nil {
			t.Fatal(err)
		}
	}
	_ = box.Stop()
}

func TestMailboxPages_leadToOlderMails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 101 {
		text := fmt.Sprintf("Subject: number %d\r\n\r\nHello\r\n", i+1)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.eml", i+1)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	box := startMailbox(t, dir)
	const next = `href="/dev/mail?before=2&amp;ticket=number"`
	if page := serve(box, "/dev/mail?ticket=number").Body.String(); !strings.Contains(page, next) || strings.Contains(page, "number 1<") {
		t.Errorf("the first page has no %s", next)
	}
	if page := serve(box, "/dev/mail?before=2&ticket=number").Body.String(); !strings.Contains(page, "number 1<") || strings.Contains(page, "Older") {
		t.Error("the last page is not what is left")
	}
}

// A mail is written by strangers: nothing in it may become markup or run, wherever it is shown.
func TestMailboxPages_disarmHostileMail(t *testing.T) {
	t.Parallel()
	const attack = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	box := startMailbox(t, t.TempDir())
	post(t, box, "ann@example.com", "From: "+attack+"\nSubject: "+attack+"\nX-Odd: "+attack+"\nContent-Type: text/html\n\n"+attack+"\n")
	post(t, box, "ann@example.com", "From: a@b\nSubject: "+attack+"\n\n"+attack+"\n")
	for _, path := range []string{"/dev/mail", "/dev/mail/1", "/dev/mail/2", "/dev/mail?to=%22%3E%3Cscript%3E"} {
		answer := serve(box, path)
		for _, tag := range []string{"<script", "<img"} {
			if strings.Contains(answer.Body.String(), tag) {
				t.Errorf("%s holds %s", path, tag)
			}
		}
		if policy := answer.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s has the policy %q", path, policy)
		}
	}
	answer := serve(box, "/dev/mail/1/html")
	policy := answer.Header().Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "sandbox ") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
		t.Errorf("the mail's HTML has the policy %q", policy)
	}
	if kind := serve(box, "/dev/mail.json").Header().Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("JSON is served as %s", kind)
	}
}

func TestMailbox_showsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	nested := "Content-Type: multipart/mixed; boundary=a\n\n" + strings.Repeat("--a\nContent-Type: multipart/mixed; boundary=a\n\n", 2000)
	for name, mail := range map[string]string{
		"no header":             "\nonly a body\n",
		"not a header":          "what is this\n\nbody\n",
		"an unknown charset":    "Subject: s\nContent-Type: text/plain; charset=klingon\n\nbody\n",
		"an unknown encoding":   "Subject: s\nContent-Transfer-Encoding: runes\n\nbody\n",
		"invalid UTF-8":         "Subject: \xff\xfe\n\nbody \xff\n",
		"an open multipart":     "Content-Type: multipart/mixed; boundary=x\n\n--x\n\nbody",
		"no boundary":           "Content-Type: multipart/mixed\n\nbody\n",
		"deeply nested":         nested,
		"a broken encoded word": "Subject: =?utf-8?q?=ZZ?=\nReferences: <a <b> c\n\nbody\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			box := startMailbox(t, dir)
			post(t, box, "ann@example.com", mail)
			if got := box.Messages(); len(got) != 1 {
				t.Fatalf("%d mails", len(got))
			}
			for _, path := range []string{"/dev/mail", "/dev/mail/1", "/dev/mail.json"} {
				if got := serve(box, path).Code; got != http.StatusOK {
					t.Errorf("%s answers %d", path, got)
				}
			}
			if name != "deeply nested" && !strings.Contains(serve(box, "/dev/mail/1").Body.String(), "body") {
				t.Error("its words cannot be read")
			}
		})
	}
}

// A mail's own lines must not pass for the envelope that the mailbox writes above them.
func TestMailbox_envelopeCannotBeForged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	box := startMailbox(t, dir)
	post(t, box, "ann@example.com", "Delivered-To: forged@example.com\nReturn-Path: <forged@example.com>\nSubject: s\n\nbody\n")
	_ = box.Stop()
	if err := os.WriteFile(filepath.Join(dir, "000002.eml"), []byte("Subject: put there by hand\r\n\r\nbody\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := startMailbox(t, dir).Messages()
	if len(got) != 2 || fmt.Sprint(got[0].To) != "[ann@example.com]" || got[0].From != "desk@example.com" {
		t.Errorf("the envelope: %+v", got)
	}
	if got[1].Subject != "put there by hand" {
		t.Errorf("a file without an envelope: %+v", got[1])
	}
}

func serve(box *local.Mailbox, path string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	box.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer
}
