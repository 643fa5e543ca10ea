package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Ticket is the state that follows from a ticket's events, and nothing else.
type Ticket struct {
	Number    Number          `json:"number"`
	Policy    int64           `json:"policy"` // version that it is under: that of its acceptance, unless it was moved
	Status    Status          `json:"status"`
	Cause     Cause           `json:"cause,omitempty"` // of being resolved or closed
	Priority  policy.Priority `json:"priority"`
	Category  string          `json:"category"`
	Requester PersonID        `json:"requester"`
	Assignee  PersonID        `json:"assignee,omitempty"`
	Handle    string          `json:"handle,omitempty"` // the assignee's
	Submitted time.Time       `json:"submitted"`
	Events    int             `json:"events"` // how many there are; the last one's number

	FirstResponse Promise `json:"first_response"`
	Resolution    Promise `json:"resolution"`

	Ranked time.Time `json:"ranked,omitzero"` // the priority's last change: a rung that it brought into play falls due then

	SilentSince time.Time     `json:"silent_since,omitzero"` // waiting or resolved: the requester's silence counts from here; zero: the mail that asks is owed
	Silent      time.Duration `json:"silent,omitempty"`      // how long it had lasted when the nudge was owed
	Nudged      bool          `json:"nudged,omitempty"`
	Asked       int           `json:"asked,omitempty"`      // the event whose mail asks for an answer; 0: it owed none
	AskedFrom   int           `json:"asked_from,omitempty"` // the first such event of the present exchange
	Returned    Ending        `json:"returned,omitzero"`    // open because the mail that asks bounced: what the ticket was

	NotBefore time.Time `json:"not_before,omitzero"` // nothing falls due before: then the policy came to hold that says so

	SnoozedUntil time.Time `json:"snoozed_until,omitzero"` // zero: the ticket is awake

	Written Written `json:"written,omitzero"`

	Emergencies []Stay `json:"emergencies,omitempty"` // that touched it, as they came
}

// Promise is one of the two things promised to the requester, with its clock and what became of it.
type Promise struct {
	Clock        policy.Clock `json:"clock"`
	Reminded     bool         `json:"reminded,omitempty"`
	MetAt        time.Time    `json:"met_at,omitzero"`      // kept, or at least delivered, at this instant
	BreachedAt   time.Time    `json:"breached_at,omitzero"` // the deadline that passed
	LadderFrom   time.Time    `json:"ladder_from,omitzero"` // rungs count from here: the breach, later by every emergency since
	Rungs        int          `json:"rungs,omitempty"`      // the highest that has fired; those before it have, but for Skipped
	Skipped      []int        `json:"skipped,omitempty"`    // rungs that were not for the ticket at their time, ascending
	Acknowledged bool         `json:"acknowledged,omitempty"`
}

// Escalating reports whether the ladder of a broken promise is still being climbed.
func (p Promise) Escalating() bool { return !p.BreachedAt.IsZero() && !p.Acknowledged }

// Due is the deadline: the one that passed, once the promise was broken. It is false for a promise that was not broken
// while its clock stands still or has not started.
func (p Promise) Due() (time.Time, bool) {
	if !p.BreachedAt.IsZero() {
		return p.BreachedAt, true
	}
	return p.Clock.Due()
}

// Promise gives the named one.
func (t *Ticket) Promise(name policy.ClockName) *Promise {
	if name == policy.FirstResponse {
		return &t.FirstResponse
	}
	return &t.Resolution
}

// Closed reports whether the ticket's life is over.
func (t *Ticket) Closed() bool { return t.Status == StatusClosed }

// Rung is the highest rung that has fired and that nobody has answered; 0 when all is calm.
func (t *Ticket) Rung() int {
	rung := 0
	for _, name := range policy.ClockNames() {
		if p := t.Promise(name); p.Escalating() {
			rung = max(rung, p.Rungs)
		}
	}
	return rung
}

// Paused reports whether a promise that is still owed stands still.
func (t *Ticket) Paused() bool {
	for _, name := range policy.ClockNames() {
		p := t.Promise(name)
		if p.MetAt.IsZero() && len(p.Clock.Reasons()) > 0 {
			return true
		}
	}
	return false
}

// Draft is the ticket before its first event: what the fold starts from.
func Draft(number Number, requester PersonID, version int64, p *policy.Policy) Ticket {
	return Ticket{
		Number: number, Requester: requester, Policy: version,
		FirstResponse: Promise{Clock: policy.Clock{Counts: p.Clocks[policy.FirstResponse].Counts}},
		Resolution:    Promise{Clock: policy.Clock{Counts: p.Clocks[policy.Resolution].Counts}},
	}
}

// OwedAt is the deadline of the earliest promise that is owed, whether it runs or was broken already. It is zero when
// none is owed, or none of those that are runs.
func (t Ticket) OwedAt() time.Time {
	var earliest time.Time
	for _, p := range []Promise{t.FirstResponse, t.Resolution} {
		due, runs := p.Clock.Due()
		if !p.BreachedAt.IsZero() {
			due, runs = p.BreachedAt, p.MetAt.IsZero()
		} else if p.Clock.Settled() || !p.Clock.Running() {
			runs = false
		}
		if runs && !t.Closed() && (earliest.IsZero() || due.Before(earliest)) {
			earliest = due
		}
	}
	return earliest
}
