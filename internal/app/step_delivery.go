package app

import (
	"context"
	"slices"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fail records, once, a mail that cannot be delivered or a webhook that cannot be called. Accepted commands are decided
// first, since a bounce may reopen the ticket as of now. If there are more than a step may decide, the result says so and
// the caller must ask for the step again.
func (s *step) fail(ctx context.Context, n int) error {
	if err := s.decide(ctx, s.Last); err != nil || s.State.Command < s.Last {
		return err
	}
	if err := s.applyTransitions(ctx); err != nil { // they precede the failure on the timeline
		return err
	}
	failed, found, err := s.tx.Undelivered(ctx, n)
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
	result, err := ticket.RecordWebhookFailure(s.State.Ticket, s.Desk, n, webhook, s.now)
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
