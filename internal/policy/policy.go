// Package policy is what a desk promises: the policy document and its validation, the calendar that it counts by,
// and the clocks that hold a ticket's promises. A clock is a ledger of what happened to it, and its deadline follows
// from the budget that is left.
//
// Everything here is pure: time is always a parameter, nothing reads a clock, the environment or a file. It knows
// nothing of tickets, mails, HTTP, SQL or Temporal. Workflow code must not compute deadlines with it, since time zone
// data differs from host to host: a step does that, and its result is recorded.
package policy

import (
	"fmt"
	"time"
	_ "time/tzdata" // a policy's zone must load on a host without zone files
)

// Policy is one version of what the desk promises. Only Parse makes one; it is read-only afterwards and safe for
// concurrent use.
type Policy struct {
	Name       string
	Contact    string // e-mail address shown on pages and mails; may be empty
	PrivacyURL string // may be empty

	Zone       *time.Location
	Calendar   *Calendar
	Clocks     map[ClockName]Rule                       // both clocks, always
	Priorities map[Priority]map[ClockName]time.Duration // targets that override a clock's own; may lack any entry

	CustomersChoosePriority bool
	Silence                 Silence
	Escalation              []Rung // the ladder, as the document has it
	Categories              []string
	Assignment              []Assignment // the first that is for a ticket's category counts; none: tickets wait until taken
}

// Rule is how one clock counts.
type Rule struct {
	Target   time.Duration // elapsed time as Counts counts it; positive whole seconds
	Counts   Counting
	RemindAt int      // percent of the budget, 1 to 99; 0 for no reminder
	Pauses   []Reason // ReasonWaiting, ReasonResolved; an emergency always pauses
}

// Silence says what happens when a requester does not answer. All are calendar time; 0 means never.
type Silence struct {
	NudgeAfter   time.Duration // from the request for information to the reminder
	ResolveAfter time.Duration // from the request for information to the resolution; more than NudgeAfter
	CloseAfter   time.Duration // from the resolution to the closure
}

// Promises are the two instants that a requester is told, in UTC.
type Promises struct {
	FirstResponse time.Time `json:"first_response_due"`
	Resolution    time.Time `json:"resolution_due"`
}

// Target is the budget of a clock at a priority: the priority's own if the policy has one, else the clock's.
func (p *Policy) Target(c ClockName, pr Priority) time.Duration {
	if target, ok := p.Priorities[pr][c]; ok {
		return target
	}
	return p.Clocks[c].Target
}

// Promise gives both deadlines of a ticket accepted at an instant, if nothing pauses its clocks. It fails with
// ErrNeverOpens if a deadline lies beyond the year 9999.
func (p *Policy) Promise(at time.Time, pr Priority) (Promises, error) {
	first, err := p.due(FirstResponse, at, pr)
	if err != nil {
		return Promises{}, err
	}
	resolution, err := p.due(Resolution, at, pr)
	if err != nil {
		return Promises{}, err
	}
	return Promises{FirstResponse: first, Resolution: resolution}, nil
}

func (p *Policy) due(c ClockName, at time.Time, pr Priority) (time.Time, error) {
	due, err := p.Calendar.Reach(p.Clocks[c].Counts, at, p.Target(c, pr))
	if err != nil {
		return time.Time{}, fmt.Errorf("%s promised to a ticket of %s: %w", c, at.UTC().Format(time.RFC3339), err)
	}
	return due, nil
}
