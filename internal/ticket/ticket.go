package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Ticket is the state of a ticket: the fold of its events.
type Ticket struct {
	Number    Number          `json:"number"`
	Policy    int64           `json:"policy"` // version that it is pinned to
	Status    Status          `json:"status"`
	Cause     Cause           `json:"cause,omitempty"` // of being resolved or closed
	Priority  policy.Priority `json:"priority"`
	Category  string          `json:"category"`
	Requester PersonID        `json:"requester"`
	Assignee  PersonID        `json:"assignee,omitempty"`
	Handle    string          `json:"handle,omitempty"` // of the assignee
	Submitted time.Time       `json:"submitted"`
	Events    int             `json:"events"` // number of events, which is also the number of the last one

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
