// Package policy implements the policy of a help desk: the document and its validation, the business calendar, and the
// SLA clocks of tickets. A clock is a ledger of entries, and its deadline follows from the remaining budget.
//
// The package is pure: time is always a parameter, and nothing reads a clock, the environment or a file. It knows
// nothing of tickets, mail, HTTP, SQL or Temporal. Workflow code must not compute deadlines with it, because time zone
// data differs between hosts: a step computes them, and its result is recorded.
package policy

import (
	"fmt"
	"time"
	_ "time/tzdata" // a policy's zone must load on a host without zone files
)

// Policy is one version of the policy. It is created only by Parse, is read-only afterwards and safe for concurrent
// use.
type Policy struct {
	Name       string
	Contact    string // email address shown on pages and in mails; may be empty
	PrivacyURL string // may be empty

	Zone       *time.Location
	Calendar   *Calendar
	Clocks     map[ClockName]Rule                       // always both clocks
	Priorities map[Priority]map[ClockName]time.Duration // targets that override those of the clocks; entries are optional

	CustomersChoosePriority bool
	Silence                 Silence
	Escalation              []EscalationStep // steps in document order
	Categories              []string
	Assignment              []Assignment // the first rule that applies to the category is used; empty: no automatic assignment
}

// Rule configures a clock.
type Rule struct {
	Target   time.Duration // whole seconds of time counted by Counts; positive
	Counts   CountingMode
	RemindAt int      // percentage of the budget, 1 to 99; 0: no reminder
	Pauses   []Reason // ReasonWaiting, ReasonResolved; an emergency always pauses
}

// Silence configures what happens when a requester does not reply. Durations are calendar time; 0 means never.
type Silence struct {
	NudgeAfter   time.Duration // from the request for information to the reminder
	ResolveAfter time.Duration // from the request for information to the resolution; longer than NudgeAfter
	CloseAfter   time.Duration // from the resolution to the closure
}

// Deadlines are the two deadlines of a ticket, in UTC.
type Deadlines struct {
	FirstResponse time.Time `json:"first_response_due"`
	Resolution    time.Time `json:"resolution_due"`
}

// Target returns the target of a clock at a priority: the priority's own, if there is one, or the clock's.
func (p *Policy) Target(c ClockName, pr Priority) time.Duration {
	if target, ok := p.Priorities[pr][c]; ok {
		return target
	}
	return p.Clocks[c].Target
}

// DeadlinesFor returns the deadlines of a ticket accepted at an instant, provided that nothing pauses its clocks. It returns
// ErrNeverOpens if a deadline is after the year 9999.
func (p *Policy) DeadlinesFor(at time.Time, pr Priority) (Deadlines, error) {
	first, err := p.due(FirstResponse, at, pr)
	if err != nil {
		return Deadlines{}, err
	}
	resolution, err := p.due(Resolution, at, pr)
	if err != nil {
		return Deadlines{}, err
	}
	return Deadlines{FirstResponse: first, Resolution: resolution}, nil
}

func (p *Policy) due(c ClockName, at time.Time, pr Priority) (time.Time, error) {
	due, err := p.Calendar.Add(p.Clocks[c].Counts, at, p.Target(c, pr))
	if err != nil {
		return time.Time{}, fmt.Errorf("%s deadline of a ticket accepted at %s: %w", c, at.UTC().Format(time.RFC3339), err)
	}
	return due, nil
}
