package local_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

// startWithDesk starts a mailbox, and another one in place of the desk's mail server.
func startWithDesk(t *testing.T) (box, desk *local.Mailbox) {
	t.Helper()
	desk = startMailbox(t, t.TempDir())
	box, err := local.StartMailbox(local.MailboxOptions{
		Dir: t.TempDir(), Addr: "127.0.0.1:0", Desk: local.Desk{Server: desk.Addr(), Address: "support@desk.example"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Stop(); err != nil {
			t.Error(err)
		}
	})
	return box, desk
}

func send(box *local.Mailbox, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	box.Handler().ServeHTTP(w, r)
	return w
}

func TestMailbox_passesMailForTheDeskOn(t *testing.T) {
	t.Parallel()
	box, desk := startWithDesk(t)
	if code := answerTo(t, box, "Subject: to Ann\r\n\r\nHello\r\n"); code != 250 {
		t.Fatal(code)
	}
	form := url.Values{"from": {"ann@example.com"}, "to": {"Support+token@desk.example"}, "subject": {"Ünïcode"}, "text": {"Where is it?"}}
	if w := send(box, "/dev/mail/new", form); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got := desk.Messages(); len(got) != 1 || got[0].Subject != "Ünïcode" || strings.TrimSpace(got[0].Text) != "Where is it?" ||
		got[0].To[0] != "Support+token@desk.example" || got[0].MessageID == "" {
		t.Errorf("the desk received %+v", got)
	}
	if got := box.Messages(); len(got) != 1 || got[0].Subject != "to Ann" {
		t.Errorf("the mailbox has %+v", got)
	}
}

func TestMailbox_answersAnEmailOfTheDesk(t *testing.T) {
	t.Parallel()
	box, desk := startWithDesk(t)
	post(t, box, "ann@example.com", "From: support@desk.example\nReply-To: <support+token@desk.example>\nSubject: Hello\nMessage-ID: <m1@desk.example>\nReferences: <m0@desk.example>\n\nWe have it.\n")
	page := serve(box, "/dev/mail/1").Body.String()
	for _, want := range []string{`action="/dev/mail/1/answer"`, `value="support&#43;token@desk.example"`, `value="Re: Hello"`, `value="ann@example.com"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	form := url.Values{"from": {"ann@example.com"}, "to": {"support+token@desk.example"}, "subject": {"Re: Hello"}, "text": {"Thank you."}}
	if w := send(box, "/dev/mail/1/answer", form); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	got := desk.Messages()
	if len(got) != 1 || got[0].InReplyTo != "m1@desk.example" || strings.Join(got[0].References, " ") != "m0@desk.example m1@desk.example" ||
		!strings.Contains(got[0].Text, "Thank you.") || !strings.Contains(got[0].Text, "> We have it.") {
		t.Errorf("the desk received %+v", got)
	}
}

func TestMailbox_writesToTheDeskOnlyAndForItsOwnPagesOnly(t *testing.T) {
	t.Parallel()
	box, desk := startWithDesk(t)
	form := url.Values{"from": {"ann@example.com"}, "to": {"support@desk.example"}, "text": {"Hello"}}
	if w := send(box, "/dev/mail/new", form, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
	for field, value := range map[string]string{"to": "other@elsewhere.example", "from": "nobody"} {
		wrong := url.Values{"from": form["from"], "to": form["to"], "text": form["text"]}
		wrong.Set(field, value)
		if w := send(box, "/dev/mail/new", wrong); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "The email was not sent") {
			t.Errorf("%s %s: %d", field, value, w.Code)
		}
	}
	if err := desk.Stop(); err != nil {
		t.Fatal(err)
	}
	if w := send(box, "/dev/mail/new", form); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Hello") {
		t.Errorf("while the desk is down: %d %s", w.Code, w.Body)
	}
	if plain := startMailbox(t, t.TempDir()); serve(plain, "/dev/mail/new").Code != http.StatusNotFound {
		t.Error("a mailbox without a desk writes")
	}
}
