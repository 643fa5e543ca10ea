package ticket

import (
	"errors"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// ErrUncomputable says that what follows from a ticket's state and what is asked of it can't be computed, however often it
// is tried.
var ErrUncomputable = errors.New("uncomputable")

// Desk is what a ticket's story goes by and is no part of the ticket: the policy that it is pinned to, the gate, and
// who is there to be given tickets by rule.
type Desk struct {
	Policy  *policy.Policy
	Gate    Gate
	Rosters Rosters
	// Unmailed says that no mail goes to the requester, whose account is disabled: silence counts from what asks.
	Unmailed bool
}

// Outcome is the desk's answer to one command.
type Outcome struct {
	Refused bool
	Code    string // stable word, such as "ticket-closed"
	Reason  string // in words that whoever asked may read
}

// Result is what one step makes of a ticket: the new state, and the events and mails that led to it.
type Result struct {
	Ticket  Ticket
	Events  []Event
	Mails   []Mail
	Calls   []Call
	Outcome Outcome // of the command; zero when it was granted or there was none
	Rosters Rosters // as the step's choices leave them
	Lacks   string  // a group whose roster a choice needs and that is not known; empty: everything is decided
}

// Take lets everything fall due that does so up to the command's acceptance, and then decides the command. An
// answer accepted before a deadline keeps the promise even when it is taken after it; one accepted at the deadline
// or later doesn't, even when it is taken before the deadline's timer fires. A refused command is an event too. A
// ticket that is submitted in an emergency of the desk's is paused, or delayed, from its first second. A result that
// lacks a roster has decided all but one choice: the same step with the missing roster decides it.
func Take(t Ticket, d Desk, c Command) (Result, error) {
	s := &story{t: t, desk: d}
	s.advance(c.At)
	refusal := s.decide(c)
	if refusal != nil {
		s.begin(c.By, c.At, c.Seq)
		s.emit(Event{Kind: EventRefused, Verb: c.Verb, Code: refusal.Code, Message: c.Message})
	}
	s.weave(c.At)
	result, err := s.result()
	if err != nil {
		return Result{}, fmt.Errorf("take %s %d of ticket %s: %w", c.Verb, c.Seq, t.Number, err)
	}
	if refusal != nil {
		result.Outcome = Outcome{Refused: true, Code: refusal.Code, Reason: refusal.Message}
	}
	return result, nil
}

// Advance lets everything fall due that does so at or before an instant, with the gate's edges up to it in between.
func Advance(t Ticket, d Desk, until time.Time) (Result, error) {
	s := &story{t: t, desk: d}
	s.advance(until)
	result, err := s.result()
	if err != nil {
		return Result{}, fmt.Errorf("advance ticket %s: %w", t.Number, err)
	}
	return result, nil
}

// story is a ticket while things happen to it: each event is applied the moment it is told, so the state and the
// fold of the events are one by construction.
type story struct {
	t              Ticket
	desk           Desk
	lacks          string
	by             Actor
	at             time.Time
	command        int64
	events         []Event
	mails          []Mail
	calls          []Call
	lastTransition Edge  // the last one told
	err            error // a defect, or a calendar that never opens, which the policy's check makes impossible
}

func (s *story) begin(by Actor, at time.Time, command int64) { s.by, s.at, s.command = by, at, command }

func (s *story) result() (Result, error) {
	if s.err != nil {
		return Result{}, fault.Wrap(errors.Join(ErrUncomputable, s.err), fault.Internal, "the clock can't be computed")
	}
	return Result{Ticket: s.t, Events: s.events, Mails: s.mails, Calls: s.calls, Rosters: s.desk.Rosters, Lacks: s.lacks}, nil
}

func (s *story) emit(e Event) {
	e.N, e.At, e.By, e.Command = s.t.Events+1, s.at, s.by, s.command
	s.t = Apply(s.t, e)
	s.events = append(s.events, e)
}

// mail owes one to a person; nobody is owed nothing.
func (s *story) mail(kind MailKind, to PersonID) {
	if to != "" {
		asks := s.events[len(s.events)-1].Asks && to == s.t.Requester
		s.mails = append(s.mails, Mail{Kind: kind, Event: s.t.Events, Person: to, Asks: asks})
	}
}
