package ticket

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// ErrUncomputable means that a decision cannot be computed, however often it is tried: no calendar reaches the deadline.
var ErrUncomputable = errors.New("uncomputable")

// Environment is what a decision depends on besides the ticket: its policy, the emergency schedule, and who is available for
// assignment by rules.
type Environment struct {
	Policy   *policy.Policy
	Schedule EmergencySchedule
	Rosters  Rosters
	// RequesterDisabled means that the requester's account is disabled, so no mails are sent to them, and silence counts from
	// events rather than deliveries.
	RequesterDisabled bool
}

// Outcome is whether a command was refused, and why.
type Outcome struct {
	Refused bool
	Code    string // a stable code, such as "ticket-closed"
	Reason  string // shown to the person who sent the command
}

// Line describes the outcome of a command in a few words, such as "resolve: refused, wrong status".
func (o Outcome) Line(verb Verb) string {
	if o.Refused {
		return fmt.Sprintf("%s: refused, %s", verb, strings.ReplaceAll(o.Code, "-", " "))
	}
	return fmt.Sprintf("%s: done", verb)
}

// Result is a decision: the ticket's new state, the events that lead to it, and the mails and webhook calls they cause.
type Result struct {
	Ticket        Ticket
	Events        []Event
	Mails         []Mail
	Calls         []WebhookCall
	Outcome       Outcome // of the command; zero if it succeeded or there was none
	Rosters       Rosters // after the choices made
	MissingRoster string  // a group whose roster is missing: decide again with it; empty: none
}

// Decide fires everything due up to the acceptance of a command and then decides the command. Acceptance alone counts: an
// answer accepted before a deadline meets it even if it is decided later, and one accepted at the deadline does not, even
// if it is decided before the deadline's timer fires. A refusal is recorded as an event. A ticket submitted during a
// desk-wide emergency is paused or delayed from the start. If Result.MissingRoster is set, the caller must decide
// again with that roster.
func Decide(t Ticket, env Environment, c Command) (Result, error) {
	s := &decider{t: t, env: env}
	s.advance(c.At)
	refusal := s.decide(c)
	if refusal != nil {
		s.begin(c.By, c.At, c.Seq)
		s.emit(Event{Kind: EventRefused, Verb: c.Verb, Code: refusal.Code, Message: c.Message})
	}
	s.applyTransitions(c.At)
	result, err := s.result()
	if err != nil {
		return Result{}, fmt.Errorf("take %s %d of ticket %s: %w", c.Verb, c.Seq, t.Number, err)
	}
	if refusal != nil {
		result.Outcome = Outcome{Refused: true, Code: refusal.Code, Reason: refusal.Message}
	}
	return result, nil
}

// Advance fires everything due up to and including an instant, and applies the transitions up to it.
func Advance(t Ticket, env Environment, until time.Time) (Result, error) {
	s := &decider{t: t, env: env}
	s.advance(until)
	result, err := s.result()
	if err != nil {
		return Result{}, fmt.Errorf("advance ticket %s: %w", t.Number, err)
	}
	return result, nil
}

// decider is a decision in progress. Each event is applied as soon as it is emitted, so the state is always the fold of the
// events.
type decider struct {
	t              Ticket
	env            Environment
	missingRoster  string
	by             Actor
	at             time.Time
	command        int64
	quiet          bool // the requester is sent nothing automatically
	events         []Event
	mails          []Mail
	calls          []WebhookCall
	lastTransition Transition
	err            error // a defect, or a deadline that no calendar reaches
}

func (s *decider) begin(by Actor, at time.Time, command int64) {
	s.by, s.at, s.command = by, at, command
}

func (s *decider) result() (Result, error) {
	if s.err != nil {
		return Result{}, fault.Wrap(errors.Join(ErrUncomputable, s.err), fault.Internal, "the clock can't be computed")
	}
	return Result{Ticket: s.t, Events: s.events, Mails: s.mails, Calls: s.calls, Rosters: s.env.Rosters, MissingRoster: s.missingRoster}, nil
}

func (s *decider) emit(e Event) {
	e.N, e.At, e.By, e.Command = s.t.Events+1, s.at, s.by, s.command
	s.t = Apply(s.t, e)
	s.events = append(s.events, e)
}

// mail adds a mail about the last event to a person, or none if to is empty.
func (s *decider) mail(kind MailKind, to PersonID) {
	if to != "" {
		asks := s.events[len(s.events)-1].Asks && to == s.t.Requester
		s.mails = append(s.mails, Mail{Kind: kind, Event: s.t.Events, Person: to, Asks: asks})
	}
}
