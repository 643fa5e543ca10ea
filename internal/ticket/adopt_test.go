package ticket_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// adopt moves the ticket to another policy as the next version.
func (f *fixture) adopt(hours float64, document string) ticket.Result {
	f.t.Helper()
	p := parse(f.t, document)
	r := f.mustDecide(hours, bySupervisor, ticket.Command{Verb: ticket.VerbAdoptPolicy, Policy: f.ticket.Policy + 1, Adopt: p})
	f.policy = p
	return r
}

// replaced returns a document with some strings replaced.
func replaced(document string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(document)
}

// dueAfter returns a deadline in hours after the submission, or -1 if there is none.
func (f *fixture) dueAfter(name policy.ClockName) float64 {
	f.t.Helper()
	due, ok := f.ticket.Promise(name).Clock.Due()
	if !ok {
		return -1
	}
	return due.Sub(submission).Hours()
}

func TestAdoptPolicy_recordsBothVersions(t *testing.T) {
	f := submitted(t, plainPolicy)
	r := f.adopt(10, replaced(plainPolicy, "100h", "50h"))
	e := r.Events[0]
	if len(r.Events) != 1 || e.Kind != ticket.EventPolicyAdopted || e.Policy != 2 || e.Was != 1 || e.By != bySupervisor || f.ticket.Policy != 2 {
		t.Errorf("recorded %+v", r.Events)
	}
	if f.dueAfter(policy.FirstResponse) != 50 || f.dueAfter(policy.Resolution) != 200 {
		t.Errorf("due after %gh and %gh", f.dueAfter(policy.FirstResponse), f.dueAfter(policy.Resolution))
	}
	want := []ticket.Mail{{Kind: ticket.MailPolicyChange, Event: 2, Person: customer}}
	if !reflect.DeepEqual(r.Mails, want) {
		t.Errorf("owes %+v, want %+v", r.Mails, want)
	}
}

func TestAdoptPolicy_sendsNoMailWhenNoDeadlineChanges(t *testing.T) {
	f := submitted(t, plainPolicy)
	if r := f.adopt(10, replaced(plainPolicy, "24h", "23h")); len(r.Mails) > 0 {
		t.Errorf("owes %v", mailLines(r.Mails))
	}
	f = submitted(t, plainPolicy)
	f.write(5, byAgent, ticket.VerbAgentReply)
	if r := f.adopt(10, replaced(plainPolicy, "100h", "50h")); len(r.Mails) > 0 {
		t.Errorf("a first response that was given is mailed about: %v", mailLines(r.Mails))
	}
}

func TestAdoptPolicy_breachesAtOnceWhenTheTargetIsUsedUp(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.advance(30)
	f.adopt(30, replaced(plainPolicy, "100h", "20h"))
	if f.dueAfter(policy.FirstResponse) != 30 {
		t.Errorf("due after %gh", f.dueAfter(policy.FirstResponse))
	}
	r := f.advance(30)
	wantEqual(t, "then came", kinds(r.Events), []ticket.EventKind{ticket.EventBreached, ticket.EventEscalated})
}

func TestAdoptPolicy_repeatsNoDueEvent(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.advance(125) // reminded at 75, broken at 100 with its first step, the second at 124
	before := f.ticket.FirstResponse
	f.adopt(130, replaced(plainPolicy, "100h", "300h", "after: 24h", "after: 2h"))
	if r := f.advance(190); slices.ContainsFunc(r.Events, func(e ticket.Event) bool { return e.Promise == policy.FirstResponse }) {
		t.Errorf("fired again: %v", kinds(r.Events))
	}
	after := f.ticket.FirstResponse
	if after.BreachedAt != before.BreachedAt || after.EscalationSteps != before.EscalationSteps || !after.Reminded {
		t.Errorf("the missed target was %+v, is %+v", before, after)
	}
}

// Nothing fires at a time before the change.
func TestAdoptPolicy_appliesEscalationAndSilenceFromNowOn(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.advance(101)
	f.adopt(110, replaced(plainPolicy, "after: 24h", "after: 5h"))
	r := f.advance(110)
	if len(r.Events) != 1 || r.Events[0].Kind != ticket.EventEscalated || r.Events[0].EscalationStep != 2 || !r.Events[0].At.Equal(at(110)) {
		t.Errorf("the step that would have been earlier: %+v", r.Events)
	}
	f = submitted(t, plainPolicy)
	f.write(1, byAgent, ticket.VerbRequestInformation)
	f.adopt(20, replaced(plainPolicy, "nudge_after: 24h", "nudge_after: 4h", "resolve_after: 72h", "resolve_after: 30h"))
	r = f.advance(40)
	if len(r.Events) != 2 || r.Events[0].Kind != ticket.EventNudged || !r.Events[0].At.Equal(at(20)) || !r.Events[1].At.Equal(at(31)) {
		t.Errorf("silence: %+v", r.Events)
	}
}

// In each status that can pause a clock.
func TestAdoptPolicy_pausesClocksByTheNewPolicy(t *testing.T) {
	none := replaced(plainPolicy, ", pauses: [waiting, resolved]", "")
	for name, c := range map[string]struct {
		from, to string
		verb     ticket.Verb
		paused   bool
		due      float64 // of the resolution
	}{
		"waiting, and pauses no more":  {plainPolicy, none, ticket.VerbRequestInformation, false, 210}, // 10h to 20h did not count
		"waiting, and pauses now":      {none, plainPolicy, ticket.VerbRequestInformation, true, -1},
		"resolved, and pauses no more": {plainPolicy, none, ticket.VerbResolve, false, 210},
		"resolved, and pauses now":     {none, plainPolicy, ticket.VerbResolve, true, -1},
	} {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, c.from)
			f.write(10, byAgent, c.verb)
			f.adopt(20, c.to)
			if paused := len(f.ticket.Resolution.Clock.Reasons()) > 0; paused != c.paused {
				t.Errorf("paused %v", paused)
			}
			if due := f.dueAfter(policy.Resolution); due != c.due {
				t.Errorf("due after %gh, want %gh", due, c.due)
			}
			f.do(30, byAgent, ticket.VerbReopen)
			if due := f.dueAfter(policy.Resolution); due != 210 { // ten hours did not count, before the change or after it
				t.Errorf("open again it is due after %gh", due)
			}
		})
	}
}

func TestAdoptPolicy_inAnEmergencyTakesEffectAtItsEnd(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(1, byAgent, ticket.VerbRequestInformation)
	f.mustDecide(10, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "E-1"})
	f.adopt(20, replaced(plainPolicy, "nudge_after: 24h", "nudge_after: 4h"))
	if r := f.advance(100); len(r.Events) > 0 {
		t.Errorf("in the emergency: %v", kinds(r.Events))
	}
	f.mustDecide(100, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyResume, Emergency: "E-1"})
	r := f.advance(100)
	if len(r.Events) != 1 || r.Events[0].Kind != ticket.EventNudged || !r.Events[0].At.Equal(at(100)) {
		t.Errorf("after it: %+v", r.Events)
	}
}

func TestAdoptPolicy_manualCommandNamesTheVersion(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.mustDecide(3, byOperator, ticket.Command{Verb: ticket.VerbAdoptPolicy, Policy: 7, Adopt: parse(t, replaced(plainPolicy, "100h", "50h"))})
	if f.ticket.Policy != 7 || f.dueAfter(policy.FirstResponse) != 50 {
		t.Errorf("under version %d, due after %gh", f.ticket.Policy, f.dueAfter(policy.FirstResponse))
	}
	if f.ticket.NotBefore != at(3) || f.ticket.NotBefore.Location() != time.UTC {
		t.Errorf("nothing falls due before %s", f.ticket.NotBefore)
	}
}
