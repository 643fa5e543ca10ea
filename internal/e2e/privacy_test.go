package e2e_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/mailtest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Canaries stand for everything that people write and are called. None may be found in Temporal, in clear or in
// base 64.
func TestTemporal_holdsNothingThatPeopleWroteOrAreCalled(t *testing.T) {
	t.Parallel()
	s := start(t, fast)
	canary := s.invite("customer", "canary-address@demo.example", "--name", "Canary-Name")
	number := canary.must(http.StatusCreated, http.MethodPost, "/tickets", words{
		"subject": "Canary-Subject", "body": "Canary-Body", "order": "Canary-Order",
	}).number(t)
	s.agent.do(number, "information-requests", words{"body": "Canary-Question"})
	canary.do(number, "replies", words{"body": "Canary-Answer"})
	s.agent.do(number, "notes", words{"body": "Canary-Note"})
	s.agent.do(number, "progress", words{"body": "Canary-Progress"})
	// What is refused was typed too.
	s.agent.must(http.StatusConflict, http.MethodPatch, "/tickets/"+number, words{"category": "Canary-Category"})
	canary.must(http.StatusConflict, http.MethodPost, "/tickets/"+number+"/confirmation", words{})
	s.agent.do(number, "replies", words{"body": "Canary-Reply"})
	s.agent.do(number, "resolution", words{"body": "Canary-Resolution"})
	// Its own bounce would open the ticket again.
	s.mails.Wait(t, func(m mailtest.Message) bool { return strings.Contains(m.Text, "Canary-Resolution") })
	s.mails.RejectRecipients(refuse("Canary-Bounce of canary-address@demo.example"))
	canary.do(number, "confirmation", nil)
	eventually(t, "the bounce is on record", func() (bool, string) {
		entries := s.agent.timeline(number)
		last := entries[len(entries)-1]
		return last.Kind == "mail-bounced", last.Kind
	})
	s.mails.RejectRecipients(nil)
	s.agent.do(number, fmt.Sprintf("mails/%d/resend", s.bounce(number)), words{"address": "canary-corrected@demo.example"})
	s.mails.Wait(t, func(m mailtest.Message) bool { return slices.Contains(m.To, "canary-corrected@demo.example") })
	s.checkTemporal(number)
}

// alarming breaks its first promise at once and notifies everyone it can.
const alarming = `
name: Canary-Policy
contact: canary-contact@demo.example
time_zone: UTC
clocks:
  first_response: {target: 4s, counts: calendar, remind_at: 50%}
  resolution: {target: 1h, counts: calendar, pauses: [waiting, resolved]}
escalation: # Canary-Comment
  - {after: 0s, tell: [supervisors, {person: agent-1}, {webhook: ops}], raise_priority: true}
assignment:
  - {group: ops-group, by: round_robin, reassign_on_breach: [first_response]}
`

// What supervisors write is words too: notices, reasons, titles, policies, and where webhooks lead.
func TestTemporal_holdsNothingThatSupervisorsWrote(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Canary-Refusal", http.StatusServiceUnavailable)
	}))
	t.Cleanup(endpoint.Close)
	s.worker.stop()
	s.worker = s.program("worker", "SUPPORTDESK_WEBHOOKS=ops="+endpoint.URL+"/Canary-Path?key=Canary-Key", "SUPPORTDESK_WEBHOOK_SECRET_OPS=Canary-Secret-0123456789")
	s.worker.start()
	early := s.customer.submit("Early", "words")
	s.supervisor.must(http.StatusCreated, http.MethodPost, "/groups", words{"handle": "ops-group", "title": "Canary-Group"})
	s.supervisor.must(http.StatusOK, http.MethodPut, "/groups/ops-group/members/agent-1", nil)
	s.supervisor.must(http.StatusCreated, http.MethodPost, "/policies", words{"document": alarming, "reason": "Canary-Reason"})
	s.supervisor.must(http.StatusOK, http.MethodPost, "/policies/2/adoption", words{"tickets": []string{early}})
	number := s.customer.submit("Escalated", "words")
	pool := s.pool()
	s.awaitCount(pool, "a webhook was tried", 1, 1, `SELECT count(*) FROM deliveries WHERE queue = 'webhook' AND ticket = $1 AND tries > 0`, number)
	s.supervisor.do(number, "acknowledgement", words{"reason": "Canary-Acknowledgement"})

	declared := s.supervisor.must(http.StatusCreated, http.MethodPost, "/emergencies", words{"kind": "delayed", "notice": "Canary-Notice", "delay_seconds": 3600})
	var emergency struct{ ID string }
	if err := declared.into(&emergency); err != nil || emergency.ID == "" {
		t.Fatalf("declared %s: %v", declared.body, err)
	}
	s.awaitVerified(ticket.VerbEmergencyExtend)
	s.awaitCount(pool, "it is announced", 1, 1000, `SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND status = 'sent'`)
	s.mails.RejectRecipients(refuse("Canary-Bounce of canary-address@demo.example"))
	s.supervisor.must(http.StatusOK, http.MethodPatch, "/emergencies/"+emergency.ID, words{"notice": "Canary-Change", "delay_seconds": 7200})
	s.awaitCount(pool, "the change comes back", 1, 1000, `SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND status = 'bounced'`)
	s.supervisor.must(http.StatusOK, http.MethodDelete, "/emergencies/"+emergency.ID, nil)
	s.awaitCount(pool, "its end comes back", 2, 1000, `SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND status = 'bounced'`)
	s.awaitCount(pool, "the old ticket is moved", 1, 1, `SELECT count(*) FROM tickets WHERE number = $1 AND policy = 2`, early)
	s.checkTemporal(number)
	for _, p := range []*part{s.worker, s.api} {
		p.log.mu.Lock()
		log := p.log.text.String()
		p.log.mu.Unlock()
		for _, word := range []string{"Canary-Path", "Canary-Key", "Canary-Secret", "Canary-Refusal", "Canary-Acknowledgement", "Canary-Notice", "Canary-Reason"} {
			if strings.Contains(log, word) {
				t.Errorf("the %s's log holds %s", p.name, word)
			}
		}
	}
}

// checkTemporal looks for canaries in all that Temporal keeps. A ticket's number must be there.
func (s *stack) checkTemporal(number string) {
	t := s.t
	t.Helper()
	s.worker.stop()
	s.temporal.Stop()

	for _, place := range s.inTemporal(number, "Canary", "canary", "demo.example", "Demo agent") {
		t.Error(place)
	}
}

// inTemporal returns where Temporal's database holds some words. A ticket's number must be there.
func (s *stack) inTemporal(number string, words ...string) (places []string) {
	s.t.Helper()
	files, err := filepath.Glob(s.temporal.DB() + "*")
	if err != nil || len(files) == 0 {
		s.t.Fatalf("find Temporal's database: %v, %v", files, err)
	}
	found := false
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Fatal(err)
		}
		found = found || bytes.Contains(text, []byte(number))
		for _, word := range words {
			for _, form := range forms(word) {
				if at := bytes.Index(text, form); at >= 0 {
					places = append(places, fmt.Sprintf("%s holds %q: …%q…", filepath.Base(file), word, text[max(0, at-100):min(len(text), at+100)]))
				}
			}
		}
	}
	if !found {
		s.t.Error("Temporal's database does not even hold the ticket's number: this test looks in the wrong place")
	}
	return places
}

// forms are a word as it is and as it looks in base 64, at each of the three places where it can begin. The digits at
// either end that its neighbours share are left out.
func forms(word string) [][]byte {
	all := [][]byte{[]byte(word)}
	for pad := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, pad), word...))
		all = append(all, []byte(encoded[(pad*8+5)/6:(pad+len(word))*8/6]))
	}
	return all
}
