package app

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// step is one attempt at a step: a locked ticket and the changes so far.
type step struct {
	LockedTicket
	tx           StepTx
	scope        scope
	unrecordable func(error) bool

	was              ticket.State
	before           int64           // number of the last command when the step began
	enabled          ticket.PersonID // the requester when the step began, unless they are disabled
	now              time.Time       // LockedTicket.Clock, but not before LockedTicket.Latest, since the clock may have been set back
	transitionsUntil time.Time       // transitions up to here are applied by this step
	current          bool            // everything due up to now has fired
	held             bool            // something due has not fired, because an incoming mail may be about to change it

	events    []ticket.Event
	mails     []ticket.Mail
	calls     []ticket.WebhookCall
	decisions []Decision
	failures  []DeliveryFailure
}

func newStep(l LockedTicket, tx StepTx, sc scope, unrecordable func(error) bool) *step {
	s := &step{LockedTicket: l, tx: tx, scope: sc, unrecordable: unrecordable, was: l.State, before: l.Last, now: l.Clock}
	if s.now.Before(l.Latest) {
		s.now = l.Latest
	}
	if !l.Env.RequesterDisabled {
		s.enabled = l.State.Ticket.Requester
	}
	return s
}

// run does what the request asks for, applies the transitions up to now, and records the changes.
func (s *step) run(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	if err := s.do(ctx, r); err != nil {
		return ticket.StepResult{}, err
	}
	if s.scope.transitions {
		if err := s.recordDelivery(ctx); err != nil {
			return ticket.StepResult{}, err
		}
		if err := s.applyTransitions(ctx); err != nil {
			return ticket.StepResult{}, err
		}
	}
	return s.write(ctx, r)
}

func (s *step) do(ctx context.Context, r ticket.StepRequest) error {
	switch {
	case s.scope == numberOnly:
		return s.numberManual(ctx, r.Manual)
	case len(r.Manual) > 0:
		if err := s.numberManual(ctx, r.Manual); err != nil {
			return err
		}
		return s.decideCommands(ctx, s.Last)
	case r.Command > 0:
		return s.decideCommands(ctx, r.Command)
	case r.Bounced > 0:
		return s.recordFailure(ctx, r.Bounced)
	case r.Delivered > 0:
		return s.decideCommands(ctx, s.Last)
	case r.CatchUp:
		return s.catchUp(ctx)
	default:
		return s.fire(ctx, r.Due.UTC().Truncate(time.Second))
	}
}

// decideCommands decides the undecided commands up to a number, in order, as many as the scope allows. A number beyond the last
// command, which only a forged signal can carry, stands for the last one.
func (s *step) decideCommands(ctx context.Context, upTo int64) error {
	upTo = min(upTo, s.Last, s.State.Command+s.scope.commands)
	if upTo <= s.State.Command {
		return nil
	}
	commands, err := s.tx.Commands(ctx, s.State.Command, upTo)
	if err != nil {
		return err
	}
	for i, c := range commands {
		c.Unrecordable = s.scope.refuseFirst && i == 0
		if c.Seq != s.State.Command+1 {
			return fmt.Errorf("command %d is missing", s.State.Command+1)
		}
		if err := s.loadReferences(ctx, &c); err != nil {
			return err
		}
		result, err := s.withRosters(ctx, func(d ticket.Environment) (ticket.Result, error) { return ticket.Decide(s.State.Ticket, d, c) })
		if err != nil {
			return err
		}
		s.add(result)
		if c.Adopt != nil && s.State.Ticket.Policy == c.Policy { // the ticket has adopted it
			s.Env.Policy = c.Adopt
		}
		s.State.Command = c.Seq
		s.decisions = append(s.decisions, Decision{c.Seq, c.Verb, result.Outcome})
	}
	return nil
}

// loadReferences loads the policy or the mail that a command names. The domain refuses a command whose reference does not
// exist.
func (s *step) loadReferences(ctx context.Context, c *ticket.Command) error {
	switch {
	case c.Verb == ticket.VerbAdoptPolicy && c.Policy != 0:
		p, err := s.tx.Policy(ctx, c.Policy)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		c.Adopt = p
	case c.Verb == ticket.VerbResend:
		m, found, err := s.tx.MailToResend(ctx, c.Seq)
		if err != nil || !found {
			return err
		}
		for _, owed := range s.mails {
			m.Resent = m.Resent || owed.Resends == m.Mail
		}
		c.Resend = &m
	}
	return nil
}

// fire fires what is due at a given time, unless that lies ahead or a command accepted before it is undecided: an answer
// accepted before a deadline meets it even if it is decided later.
func (s *step) fire(ctx context.Context, due time.Time) error {
	if due.After(s.now) {
		return nil
	}
	if s.State.Command < s.Last {
		next, err := s.tx.AcceptedAt(ctx, s.State.Command+1)
		if err != nil || next.Before(due) {
			return err
		}
	}
	return s.fireDue(ctx, due)
}

// catchUp decides all commands and then fires everything due up to now. It stops after the commands if there are more than
// a step may decide.
func (s *step) catchUp(ctx context.Context) error {
	if err := s.decideCommands(ctx, s.Last); err != nil || s.State.Command < s.Last {
		return err
	}
	if err := s.fireDue(ctx, s.now); err != nil {
		return err
	}
	s.current = !s.held
	return nil
}

// fireDue fires what is due up to a given time, but nothing after the arrival of a mail that is not processed yet: what people
// write counts from its arrival.
func (s *step) fireDue(ctx context.Context, until time.Time) error {
	if next, ok := ticket.Next(s.State.Ticket, s.Env.Policy); ok && !next.Due.After(until) {
		arrived, waits, err := s.tx.WaitingMail(ctx)
		if err != nil {
			return err
		}
		if s.held = waits && arrived.Before(until); s.held {
			until = arrived
		}
	}
	return s.apply(ctx, func(d ticket.Environment) (ticket.Result, error) { return ticket.Advance(s.State.Ticket, d, until) })
}

// applyTransitions applies the transitions of the emergency schedule up to now, but none that an undecided command or a due
// event precedes.
func (s *step) applyTransitions(ctx context.Context) error {
	if s.State.Command == 0 {
		return nil
	}
	s.transitionsUntil = s.Clock // not s.now: the schedule may still change between the two
	next, ok := ticket.NextTransition(s.State.Ticket, s.Env.Schedule)
	if !ok || next.At.After(s.now) {
		return nil
	}
	until := s.now
	if s.State.Command < s.Last {
		accepted, err := s.tx.AcceptedAt(ctx, s.State.Command+1)
		if err != nil {
			return err
		}
		if accepted.Before(until) {
			until = accepted
		}
	}
	result, err := ticket.ApplyTransitions(s.State.Ticket, s.Env, until)
	if err != nil {
		return err
	}
	s.add(result)
	if next, ok = ticket.NextTransition(s.State.Ticket, s.Env.Schedule); ok && !next.At.After(s.Clock) {
		s.transitionsUntil = next.At.Add(-time.Second)
	}
	return nil
}

// apply applies a decision of the domain.
func (s *step) apply(ctx context.Context, f func(ticket.Environment) (ticket.Result, error)) error {
	result, err := s.withRosters(ctx, f)
	if err == nil {
		s.add(result)
	}
	return err
}

// withRosters runs a decision and repeats it with each roster that it lacks. Decisions are pure, so an incomplete result
// can be thrown away.
func (s *step) withRosters(ctx context.Context, f func(ticket.Environment) (ticket.Result, error)) (ticket.Result, error) {
	for {
		result, err := f(s.Env)
		if err != nil || result.MissingRoster == "" {
			return result, err
		}
		present, err := s.tx.Roster(ctx, result.MissingRoster)
		if err != nil {
			return ticket.Result{}, err
		}
		rosters := maps.Clone(s.Env.Rosters)
		if rosters == nil {
			rosters = ticket.Rosters{}
		}
		rosters[result.MissingRoster] = present
		s.Env.Rosters = rosters
	}
}

func (s *step) add(r ticket.Result) {
	if s.State.Ticket.Requester != r.Ticket.Requester {
		s.Env.RequesterDisabled = false // acceptance does not take a disabled one
	}
	s.State.Ticket = r.Ticket
	if r.Rosters != nil {
		s.Env.Rosters = r.Rosters
	}
	s.events = append(s.events, r.Events...)
	s.mails = append(s.mails, r.Mails...)
	s.calls = append(s.calls, r.Calls...)
}

// recordFailure records, once, a mail that cannot be delivered or a webhook that cannot be called. Accepted commands are decided
// first, since a bounce may reopen the ticket as of now. If there are more than a step may decide, the result says so and
// the caller must ask for the step again.
func (s *step) recordFailure(ctx context.Context, n int) error {
	if err := s.decideCommands(ctx, s.Last); err != nil || s.State.Command < s.Last {
		return err
	}
	if err := s.applyTransitions(ctx); err != nil { // they precede the failure on the timeline
		return err
	}
	failed, found, err := s.tx.FailedDelivery(ctx, n)
	switch {
	case err != nil || !found:
		return err
	case failed.Webhook != "":
		return s.giveUp(n, failed.Webhook)
	default:
		return s.bounce(ctx, n, failed.Asks)
	}
}

func (s *step) bounce(ctx context.Context, n, asks int) error {
	before := len(s.events)
	err := s.apply(ctx, func(d ticket.Environment) (ticket.Result, error) {
		return ticket.RecordBounce(s.State.Ticket, d, n, asks, s.now)
	})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(s.events[before:], func(e ticket.Event) bool { return e.Kind == ticket.EventMailBounced })
	s.failures = append(s.failures, DeliveryFailure{N: n, Event: s.events[before+i].N})
	return nil
}

func (s *step) giveUp(n int, webhook string) error {
	result, err := ticket.RecordWebhookFailure(s.State.Ticket, s.Env, n, webhook, s.now)
	if err == nil {
		s.add(result)
		s.failures = append(s.failures, DeliveryFailure{N: n, Event: s.State.Ticket.Events})
	}
	return err
}

// recordDelivery records the delivery or the bounce of the mail that asks the requester for an answer, if that is not
// recorded yet. The workflow asks for a step when it learns of a delivery; every step checks, so a lost notification does
// no harm. A mail owed by this step, or one older than an undecided command, is left to a later step. If there is no such
// mail because its recipient has been disabled, silence counts from now.
func (s *step) recordDelivery(ctx context.Context) error {
	t := s.State.Ticket
	if !t.AwaitsDelivery() || t.Asked > s.was.Ticket.Events || s.State.Command < s.Last {
		return nil
	}
	m, found, err := s.tx.AskingMail(ctx, t.Asked)
	switch {
	case err != nil, found && m.Settled.IsZero():
		return err
	case m.Bounced:
		return s.bounce(ctx, m.N, t.Asked)
	case !found:
		m.Settled = s.now
	}
	return s.apply(ctx, func(d ticket.Environment) (ticket.Result, error) {
		return ticket.RecordDelivery(s.State.Ticket, d, m.N, t.Asked, m.Settled, s.now)
	})
}
