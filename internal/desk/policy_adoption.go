package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MaxChosen is how many tickets a choice may name.
const MaxChosen = 1000

// TicketChoice names the open tickets that are to be moved to another version: those listed, or all under a version.
type TicketChoice struct {
	Tickets []ticket.Number
	From    int64 // 0: those listed
}

// Check refuses a choice that names nothing, too much or the version itself.
func (c TicketChoice) Check(version int64) error {
	switch {
	case (len(c.Tickets) > 0) == (c.From != 0):
		return fault.Field("tickets", "choose tickets, or a version from which all open ones are moved")
	case len(c.Tickets) > MaxChosen:
		return fault.Field("tickets", "must name %d tickets at most", MaxChosen)
	case c.From < 0 || c.From == version:
		return fault.Field("from_version", "must be another version")
	}
	return nil
}

// Without leaves out what was accepted.
func (c TicketChoice) Without(accepted []Adopted) TicketChoice {
	c.Tickets = slices.DeleteFunc(slices.Clone(c.Tickets), func(n ticket.Number) bool {
		return slices.ContainsFunc(accepted, func(m Adopted) bool { return m.Number == n })
	})
	return c
}

// Adoption answers a move.
type Adoption struct {
	Accepted []Adopted
	Unmoved  []NotAdopted
	Again    bool // accepted before, under the same key
}

// Adopted is a command that was accepted.
type Adopted struct {
	Number ticket.Number
	Seq    int64
}

// NotAdopted is a ticket that was chosen and can't be moved.
type NotAdopted struct {
	Number ticket.Number
	Code   string
	Reason string
}

// AdoptionAudit is what became of the moves to a version.
type AdoptionAudit struct {
	Granted, Refused, Undecided int
	Latest                      []AdoptionLine
}

// AdoptionLine is one move.
type AdoptionLine struct {
	Number  ticket.Number
	At      time.Time
	By      string // a name, or who moved it by hand
	From    int64  // 0 unless it was granted
	Decided bool
	Code    string // of a refusal
	Reason  string
}

// Rehearsal is what a move would come to now.
type Rehearsal struct {
	Tickets   int
	Earlier   int // promises that would be due earlier
	Later     int
	DueAtOnce int // promises that would be broken by the change itself
	Mails     int // to requesters whose dates change
	Moves     []AdoptionMove
	Unmoved   []NotAdopted
}

// AdoptionMove is what becomes of one ticket's promises.
type AdoptionMove struct {
	Number   ticket.Number
	From     int64
	Promises []PromiseMove // those that change
}

// PromiseMove is a promise that is owed, before and after. A zero instant is none: the clock stands still.
type PromiseMove struct {
	Clock     policy.ClockName
	Was, Is   time.Time
	DueAtOnce bool
}
