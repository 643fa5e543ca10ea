package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MaxChosen is the maximum number of tickets in a TicketChoice.
const MaxChosen = 1000

// TicketChoice selects open tickets to move to another policy version: those listed, or all pinned to a version.
type TicketChoice struct {
	Tickets []ticket.Number
	From    int64 // version; 0: those listed
}

// Check returns an Invalid fault unless the choice has either tickets, at most MaxChosen, or a version other than the target.
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

// Without returns the choice without the accepted tickets.
func (c TicketChoice) Without(accepted []Adopted) TicketChoice {
	c.Tickets = slices.DeleteFunc(slices.Clone(c.Tickets), func(n ticket.Number) bool {
		return slices.ContainsFunc(accepted, func(m Adopted) bool { return m.Number == n })
	})
	return c
}

// Adoption is the answer to a request to move tickets.
type Adoption struct {
	Accepted []Adopted
	Unmoved  []NotAdopted
	Again    bool // accepted before, with the same key
}

// Adopted is the accepted command that moves a ticket.
type Adopted struct {
	Number ticket.Number
	Seq    int64
}

// NotAdopted is a chosen ticket that can't be moved.
type NotAdopted struct {
	Number ticket.Number
	Code   string
	Reason string
}

// AdoptionAudit counts the moves to a version by outcome and lists the latest.
type AdoptionAudit struct {
	Granted, Refused, Undecided int
	Latest                      []AdoptionLine
}

// AdoptionLine is one move.
type AdoptionLine struct {
	Number  ticket.Number
	At      time.Time
	By      string // name of the person, or the source of a manual command
	From    int64  // previous version; 0: not granted
	Decided bool
	Code    string // of a refusal
	Reason  string
}

// Rehearsal is the result of a dry run of a move.
type Rehearsal struct {
	Tickets   int
	Earlier   int // deadlines that would move to an earlier time
	Later     int
	DueAtOnce int // deadlines that would have passed already
	Mails     int // to requesters whose deadlines change
	Moves     []AdoptionMove
	Unmoved   []NotAdopted
}

// AdoptionMove is the effect of a move on one ticket.
type AdoptionMove struct {
	Number   ticket.Number
	From     int64
	Promises []PromiseMove // those that change
}

// PromiseMove is the deadline of a promise before and after a move. It is zero while the clock is paused.
type PromiseMove struct {
	Clock     policy.ClockName
	Was, Is   time.Time
	DueAtOnce bool
}
