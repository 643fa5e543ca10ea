package ticket_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// A script that declares emergencies without end neither bloats the state nor displaces the desk-wide emergency.
func TestState_staysBoundedUnderManualEmergencies(t *testing.T) {
	f := submitted(t, plainPolicy)
	flood := ticket.EmergencyPeriod{ID: "E-7Q2K9XM4TD", From: at(1), Until: at(1), By: time.Hour}
	f.ticket.Emergencies = []ticket.EmergencyPeriod{flood}
	name := strings.Repeat("snöw ", 39)
	for i := range 500 {
		hour := float64(2 + i)
		f.mustDecide(hour, byOperator, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: fmt.Sprint(name, i)})
		f.mustDecide(hour, byOperator, ticket.Command{Verb: ticket.VerbEmergencyResume})
		f.mustDecide(hour, byOperator, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: time.Minute})
	}
	if all := f.ticket.Emergencies; len(all) != 21 || all[0] != flood {
		t.Errorf("%d emergencies are remembered, the first is %+v", len(all), all[0])
	}
	if got := f.ticket.Resolution.Clock.Extension(); got != 202*time.Minute { // the promise was broken in hour 203, and stands
		t.Errorf("extended by %s", got)
	}
	state := ticket.NewState(f.ticket, f.policy, 1500, 1, at(1000))
	stored, err := json.Marshal(state)
	if err != nil || len(stored) > 32<<10 {
		t.Errorf("the state has %d bytes, %v", len(stored), err)
	}
	digest, err := json.Marshal(state.Digest())
	if err != nil || len(digest) > 3<<10 {
		t.Errorf("the digest has %d bytes, %v:\n%s", len(digest), err, digest)
	}
	if d := state.Digest(); d.EarlierEmergencies+len(d.Emergencies) != 21 {
		t.Errorf("the digest names %d emergencies and %d earlier ones", len(d.Emergencies), d.EarlierEmergencies)
	}
}

func TestExtend_isRefusedBeyondTenYears(t *testing.T) {
	f := submitted(t, plainPolicy)
	year := ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: 366 * 24 * time.Hour}
	for range 10 {
		f.mustDecide(1, byOperator, year)
	}
	for _, by := range []time.Duration{year.Extension, time.Second} {
		r := f.decide(2, byOperator, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: by})
		if r.Outcome.Code != ticket.CodeLimit {
			t.Errorf("%s more: %+v", by, r.Outcome)
		}
	}
}

func TestManualCommand_carriesOnlyTheFieldsOfItsVerb(t *testing.T) {
	fields := map[string]ticket.ManualCommand{
		"agent": {Agent: "agent-1"}, "priority": {Priority: policy.PriorityHigh}, "category": {Category: "order"},
		"emergency": {Emergency: "snow"}, "seconds": {Extension: time.Hour}, "policy": {Policy: 1},
	}
	takes := map[ticket.Verb]string{
		ticket.VerbAssign: "agent", ticket.VerbReclassify: "priority category", ticket.VerbEmergencyPause: "emergency",
		ticket.VerbEmergencyExtend: "emergency seconds", ticket.VerbEmergencyResume: "emergency", ticket.VerbAdoptPolicy: "policy",
	}
	for _, verb := range ticket.Signals() {
		for name, h := range fields {
			h.Verb, h.Key = verb, "k"
			want := h
			if !strings.Contains(takes[verb], name) {
				want = ticket.ManualCommand{Key: "k", Verb: verb, Malformed: true}
			}
			if got := h.Checked(); got != want {
				t.Errorf("%s with %s: %+v, want %+v", verb, name, got, want)
			}
		}
	}
	for _, h := range []ticket.ManualCommand{
		{Agent: strings.Repeat("a", 201)}, {Agent: "a\x00b"}, {Agent: "a\xffb"},
	} {
		h.Verb = ticket.VerbAssign
		if !h.Checked().Malformed {
			t.Errorf("%+v passes", h)
		}
	}
}
