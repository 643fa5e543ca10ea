package ticket_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestBreach_isShownAgainstTheTargetThatWasBroken whatever happens to the ticket between the breach, after 100 hours, and
// the answer two hours later.
func TestBreach_isShownAgainstTheTargetThatWasBroken(t *testing.T) {
	for name, between := range map[string]func(*life){
		"the ladder raises the priority": func(*life) {},
		"somebody raises it again": func(l *life) {
			l.granted(101, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
		},
		"somebody lowers it": func(l *life) {
			l.granted(101, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityLow})
		},
		"the targets are made longer": func(l *life) {
			l.granted(101, byHand, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: time.Hour})
		},
		"a stricter policy": func(l *life) { l.adopt(101, but(tight, "100h", "10h")) },
		"a laxer policy":    func(l *life) { l.adopt(101, but(tight, "100h", "900h")) },
		"a policy for other time": func(l *life) {
			l.adopt(101, but(tight, "time_zone: UTC",
				"time_zone: UTC\nhours: {monday: [\"10:00-17:00\"]}", "100h, counts: calendar", "3d, counts: business_days"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := submitted(t, tight)
			l.until(100)
			between(l)
			stands := func(when string, used time.Duration) {
				t.Helper()
				p := l.ticket.FirstResponse
				due, _ := p.Due()
				if got := p.Clock.Used(l.policy.Calendar, at(used.Hours())); p.Clock.Budget() != 100*time.Hour || got != used || !due.Equal(at(100)) {
					t.Errorf("%s: %s of %s used, due %s", when, got, p.Clock.Budget(), due)
				}
			}
			stands("owed", 102*time.Hour)
			l.says(102, byAgent, ticket.VerbAgentReply)
			stands("given", 102*time.Hour)
		})
	}
}

// TestKept_isShownAgainstTheTargetThatWasKept: a resolution that stands may be owed again, and then by the new target.
func TestKept_isShownAgainstTheTargetThatWasKept(t *testing.T) {
	l := submitted(t, tight)
	l.says(50, byAgent, ticket.VerbResolve)
	l.granted(51, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	clock := l.ticket.Resolution.Clock
	if kept := clock.AsSettled(); kept.Budget() != 200*time.Hour || clock.Budget() != 60*time.Hour {
		t.Errorf("kept within %s, and owed again within %s", kept.Budget(), clock.Budget())
	}
	l.does(52, byAgent, ticket.VerbReopen)
	if again := l.ticket.Resolution.Clock.AsSettled(); again.Budget() != 60*time.Hour {
		t.Errorf("owed again within %s", again.Budget())
	}
}
