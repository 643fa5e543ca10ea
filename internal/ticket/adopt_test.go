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
func (l *life) adopt(hours float64, document string) ticket.Result {
	l.t.Helper()
	p := parse(l.t, document)
	r := l.granted(hours, bySupervisor, ticket.Command{Verb: ticket.VerbAdoptPolicy, Policy: l.ticket.Policy + 1, Adopt: p})
	l.policy = p
	return r
}

// but is a document with other words in a place.
func but(document string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(document)
}

// dueAfter is the recorded deadline in hours after the birth; -1 without one.
func (l *life) dueAfter(name policy.ClockName) float64 {
	l.t.Helper()
	due, ok := l.ticket.Promise(name).Clock.Due()
	if !ok {
		return -1
	}
	return due.Sub(birth).Hours()
}

func TestAdopt_isOnTheTimelineWithBothVersions(t *testing.T) {
	l := submitted(t, plain)
	r := l.adopt(10, but(plain, "100h", "50h"))
	e := r.Events[0]
	if len(r.Events) != 1 || e.Kind != ticket.EventPolicyAdopted || e.Policy != 2 || e.Was != 1 || e.By != bySupervisor || l.ticket.Policy != 2 {
		t.Errorf("told %+v", r.Events)
	}
	if l.dueAfter(policy.FirstResponse) != 50 || l.dueAfter(policy.Resolution) != 200 {
		t.Errorf("due after %gh and %gh", l.dueAfter(policy.FirstResponse), l.dueAfter(policy.Resolution))
	}
	want := []ticket.Mail{{Kind: ticket.MailPolicyChange, Event: 2, Person: customer}}
	if !reflect.DeepEqual(r.Mails, want) {
		t.Errorf("owes %+v, want %+v", r.Mails, want)
	}
}

func TestAdopt_mailsNobodyWhenNoDateChanges(t *testing.T) {
	l := submitted(t, plain)
	if r := l.adopt(10, but(plain, "24h", "23h")); len(r.Mails) > 0 {
		t.Errorf("owes %v", owed(r.Mails))
	}
	l = submitted(t, plain)
	l.says(5, byAgent, ticket.VerbAgentReply)
	if r := l.adopt(10, but(plain, "100h", "50h")); len(r.Mails) > 0 {
		t.Errorf("a first response that was given is told of: %v", owed(r.Mails))
	}
}

func TestAdopt_fallsDueAtOnceWhenNothingIsLeft(t *testing.T) {
	l := submitted(t, plain)
	l.until(30)
	l.adopt(30, but(plain, "100h", "20h"))
	if l.dueAfter(policy.FirstResponse) != 30 {
		t.Errorf("due after %gh", l.dueAfter(policy.FirstResponse))
	}
	r := l.until(30)
	same(t, "then came", kinds(r.Events), []ticket.EventKind{ticket.EventBreached, ticket.EventEscalated})
}

func TestAdopt_firesNothingAgain(t *testing.T) {
	l := submitted(t, plain)
	l.until(125) // reminded at 75, broken at 100 with its first rung, the second at 124
	before := l.ticket.FirstResponse
	l.adopt(130, but(plain, "100h", "300h", "after: 24h", "after: 2h"))
	if r := l.until(190); slices.ContainsFunc(r.Events, func(e ticket.Event) bool { return e.Promise == policy.FirstResponse }) {
		t.Errorf("fired again: %v", kinds(r.Events))
	}
	after := l.ticket.FirstResponse
	if after.BreachedAt != before.BreachedAt || after.Rungs != before.Rungs || !after.Reminded {
		t.Errorf("the broken promise was %+v, is %+v", before, after)
	}
}

// TestAdopt_ladderAndSilenceAreTheNewOnesFromNowOn lets nothing happen before the change that the old policy did not have.
func TestAdopt_ladderAndSilenceAreTheNewOnesFromNowOn(t *testing.T) {
	l := submitted(t, plain)
	l.until(101)
	l.adopt(110, but(plain, "after: 24h", "after: 5h"))
	r := l.until(110)
	if len(r.Events) != 1 || r.Events[0].Kind != ticket.EventEscalated || r.Events[0].Rung != 2 || !r.Events[0].At.Equal(at(110)) {
		t.Errorf("the rung that would have been earlier: %+v", r.Events)
	}
	l = submitted(t, plain)
	l.says(1, byAgent, ticket.VerbRequestInformation)
	l.adopt(20, but(plain, "nudge_after: 24h", "nudge_after: 4h", "resolve_after: 72h", "resolve_after: 30h"))
	r = l.until(40)
	if len(r.Events) != 2 || r.Events[0].Kind != ticket.EventNudged || !r.Events[0].At.Equal(at(20)) || !r.Events[1].At.Equal(at(31)) {
		t.Errorf("silence: %+v", r.Events)
	}
}

// TestAdopt_standsStillAsTheNewPolicySays in each status that may pause a clock.
func TestAdopt_standsStillAsTheNewPolicySays(t *testing.T) {
	none := but(plain, ", pauses: [waiting, resolved]", "")
	for name, c := range map[string]struct {
		from, to string
		verb     ticket.Verb
		paused   bool
		due      float64 // of the resolution
	}{
		"waiting, and pauses no more":  {plain, none, ticket.VerbRequestInformation, false, 210}, // 10h to 20h did not count
		"waiting, and pauses now":      {none, plain, ticket.VerbRequestInformation, true, -1},
		"resolved, and pauses no more": {plain, none, ticket.VerbResolve, false, 210},
		"resolved, and pauses now":     {none, plain, ticket.VerbResolve, true, -1},
	} {
		t.Run(name, func(t *testing.T) {
			l := submitted(t, c.from)
			l.says(10, byAgent, c.verb)
			l.adopt(20, c.to)
			if paused := len(l.ticket.Resolution.Clock.Reasons()) > 0; paused != c.paused {
				t.Errorf("paused %v", paused)
			}
			if due := l.dueAfter(policy.Resolution); due != c.due {
				t.Errorf("due after %gh, want %gh", due, c.due)
			}
			l.does(30, byAgent, ticket.VerbReopen)
			if due := l.dueAfter(policy.Resolution); due != 210 { // ten hours did not count, before the change or after it
				t.Errorf("open again it is due after %gh", due)
			}
		})
	}
}

func TestAdopt_inAnEmergencyWaitsForItsEnd(t *testing.T) {
	l := submitted(t, plain)
	l.says(1, byAgent, ticket.VerbRequestInformation)
	l.granted(10, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "E-1"})
	l.adopt(20, but(plain, "nudge_after: 24h", "nudge_after: 4h"))
	if r := l.until(100); len(r.Events) > 0 {
		t.Errorf("in the emergency: %v", kinds(r.Events))
	}
	l.granted(100, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyResume, Emergency: "E-1"})
	r := l.until(100)
	if len(r.Events) != 1 || r.Events[0].Kind != ticket.EventNudged || !r.Events[0].At.Equal(at(100)) {
		t.Errorf("after it: %+v", r.Events)
	}
}

func TestAdopt_byHandNamesTheVersion(t *testing.T) {
	l := submitted(t, plain)
	l.granted(3, byHand, ticket.Command{Verb: ticket.VerbAdoptPolicy, Policy: 7, Adopt: parse(t, but(plain, "100h", "50h"))})
	if l.ticket.Policy != 7 || l.dueAfter(policy.FirstResponse) != 50 {
		t.Errorf("under version %d, due after %gh", l.ticket.Policy, l.dueAfter(policy.FirstResponse))
	}
	if l.ticket.NotBefore != at(3) || l.ticket.NotBefore.Location() != time.UTC {
		t.Errorf("nothing falls due before %s", l.ticket.NotBefore)
	}
}
