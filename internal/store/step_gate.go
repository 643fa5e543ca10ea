package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// catchUp takes what was accepted and lets everything fall due up to now. It stops short when there is more to take
// than a step may; the result tells.
func (l *locked) catchUp(ctx context.Context) error {
	if err := l.take(ctx, l.last); err != nil || l.state.Command < l.last {
		return err
	}
	result, err := l.chosen(ctx, func(d ticket.Desk) (ticket.Result, error) {
		return ticket.Advance(l.state.Ticket, d, l.now)
	})
	if err == nil {
		l.add(result)
		l.caughtUp = true
	}
	return err
}

// weave brings the ticket past the gate's edges up to now, unless a command that was accepted before one of them, or a
// moment that is due before it, is to come first.
func (l *locked) weave(ctx context.Context) error {
	if l.state.Command == 0 {
		return nil
	}
	l.gateAt = l.clock // a change of the gate comes after it, and maybe before a now that is ahead of it
	edge, ok := ticket.NextEdge(l.state.Ticket, l.desk.Gate)
	if !ok || edge.At.After(l.now) {
		return nil
	}
	until, err := l.taken(ctx)
	if err != nil {
		return err
	}
	result, err := ticket.Weave(l.state.Ticket, l.desk, until)
	if err != nil {
		return err
	}
	l.add(result)
	if edge, ok = ticket.NextEdge(l.state.Ticket, l.desk.Gate); ok && !edge.At.After(l.clock) {
		l.gateAt = edge.At.Add(-time.Second)
	}
	return nil
}

// taken is the instant up to which every command has been taken: now, if all have been.
func (l *locked) taken(ctx context.Context) (time.Time, error) {
	if l.state.Command >= l.last {
		return l.now, nil
	}
	var next time.Time
	err := l.tx.QueryRow(ctx, `SELECT least(accepted_at, $3) FROM commands WHERE ticket = $1 AND seq = $2`,
		l.state.Ticket.Number, l.state.Command+1, l.now).Scan(&next)
	return next, err
}

// queueGate records how far a ticket has come with the gate, when an edge lay on the way that changed nothing for it.
func (l *locked) queueGate(batch *pgx.Batch) {
	if l.desk.Gate.HasEdge(l.wasAt, l.gateAt) {
		batch.Queue(`UPDATE tickets SET gate_at = $2 WHERE number = $1`, l.state.Ticket.Number, l.gateAt)
	}
}
