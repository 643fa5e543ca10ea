package ticket_test

import (
	"reflect"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestKeep_showsWhatASupervisorLooksFor(t *testing.T) {
	cases := map[string]struct {
		live func(*life)
		want ticket.Shown
	}{
		"a new one": {func(*life) {}, ticket.Shown{Promise: policy.FirstResponse, PromiseDue: at(100)}},
		"answered": {func(l *life) { l.says(1, byAgent, ticket.VerbAgentReply) },
			ticket.Shown{Promise: policy.Resolution, PromiseDue: at(200)}},
		"a broken promise is not the next one": {func(l *life) { l.until(100) },
			ticket.Shown{Promise: policy.Resolution, PromiseDue: at(200), Breached: true}},
		"a promise that was given late is not owed": {func(l *life) { l.until(100); l.says(101, byAgent, ticket.VerbAgentReply) },
			ticket.Shown{Promise: policy.Resolution, PromiseDue: at(200)}},
		"it waits for the requester": {func(l *life) { l.says(1, byAgent, ticket.VerbRequestInformation) },
			ticket.Shown{PausedFor: []policy.Reason{policy.ReasonWaiting}}},
		"it waits, and an emergency": {func(l *life) {
			l.says(1, byAgent, ticket.VerbRequestInformation)
			l.does(2, bySupervisor, ticket.VerbEmergencyPause)
		}, ticket.Shown{PausedFor: []policy.Reason{policy.ReasonEmergency, policy.ReasonWaiting}}},
		"resolved without an answer": {func(l *life) { l.says(1, byAgent, ticket.VerbResolve) }, ticket.Shown{}},
		"closed":                     {func(l *life) { l.does(1, byAgent, ticket.VerbClose) }, ticket.Shown{}},
		"closed without ever being answered": {func(l *life) { l.until(100); l.does(101, byAgent, ticket.VerbClose) },
			ticket.Shown{Breached: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := submitted(t, plain)
			c.live(l)
			s := ticket.Keep(l.ticket, l.policy, 4, 5, at(150))
			if !reflect.DeepEqual(*s.Shown, c.want) {
				t.Errorf("got %+v, want %+v", *s.Shown, c.want)
			}
			if s.Paused != (len(s.Shown.PausedFor) > 0) {
				t.Errorf("paused %t, for %v", s.Paused, s.Shown.PausedFor)
			}
		})
	}
}
