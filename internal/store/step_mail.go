package store

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// bounce lets the timeline tell of a mail that can't be delivered, once. One that is owed still was given up, after
// days of trying. What was accepted is taken first, since the bounce may open the ticket again as of now; if that is
// more than a step may take, the result says so and the step is to be asked for again.
func (l *locked) bounce(ctx context.Context, n int) error {
	if err := l.take(ctx, l.last); err != nil || l.state.Command < l.last {
		return err
	}
	if err := l.weave(ctx); err != nil { // the timeline tells of an edge before it tells of the mail
		return err
	}
	var event int
	err := l.tx.QueryRow(ctx, `
		UPDATE deliveries SET status = 'bounced', reason = coalesce(reason, 'given up'), settled_at = coalesce(settled_at, clock_timestamp())
		WHERE ticket = $1 AND n = $2 AND queue = 'ticket' AND status <> 'sent' AND told IS NULL
		RETURNING CASE WHEN asks THEN event ELSE 0 END`, l.state.Ticket.Number, n).Scan(&event)
	if errors.Is(err, pgx.ErrNoRows) {
		return l.giveUp(ctx, n)
	}
	if err != nil {
		return err
	}
	return l.returned(ctx, n, event)
}

// returned records a mail that came back.
func (l *locked) returned(ctx context.Context, n, event int) error {
	result, err := l.chosen(ctx, func(d ticket.Desk) (ticket.Result, error) {
		return ticket.Bounce(l.state.Ticket, d, n, event, l.now)
	})
	if err != nil {
		return err
	}
	l.add(result)
	l.told = append(l.told, told{n, bouncedBy(result.Events)})
	return nil
}

// bouncedBy is the number of the event that tells of a bounce.
func bouncedBy(events []ticket.Event) int {
	i := slices.IndexFunc(events, func(e ticket.Event) bool { return e.Kind == ticket.EventMailBounced })
	return events[i].N
}

// hear records what became of the mail that asks the requester for an answer, if the ticket does not know yet. The
// workflow asks for a step when it learns of it; that every step looks makes up for news that were lost. A mail that
// was owed by this step, or before commands that wait to be taken, is left to a later one. Where there is no such mail,
// since its recipient was disabled meanwhile, silence counts from now.
func (l *locked) hear(ctx context.Context) error {
	t := l.state.Ticket
	if !t.Unheard() || t.Asked > l.was.Ticket.Events || l.state.Command < l.last {
		return nil
	}
	n, postage, since := 0, desk.DeliverySent, l.now
	err := l.tx.QueryRow(ctx, `
		SELECT m.n, m.status, greatest(date_trunc('second', m.settled_at), e.at)
		FROM deliveries m JOIN events e ON e.ticket = m.ticket AND e.n = m.event
		WHERE m.ticket = $1 AND m.event = $2 AND m.asks`, t.Number, t.Asked).Scan(&n, &postage, &since)
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return err
	case postage == desk.DeliveryOwed:
		return nil
	case postage == desk.DeliveryBounced:
		return l.returned(ctx, n, t.Asked)
	}
	result, err := l.chosen(ctx, func(d ticket.Desk) (ticket.Result, error) {
		return ticket.Deliver(l.state.Ticket, d, n, t.Asked, since, l.now)
	})
	if err == nil {
		l.add(result)
	}
	return err
}

// undelivered gives a command the mail that it wants to have sent again. One that isn't there the domain refuses.
func (l *locked) undelivered(ctx context.Context, c *ticket.Command) error {
	if c.Verb != ticket.VerbResend {
		return nil
	}
	var m ticket.Undelivered
	err := l.tx.QueryRow(ctx, `
		SELECT m.n, m.kind, m.person, coalesce(m.clock, ''), m.rung, CASE WHEN m.asks THEN m.event ELSE 0 END, m.status = 'bounced',
			EXISTS (SELECT FROM deliveries a WHERE a.ticket = m.ticket AND a.resends = m.n)
		FROM deliveries m JOIN commands c ON c.ticket = m.ticket AND c.mail = m.n AND m.queue = 'ticket'
		WHERE c.ticket = $1 AND c.seq = $2`, l.state.Ticket.Number, c.Seq).
		Scan(&m.Mail, &m.Kind, &m.Person, &m.Clock, &m.Rung, &m.Event, &m.Bounced, &m.Resent)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	for _, owed := range l.mails {
		m.Resent = m.Resent || owed.Resends == m.Mail
	}
	c.Resend = &m
	return err
}
