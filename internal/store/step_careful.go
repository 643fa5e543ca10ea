package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// unrecordable reports whether a step failed for what it was to record, and would fail so for ever: PostgreSQL refuses the
// data, or the domain can't compute them. The trigger that compares a row with its state is not among the reasons: if it
// refuses, the step itself is wrong, which no refusal of a command may hide.
func unrecordable(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return (pg.Code[:2] == "22" || pg.Code[:2] == "23") && pg.ConstraintName != "tickets_row_is_state"
	}
	return errors.Is(err, ticket.ErrUncomputable)
}

// unrecordableReason says why, without a word of what was refused.
func unrecordableReason(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return "SQLSTATE " + pg.Code + " " + pg.ConstraintName
	}
	return ticket.ErrUncomputable.Error()
}

// stepCarefully takes a step that can't be recorded as a whole. It decides fewer commands at once until the one that can't
// be recorded stands alone, and refuses that. If not even its refusal can be recorded, what falls due before it, or an edge
// of the gate, is at fault: that is parked, to be tried again, and never dropped.
func (s *Store) stepCarefully(ctx context.Context, r ticket.StepRequest, cause error) (ticket.StepResult, error) {
	commands := ticket.StepRequest{Number: r.Number, Mails: r.Mails, Command: 1}
	first := commands
	if len(r.ByHand) > 0 {
		first = r
	}
	result, err := s.step(ctx, first, pace{still: true}) // only numbers signals by hand
	if err != nil {
		return result, err
	}
	commands.Command = result.Pending
	if result.Digest.Command < result.Pending {
		result, err = s.decideSome(ctx, commands)
		switch {
		case unrecordable(err):
			return s.park(ctx, commands, err)
		case err != nil, result.Digest.Command < result.Pending:
			return result, err
		}
	}
	if !r.Gate && r.Due.IsZero() && r.Bounced == 0 && r.Delivered == 0 {
		return result, nil
	}
	result, err = s.step(ctx, r, pace{most: mostAtOnce})
	if unrecordable(err) {
		return s.park(ctx, commands, err)
	}
	return result, err
}

// decideSome decides as many commands as can be recorded at once, or refuses the first.
func (s *Store) decideSome(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	for most := int64(mostAtOnce) / 2; most > 0; most /= 2 {
		result, err := s.step(ctx, r, pace{most: most, still: true})
		if !unrecordable(err) {
			return result, err
		}
	}
	return s.step(ctx, r, pace{most: 1, refuse: true, still: true})
}

// parkedColumn is a ticket.Parked of ticket t, null without one.
const parkedColumn = `(SELECT jsonb_build_object('since', since, 'retry', retry_at, 'reason', reason) FROM parked_steps WHERE ticket = t.number)`

// park notes that something can't be recorded, to be tried again after a minute at first, and then after longer, up to
// ten. A step before that time, as of a signal by hand, is no try and puts nothing off.
func (s *Store) park(ctx context.Context, r ticket.StepRequest, cause error) (ticket.StepResult, error) {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO parked_steps (ticket, retry_at, reason) VALUES ($1, clock_timestamp() + interval '1 minute', $2)
		ON CONFLICT (ticket) DO UPDATE SET reason = excluded.reason, tries = parked_steps.tries + 1,
			retry_at = clock_timestamp() + least(parked_steps.tries + 1, 10) * interval '1 minute'
			WHERE parked_steps.retry_at <= clock_timestamp()`, r.Number, unrecordableReason(cause))
	if err != nil {
		return ticket.StepResult{}, err
	}
	return s.step(ctx, r, pace{still: true})
}

// unpark is queued by a step that has let everything happen up to now.
func (l *locked) unpark(batch *pgx.Batch) {
	batch.Queue(`DELETE FROM parked_steps WHERE ticket = $1`, l.state.Ticket.Number)
	l.parked = nil
}

// Parked lists the tickets of which something can't be recorded, the longest first, at most limit.
func (s *Store) Parked(ctx context.Context, limit int) ([]ParkedStep, error) {
	rows, err := s.pool.Query(ctx, `SELECT ticket AS number, since, retry_at AS retry, tries, reason FROM parked_steps ORDER BY since LIMIT $1`, limit)
	if err != nil {
		return nil, explain(err, "list what is parked")
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ParkedStep])
	return all, explain(err, "list what is parked")
}

// ParkedStep is a ticket of which something can't be recorded.
type ParkedStep struct {
	Number ticket.Number
	Since  time.Time
	Retry  time.Time // not before
	Tries  int
	Reason string
}
