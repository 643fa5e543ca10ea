package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Promised holds both promises of a ticket as its clocks and its policy have them.
type Promised struct {
	FirstResponse, Resolution SLAState
}

// SLAState is one promise: where its clock stands now.
type SLAState struct {
	Due        time.Time // zero while paused; of a broken promise the deadline that passed
	Expected   time.Time // paused by an emergency: the deadline if that ends as planned; zero: it has no end yet
	ResumesAt  time.Time // likewise: that end
	MetAt      time.Time // zero: not yet
	BreachedAt time.Time // zero: never
	Paused     []policy.Reason
}

// PromisedOf returns the promises of a ticket. Expected and goesOn are those of a ticket that an emergency stops; see
// ticket.Expected and ticket.ResumesAt.
func PromisedOf(t ticket.Ticket, expected policy.Deadlines, goesOn time.Time) Promised {
	return Promised{
		FirstResponse: standing(t.FirstResponse, expected.FirstResponse, goesOn),
		Resolution:    standing(t.Resolution, expected.Resolution, goesOn),
	}
}

func standing(p ticket.Promise, expected, goesOn time.Time) SLAState {
	s := SLAState{MetAt: p.MetAt, BreachedAt: p.BreachedAt, Paused: p.Clock.Reasons()}
	s.Due, _ = p.Clock.Due()
	if !s.Due.IsZero() && !p.BreachedAt.IsZero() {
		s.Due = p.BreachedAt // when an emergency ends, a used-up clock is due at once; what was promised was this
	}
	if s.Due.IsZero() && s.BreachedAt.IsZero() {
		s.Expected, s.ResumesAt = expected, goesOn
	}
	return s
}

// Promise returns the named one.
func (p Promised) Promise(name policy.ClockName) SLAState {
	if name == policy.FirstResponse {
		return p.FirstResponse
	}
	return p.Resolution
}

// ForRequester returns the promises as the requester reads them, on every page and in every mail. A policy may count the
// first response to a later date than the resolution. A requester who is promised a resolution by a date is promised an
// answer by then, so the earlier date holds for both, and the answer is late once that date has passed without one.
// Staff, the API and the reports keep to the policy's own dates.
func (p Promised) ForRequester() Promised {
	first, resolution := &p.FirstResponse, p.Resolution
	if first.MetAt.IsZero() && !resolution.MetAt.IsZero() && first.BreachedAt.IsZero() {
		first.Due, first.Expected, first.ResumesAt = time.Time{}, time.Time{}, time.Time{} // the resolution came instead
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

// ByResolution reports whether a requester reads the resolution's date for the first response: see ForRequester.
func (p Promised) ByResolution() bool {
	own, read := p.FirstResponse, p.ForRequester().FirstResponse
	return !read.Due.Equal(own.Due) || !read.Expected.Equal(own.Expected) || !read.BreachedAt.Equal(own.BreachedAt)
}

// earlier is the earlier of two instants, where there are both; else the first.
func earlier(at, limit time.Time) time.Time {
	if !at.IsZero() && !limit.IsZero() && limit.Before(at) {
		return limit
	}
	return at
}

// Gauge is a promise as a bar: how much of its budget was used up at an instant. Once the promise is settled it stays
// as it was then.
type Gauge struct {
	SLAState
	Settled bool          // met, or owed no longer
	Budget  time.Duration // as the clock counts, extensions included
	Used    time.Duration // more than the budget once the promise is broken
}
