package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/inbound/trust"
)

// quarantined stores a mail that is in quarantine.
func (o *fixture) quarantined(body string) string {
	o.t.Helper()
	raw := "From: carla@client.example\r\nSubject: canary\r\n\r\n" + body
	id, err := inbound.NewReceiver(o.Blobs, o.Store, 1<<20).Receive(o.t.Context(), desk.Envelope{Source: desk.SourceLMTP}, strings.NewReader(raw))
	if err != nil {
		o.t.Fatal(err)
	}
	if _, found, err := o.ClaimIncoming(o.t.Context(), "attempt", time.Minute); err != nil || !found {
		o.t.Fatal(found, err)
	}
	if err := o.SettleIncoming(o.t.Context(), id, "attempt", desk.IncomingResult{Status: desk.IncomingQuarantined, Reason: "refused"}); err != nil {
		o.t.Fatal(err)
	}
	return fmt.Sprintf("/api/v1/incoming-mails/%d", id)
}

func TestIncomingMails_areReadReleasedAndDeleted(t *testing.T) {
	o := openFixture(t)
	mail, other := o.quarantined("canary one"), o.quarantined("canary two")
	list := o.do("anna", 200, "GET", "/api/v1/incoming-mails?limit=1", "").Body.String()
	if !strings.Contains(list, `"more":true`) || !strings.Contains(list, `"reason":"refused"`) {
		t.Errorf("the list: %s", list)
	}
	if read := o.do("anna", 200, "GET", mail, "").Body.String(); !strings.Contains(read, `"text":"canary one`) || !strings.Contains(read, `"headers":"From: carla`) {
		t.Errorf("one mail: %s", read)
	}
	o.do("anna", 403, "GET", mail+"/raw", "")
	raw := o.do("sam", 200, "GET", mail+"/raw", "")
	if !strings.HasSuffix(raw.Body.String(), "canary one") || raw.Header().Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(raw.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("raw: %v", raw.Header())
	}
	if released := o.do("anna", 200, "POST", mail+"/release", "").Body.String(); !strings.Contains(released, `"status":"received"`) || !strings.Contains(released, `"name":"Anna Agent","role":"agent","handle":"anna"`) {
		t.Errorf("released: %s", released)
	}
	o.do("anna", 409, "POST", mail+"/release", "")
	o.do("anna", 403, "DELETE", other, "")
	if deleted := o.do("sam", 200, "DELETE", other, "").Body.String(); !strings.Contains(deleted, `"status":"deleted"`) {
		t.Errorf("deleted: %s", deleted)
	}
	o.do("sam", 404, "GET", other+"/raw", "")
	o.do("anna", 404, "GET", "/api/v1/incoming-mails/4711", "")
	o.do("anna", 422, "GET", "/api/v1/incoming-mails?status=x", "")
}

func TestBlockedSenders_areListedBlockedAndUnblocked(t *testing.T) {
	o := openFixture(t)
	const path = "/api/v1/blocked-senders"
	o.do("anna", 403, "POST", path, `{"sender":"spam@client.example"}`)
	o.do("sam", 200, "POST", path, `{"sender":"Spam@Client.example"}`)
	if list := o.do("sam", 200, "POST", path, `{"sender":"@junk.example"}`).Body.String(); !strings.Contains(list, `"senders":[{"sender":"@junk.example","blocked_at":"`) ||
		!strings.Contains(list, `"sender":"spam@client.example"`) || !strings.Contains(list, `"role":"supervisor"`) {
		t.Errorf("blocked: %s", list)
	}
	if a := o.do("sam", 422, "POST", path, `{"sender":"nobody"}`); len(a.fields()) != 1 || a.fields()[0] != "sender" {
		t.Errorf("a sender that is none: %+v", a.problem)
	}
	for _, sender := range []string{"spam@client.example", "%40junk.example"} {
		o.do("sam", 200, "DELETE", path+"/"+sender, "")
	}
	if list := o.do("sam", 200, "GET", path, "").Body.String(); !strings.Contains(list, `"senders":[]`) {
		t.Errorf("left: %s", list)
	}
}

func TestPrivacy_customersReachNoIncomingMail(t *testing.T) {
	o := openFixture(t)
	mail := o.quarantined("canary")
	for who, want := range map[string]int{"clara": 403, "": 401} {
		for _, r := range [][2]string{{"GET", "/api/v1/incoming-mails"}, {"GET", mail}, {"GET", mail + "/raw"}, {"POST", mail + "/release"}, {"DELETE", mail}} {
			if a := o.do(who, want, r[0], r[1], ""); strings.Contains(a.Body.String(), "canary") {
				t.Errorf("%s %s shows it to %q", r[0], r[1], who)
			}
		}
	}
}

// TestTimeline_anEmailsHTMLIsItsOwn shows the HTML of an email without anything active, and not HTML that is made of its text.
func TestTimeline_anEmailsHTMLIsItsOwn(t *testing.T) {
	o := openFixture(t)
	addresses := inbound.Addresses{"support@desk.example": ""}
	reader := inbound.NewReader(o.Blobs, o.Files, trust.New(trust.Options{AuthServID: "border.example"}), inbound.ReaderOptions{Addresses: addresses, Website: "https://help.desk.example", Secrets: o.TokenSecrets})
	mails := app.NewIncomingMails(app.IncomingPorts{Reader: reader, Directory: o.Store, Addresses: addresses.Find, Bounces: o.Store}, o.Desk, o.Steps)
	raw := "From: " + o.People["clara"].Address + "\r\nTo: support@desk.example\r\nSubject: My parcel\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nThe *plain* text.\r\n" +
		"--b\r\nContent-Type: text/html\r\n\r\n<table><tr><td onclick=\"x()\">Its <b>own</b> HTML<script>alert(1)</script><style>td{}</style></td></tr></table>\r\n--b--\r\n"
	id, err := inbound.NewReceiver(o.Blobs, o.Store, 1<<20).Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: o.People["clara"].Address}, strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	m, found, err := o.ClaimIncoming(t.Context(), "attempt", time.Minute)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	r, err := mails.Process(t.Context(), m)
	if err != nil || r.Status != desk.IncomingAccepted {
		t.Fatal(r, err)
	}
	if err := o.SettleIncoming(t.Context(), id, "attempt", r); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"anna", "clara"} {
		var view struct {
			Entries []struct{ Kind, Body, HTML, Channel string }
		}
		for deadline := time.Now().Add(time.Minute); len(view.Entries) == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			if err := json.Unmarshal(o.do(who, 200, "GET", "/api/v1/tickets/"+string(r.Ticket)+"/timeline", "").Body.Bytes(), &view); err != nil {
				t.Fatal(err)
			}
		}
		if len(view.Entries) == 0 {
			t.Fatal("the ticket has no entry")
		}
		e := view.Entries[0]
		if e.Channel != "email" || e.Body != "The *plain* text." || e.HTML != `<table dir="auto"><tr><td>Its <b>own</b> HTML</td></tr></table>` {
			t.Errorf("as %s: %+v", who, e)
		}
	}
}

// TestTimeline_saysToStaffWhetherAnythingConfirmsTheSenderOfAnEmail checks that, and that customers do not see it.
func TestTimeline_saysToStaffWhetherAnythingConfirmsTheSenderOfAnEmail(t *testing.T) {
	o := openFixture(t)
	by := o.People["clara"]
	for _, sender := range []desk.EmailSender{desk.SenderUnconfirmed, desk.SenderConfirmed} {
		by.Sender = sender
		receipt, err := o.Desk.Submit(t.Context(), by, desk.Submission{Subject: "s", Body: "b", Channel: desk.ChannelEmail})
		if err != nil {
			t.Fatal(err)
		}
		location := "/api/v1/tickets/" + string(receipt.Number)
		timeline := location + "/timeline"
		o.do("anna", 200, "POST", location+"/notes", `{"body": "the ticket was stored before this"}`)
		if got := o.do("anna", 200, "GET", timeline, "").Body.String(); !strings.Contains(got, fmt.Sprintf(`"sender":"%s"`, sender)) {
			t.Errorf("Anna reads %s, want the sender %s", got, sender)
		}
		if got := o.do("clara", 200, "GET", timeline, "").Body.String(); strings.Contains(got, `"sender"`) {
			t.Errorf("Clara reads %s", got)
		}
	}
}
