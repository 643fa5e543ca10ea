package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
