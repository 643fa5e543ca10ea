// Package desk holds the types that pages and the API read and write: people, tickets with their clocks and timelines,
// submissions and commands, emergencies, policy versions. The types validate themselves and compute what is shown; the use
// cases are in internal/app. The package knows no SQL, HTTP or Temporal.
package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Record is a ticket as it is stored.
type Record struct {
	Number      ticket.Number
	Subject     string
	Order       string
	Follows     ticket.Number   // the ticket of which this is a follow-up; empty: none
	FollowedBy  []ticket.Number // its follow-ups that the viewer may see, oldest first; only set for a single ticket
	Requester   Ref
	People      []Involved // requester first, then the participants by name; only set for a single ticket
	Assignee    *Ref       // nil: unassigned
	Submitted   time.Time
	Updated     time.Time     // last change of any kind
	Shown       time.Time     // last change visible to the requester; not before Submitted
	State       *ticket.State // nil: accepted, before its first step
	Submission  ticket.Command
	Policy      int64    // version that the ticket is pinned to
	LastCommand int64    // number of the last command accepted
	Schedule    int64    // revision of the emergency schedule when the ticket was read
	Last        *Excerpt // the newest message; only set in lists for staff
}

// Excerpt is the beginning of a message.
type Excerpt struct {
	Text     string // the first 160 characters, plain text
	Internal bool   // visible to staff only
	By       Ref
	At       time.Time // of acceptance
}

// Tracking is what anyone who knows a ticket's number may see of it.
type Tracking struct {
	Number    ticket.Number
	Status    ticket.Status
	Submitted time.Time
	Promises  Promised
}

// TicketSummary is a ticket as an entry of a short list.
type TicketSummary struct {
	Number    ticket.Number
	Subject   string
	Status    ticket.Status
	Priority  policy.Priority
	Category  string
	Submitted time.Time
	Updated   time.Time
}

// View is a ticket with its current state and its policy, ready to be shown.
type View struct {
	Record
	Ticket ticket.Ticket
	Next   ticket.DueEvent // zero: none
	Policy *policy.Policy
	// Expected are the deadlines of a ticket whose clocks an emergency pauses, if that ends as planned. ResumesAt is the
	// planned end.
	Expected  policy.Deadlines
	ResumesAt time.Time
}

// Decided reports whether all commands accepted so far are decided.
func (v View) Decided() bool { return v.State != nil && v.State.Command >= v.LastCommand }

// Entries returns the number of the last entry of the ticket's timeline, for Request.Seen. It counts the submission even
// before the first step has recorded it.
func (v View) Entries() int {
	if v.State == nil {
		return 1
	}
	return v.State.Ticket.Events
}

// Promised returns both promises of the ticket.
func (v View) Promised() Promised { return PromisedOf(v.Ticket, v.Expected, v.ResumesAt) }

// Gauge returns the used part of a promise's budget at an instant, or when the promise was met.
func (v View) Gauge(name policy.ClockName, at time.Time) Gauge {
	clock := v.Ticket.Promise(name).Clock
	if clock.Met() {
		clock = clock.AsMet()
		at = clock.Ledger[len(clock.Ledger)-1].At
	}
	return Gauge{
		SLAState: v.Promised().Promise(name), Settled: clock.Met(),
		Budget: clock.Budget(), Used: clock.Used(v.Policy.Calendar, at),
	}
}

// Explain returns the explanation of a clock's ledger up to an instant, line by line.
func (v View) Explain(name policy.ClockName, until time.Time) []policy.Line {
	return v.Ticket.Promise(name).Clock.Explain(v.Policy.Calendar, until)
}

// Promised holds both promises of a ticket.
type Promised struct {
	FirstResponse, Resolution SLAState
}

// SLAState is the state of one promise.
type SLAState struct {
	Due        time.Time // zero: paused; of a breached promise the deadline that passed
	Expected   time.Time // paused by an emergency: the deadline if that ends as planned; zero: it has no planned end
	ResumesAt  time.Time // paused by an emergency: its planned end
	MetAt      time.Time // zero: not yet
	BreachedAt time.Time // zero: never
	Paused     []policy.Reason
}

// PromisedOf returns the promises of a ticket. Expected and resumesAt apply to clocks that an emergency pauses; see
// ticket.Expected and ticket.ResumesAt.
func PromisedOf(t ticket.Ticket, expected policy.Deadlines, resumesAt time.Time) Promised {
	return Promised{
		FirstResponse: stateOf(t.FirstResponse, expected.FirstResponse, resumesAt),
		Resolution:    stateOf(t.Resolution, expected.Resolution, resumesAt),
	}
}

func stateOf(p ticket.Promise, expected, resumesAt time.Time) SLAState {
	s := SLAState{MetAt: p.MetAt, BreachedAt: p.BreachedAt, Paused: p.Clock.Reasons()}
	s.Due, _ = p.Clock.Due()
	if !s.Due.IsZero() && !p.BreachedAt.IsZero() {
		s.Due = p.BreachedAt // the clock's own deadline moves to the end of an emergency
	}
	if s.Due.IsZero() && s.BreachedAt.IsZero() {
		s.Expected, s.ResumesAt = expected, resumesAt
	}
	return s
}

// Promise returns the state of the promise that a clock measures.
func (p Promised) Promise(name policy.ClockName) SLAState {
	if name == policy.FirstResponse {
		return p.FirstResponse
	}
	return p.Resolution
}

// ForRequester returns the promises as all pages and mails show them to the requester. Under some policies the first
// response is due later than the resolution. Since a resolution includes a response, the requester sees the earlier
// deadline for both, and the response as late once that has passed without one. Staff, the API and reports use the
// deadlines of the policy.
func (p Promised) ForRequester() Promised {
	first, resolution := &p.FirstResponse, p.Resolution
	if first.MetAt.IsZero() && !resolution.MetAt.IsZero() && first.BreachedAt.IsZero() {
		first.Due, first.Expected, first.ResumesAt = time.Time{}, time.Time{}, time.Time{} // resolved without a response
		return p
	}
	first.Due, first.Expected = earlier(first.Due, resolution.Due), earlier(first.Expected, resolution.Expected)
	if late := resolution.BreachedAt; !late.IsZero() && (first.MetAt.IsZero() || !first.MetAt.Before(late)) {
		if first.BreachedAt.IsZero() {
			first.BreachedAt = late
		}
		first.BreachedAt = earlier(first.BreachedAt, late)
	}
	if !first.BreachedAt.IsZero() {
		first.Due = earlier(first.Due, first.BreachedAt)
	}
	return p
}

// ByResolution reports whether the requester sees the resolution's deadline for the first response; see ForRequester.
func (p Promised) ByResolution() bool {
	own, shown := p.FirstResponse, p.ForRequester().FirstResponse
	return !shown.Due.Equal(own.Due) || !shown.Expected.Equal(own.Expected) || !shown.BreachedAt.Equal(own.BreachedAt)
}

// earlier returns the earlier of two instants, and the first if either is zero.
func earlier(at, limit time.Time) time.Time {
	if !at.IsZero() && !limit.IsZero() && limit.Before(at) {
		return limit
	}
	return at
}

// Gauge is a promise with the part of its budget that was used up at an instant. It does not change after the promise is
// met or cancelled.
type Gauge struct {
	SLAState
	Settled bool          // met or cancelled
	Budget  time.Duration // in time that counts, extensions included
	Used    time.Duration // in time that counts; exceeds the budget after a breach
}
