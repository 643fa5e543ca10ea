package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Digest is what a step returns to the workflow and what the workflow's history records of the ticket. Its size is
// bounded whatever has happened to the ticket, and it holds no text that people wrote. The full state, with the whole
// ledgers, is in PostgreSQL. Whatever Temporal shows is computed by the step and recorded here, so a change of the
// domain's rules does not affect replay.
type Digest struct {
	Status         Status          `json:"status"`
	Cause          Cause           `json:"cause,omitempty"` // of being resolved or closed
	Priority       policy.Priority `json:"priority"`
	Category       string          `json:"category,omitempty"` // cut to maxShown
	Handle         string          `json:"handle,omitempty"`   // of the assignee
	Command        int64           `json:"command"`            // number of the last command decided
	LastDelivery   int             `json:"last_delivery"`      // number of the last delivery, a mail or webhook call
	Next           DueEvent        `json:"next,omitzero"`
	EscalationStep int             `json:"escalation_step,omitempty"` // see Ticket.EscalationStep
	Paused         bool            `json:"paused,omitempty"`          // see Ticket.Paused
	SearchFields

	FirstResponse PromiseDigest `json:"first_response"`
	Resolution    PromiseDigest `json:"resolution"`

	Emergencies        []EmergencyPeriod `json:"emergencies,omitempty"` // active ones first, then the latest; at most maxPeriods
	EarlierEmergencies int               `json:"earlier,omitempty"`     // number of further emergency periods

	Parked *Parked `json:"parked,omitempty"`
}

// PromiseDigest is a promise without its ledger. A zero At means that the ticket has not been submitted.
type PromiseDigest struct {
	At       time.Time           `json:"at,omitzero"`  // of the ledger's last entry
	Due      time.Time           `json:"due,omitzero"` // zero while paused
	MetAt    time.Time           `json:"met,omitzero"`
	Breached time.Time           `json:"breached,omitzero"`
	Settled  bool                `json:"settled,omitempty"`
	Reasons  []policy.Reason     `json:"reasons,omitempty"` // for which it is paused
	Counts   policy.CountingMode `json:"counts,omitempty"`
	Target   time.Duration       `json:"target,omitempty"`
	Extended time.Duration       `json:"extended,omitempty"`
	Used     time.Duration       `json:"used,omitempty"` // by At
}

// Parked says that a due event or a transition cannot be recorded because PostgreSQL refuses it, which is a defect of
// Supportdesk. It is retried until it succeeds, and nothing is dropped.
type Parked struct {
	Since  time.Time `json:"since"`
	Retry  time.Time `json:"retry"`  // the earliest time of the next attempt
	Reason string    `json:"reason"` // SQLSTATE and constraint, or ErrUncomputable; never the contents of a row
}

const (
	maxShown   = 60 // bytes of a category or of an emergency's name
	maxPeriods = 5
)

// Digest summarises a state.
func (s State) Digest() Digest {
	t := &s.Ticket
	d := Digest{
		Status: t.Status, Cause: t.Cause, Priority: t.Priority, Category: cut(t.Category), Handle: t.Handle,
		Command: s.Command, LastDelivery: s.LastDelivery, Next: s.Next, EscalationStep: s.EscalationStep, Paused: s.Paused,
		FirstResponse: t.FirstResponse.digest(), Resolution: t.Resolution.digest(),
	}
	if s.SearchFields != nil {
		d.SearchFields = *s.SearchFields
	}
	d.Emergencies, d.EarlierEmergencies = digestPeriods(t.Emergencies)
	return d
}

// ExpectedDigest returns the digest of a ticket after its submission, as far as that can be known beforehand: its first step may decide
// more commands, in an emergency, and assign the ticket by rules. It returns false if the submission can't be decided.
func ExpectedDigest(number Number, version int64, p *policy.Policy, submission Command) (Digest, bool) {
	r, err := Decide(Draft(number, submission.By.ID, version, p), Environment{Policy: p}, submission)
	if err != nil || r.Outcome.Refused {
		return Digest{}, false
	}
	return NewState(r.Ticket, p, submission.Seq, len(r.Mails), submission.At).Digest(), true
}

// Closed reports whether the ticket is closed, which is final.
func (d Digest) Closed() bool { return d.Status == StatusClosed }

// InEmergency reports whether an emergency, desk-wide or manual, pauses the ticket's clocks.
func (d Digest) InEmergency() bool {
	return !d.Closed() && slices.ContainsFunc(d.Emergencies, EmergencyPeriod.active)
}

// Promise returns the named one.
func (d *Digest) Promise(name policy.ClockName) *PromiseDigest {
	if name == policy.FirstResponse {
		return &d.FirstResponse
	}
	return &d.Resolution
}

func (p Promise) digest() PromiseDigest {
	if len(p.Clock.Ledger) == 0 {
		return PromiseDigest{}
	}
	last := p.Clock.Ledger[len(p.Clock.Ledger)-1]
	return PromiseDigest{
		At: last.At, Due: last.Due, MetAt: p.MetAt, Breached: p.BreachedAt, Settled: p.Clock.Met(),
		Reasons: p.Clock.Reasons(), Counts: p.Clock.Counts, Target: p.Clock.Budget() - p.Clock.Extension(),
		Extended: p.Clock.Extension(), Used: last.Used,
	}
}

func digestPeriods(all []EmergencyPeriod) (some []EmergencyPeriod, others int) {
	for _, s := range all {
		if s.active() && len(some) < maxPeriods {
			some = append(some, s)
		}
	}
	for _, s := range slices.Backward(all) {
		if !s.active() && len(some) < maxPeriods {
			some = append(some, s)
		}
	}
	for i := range some {
		some[i].ID = EmergencyID(cut(string(some[i].ID)))
	}
	return some, len(all) - len(some)
}

// cut shortens a name to maxShown bytes at a character boundary.
func cut(name string) string {
	if len(name) <= maxShown {
		return name
	}
	end := maxShown
	for end > 0 && name[end]&0xC0 == 0x80 {
		end--
	}
	return name[:end] + "…"
}
