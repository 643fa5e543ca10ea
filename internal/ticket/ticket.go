// Package ticket is the domain: tickets, the commands on them, and the rules that decide what follows.
//
// A decision takes a ticket's state, a command and an instant, and returns events and mails, or a refusal with its
// reason. The package is pure: it reads no clock, no random source but for new IDs, and nothing in map iteration order,
// and it neither stores nor sends anything. Its values are recorded in Temporal histories, so they must hold no text that
// people wrote, no names and no addresses; those are referred to by ID.
package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Ticket is the state of a ticket: the fold of its events.
type Ticket struct {
	Number       Number          `json:"number"`
	Policy       int64           `json:"policy"` // version that it is pinned to
	Status       Status          `json:"status"`
	Cause        Cause           `json:"cause,omitempty"` // of being resolved or closed
	Priority     policy.Priority `json:"priority"`
	Category     string          `json:"category"`
	Requester    PersonID        `json:"requester"`
	Participants []Participant   `json:"participants,omitempty"` // in the order in which they joined; at most MaxParticipants
	Assignee     PersonID        `json:"assignee,omitempty"`
	Handle       string          `json:"handle,omitempty"` // of the assignee
	Submitted    time.Time       `json:"submitted"`
	Events       int             `json:"events"` // number of events, which is also the number of the last one

	FirstResponse Promise `json:"first_response"`
	Resolution    Promise `json:"resolution"`

	PriorityChangedAt time.Time `json:"priority_changed_at,omitzero"` // last change of priority; escalation steps that it made apply are due no earlier

	SilentSince   time.Time     `json:"silent_since,omitzero"`    // start of silence; zero: none, or the mail that asks is not delivered
	SilenceBefore time.Duration `json:"silence_before,omitempty"` // silence before SilentSince, up to the nudge
	Nudged        bool          `json:"nudged,omitempty"`
	Asked         int           `json:"asked,omitempty"`        // the event whose mail asks for an answer; 0: none
	AskedFrom     int           `json:"asked_from,omitempty"`   // the first such event of the current exchange
	BeforeBounce  SilenceEnding `json:"before_bounce,omitzero"` // status before the mail that asks bounced

	NotBefore time.Time `json:"not_before,omitzero"` // nothing is due before this, the time at which a policy was adopted or a delivery reported

	SnoozedUntil time.Time `json:"snoozed_until,omitzero"` // zero: the ticket is awake

	LatestMessages LatestMessages `json:"latest_messages,omitzero"`

	Emergencies []EmergencyPeriod `json:"emergencies,omitempty"` // in the order in which they affected the ticket
}

// Promise is one of the two promises to the requester, first response and resolution, with its clock and SLA status.
type Promise struct {
	Clock           policy.Clock `json:"clock"`
	Reminded        bool         `json:"reminded,omitempty"`
	MetAt           time.Time    `json:"met_at,omitzero"`            // when it was met, in time or late
	BreachedAt      time.Time    `json:"breached_at,omitzero"`       // the deadline that passed
	EscalatingFrom  time.Time    `json:"escalation_from,omitzero"`   // escalation counts from here: the breach, later by every emergency since
	EscalationSteps int          `json:"escalation_steps,omitempty"` // the highest escalation step that has fired; those before it have, except Skipped
	Skipped         []int        `json:"skipped,omitempty"`          // steps that did not apply at their time, ascending
	Acknowledged    bool         `json:"acknowledged,omitempty"`
}

// Escalating reports whether the promise was breached and its escalation has not ended.
func (p Promise) Escalating() bool { return !p.BreachedAt.IsZero() && !p.Acknowledged }

// Due returns the deadline, which is the one that passed if the promise was breached. It returns false if an unbreached
// promise's clock is paused or has not started.
func (p Promise) Due() (time.Time, bool) {
	if !p.BreachedAt.IsZero() {
		return p.BreachedAt, true
	}
	return p.Clock.Due()
}

// Promise returns the named promise.
func (t *Ticket) Promise(name policy.ClockName) *Promise {
	if name == policy.FirstResponse {
		return &t.FirstResponse
	}
	return &t.Resolution
}

// Closed reports whether the ticket is closed, which is final.
func (t *Ticket) Closed() bool { return t.Status == StatusClosed }

// EscalationStep returns the highest escalation step that has fired and has been neither answered nor acknowledged; 0 if there is
// none.
func (t *Ticket) EscalationStep() int {
	step := 0
	for _, name := range policy.ClockNames() {
		if p := t.Promise(name); p.Escalating() {
			step = max(step, p.EscalationSteps)
		}
	}
	return step
}

// Paused reports whether a promise that has not been met is paused.
func (t *Ticket) Paused() bool {
	for _, name := range policy.ClockNames() {
		p := t.Promise(name)
		if p.MetAt.IsZero() && len(p.Clock.Reasons()) > 0 {
			return true
		}
	}
	return false
}

// Draft returns the ticket before its first event, from which the fold starts.
func Draft(number Number, requester PersonID, version int64, p *policy.Policy) Ticket {
	return Ticket{
		Number: number, Requester: requester, Policy: version,
		FirstResponse: Promise{Clock: policy.Clock{Counts: p.Clocks[policy.FirstResponse].Counts}},
		Resolution:    Promise{Clock: policy.Clock{Counts: p.Clocks[policy.Resolution].Counts}},
	}
}

// OwedAt returns the earliest deadline of the promises that have not been met: running ones, and breached ones of which
// the deadline has passed. It is zero if there is none.
func (t Ticket) OwedAt() time.Time {
	var earliest time.Time
	for _, p := range []Promise{t.FirstResponse, t.Resolution} {
		due, runs := p.Clock.Due()
		if !p.BreachedAt.IsZero() {
			due, runs = p.BreachedAt, p.MetAt.IsZero()
		} else if p.Clock.Met() || !p.Clock.Running() {
			runs = false
		}
		if runs && !t.Closed() && (earliest.IsZero() || due.Before(earliest)) {
			earliest = due
		}
	}
	return earliest
}

// Status is the status of a ticket.
type Status string

// The statuses: new → open → (waiting ⇄ open) → resolved → closed. Closed is final.
const (
	StatusNew      Status = "new"      // neither answered nor assigned
	StatusOpen     Status = "open"     // the desk has the next move
	StatusWaiting  Status = "waiting"  // the requester has the next move
	StatusResolved Status = "resolved" // done unless the requester replies
	StatusClosed   Status = "closed"   // done permanently
)

// Statuses returns every status in the usual order.
func Statuses() []Status {
	return []Status{StatusNew, StatusOpen, StatusWaiting, StatusResolved, StatusClosed}
}

// Cause is why a ticket was resolved or closed.
type Cause string

// The causes.
const (
	CauseAgent     Cause = "agent"     // staff resolved or closed it
	CauseRequester Cause = "requester" // the requester confirmed the resolution
	CauseWithdrawn Cause = "withdrawn" // the requester withdrew the ticket
	CauseSilence   Cause = "silence"   // the requester did not answer within the policy's period
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
	t.applyPeople(e)
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
