package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Apply returns the ticket after one more event; a ticket's state is the fold of its events. Apply needs no calendar,
// because an event carries the ledger entries that were computed when it happened, so a change of time zone data never
// moves a recorded instant.
func Apply(t Ticket, e Event) Ticket {
	t.Events = e.N
	was := SilenceEnding{t.Status, t.Cause}
	if e.Status != "" {
		t.Status, t.Cause = e.Status, e.Cause
	}
	if e.Priority != "" {
		t.Priority = e.Priority
		if e.Kind != EventSubmitted {
			t.PriorityChangedAt = e.At
		}
	}
	if e.Category != "" {
		t.Category = e.Category
	}
	if e.Assignee != "" {
		t.Assignee, t.Handle = e.Assignee, e.Handle
	}
	for _, c := range e.Clocks {
		p := t.Promise(c.Clock)
		p.Clock = p.Clock.Append(c.Entry)
	}
	t.applySilence(e, was)
	t.applyMessage(e)
	t.applyPromises(e)
	t.applyEmergency(e)
	t.applyPolicy(e)
	t.applySnooze(e)
	return t
}

func (t *Ticket) applyPromises(e Event) {
	if e.Answers {
		if t.FirstResponse.MetAt.IsZero() {
			t.FirstResponse.MetAt = e.At
		}
		t.endEscalations()
	}
	switch e.Kind {
	case EventSubmitted:
		t.Submitted = e.At
	case EventReminded:
		t.Promise(e.Promise).Reminded = true
	case EventBreached:
		p := t.Promise(e.Promise)
		p.BreachedAt, p.EscalatingFrom = e.At, e.At
	case EventEscalated:
		t.Promise(e.Promise).recordStep(e.EscalationStep)
	case EventAcknowledged:
		t.endEscalations()
	case EventResolved:
		t.Resolution.MetAt = e.At
		t.endEscalations()
	case EventMailResent:
		if e.Status == StatusResolved {
			t.Resolution.MetAt = e.At
			t.endEscalations()
		}
	case EventReopened, EventHandedBack:
		t.Resolution.MetAt = time.Time{}
	case EventClosed:
		t.endEscalations()
	}
}

func (t *Ticket) endEscalations() {
	for _, name := range policy.ClockNames() {
		if p := t.Promise(name); p.Escalating() {
			p.Acknowledged = true
		}
	}
}
