package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound"
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
	raw := o.do("anna", 200, "GET", mail+"/raw", "")
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
	o.do("anna", 404, "GET", other+"/raw", "")
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
