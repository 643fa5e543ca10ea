package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// stepTx is the transaction of a step. It holds the ticket's row lock and shares the lock of the emergency schedule.
type stepTx struct {
	recipients
	store  *Store
	tx     pgx.Tx
	number ticket.Number
	epoch  int64 // part of the Message-IDs of the step's deliveries
}

// StepTx implements app.StepStore.
func (s *Store) StepTx(ctx context.Context, n ticket.Number, fn func(app.LockedTicket, app.StepTx) error) error {
	err := s.within(ctx, func(tx pgx.Tx) error {
		st := &stepTx{recipients: recipients{tx}, store: s, tx: tx, number: n}
		l, err := st.lock(ctx)
		if err != nil {
			return err
		}
		return fn(l, st)
	})
	return explain(err, "step ticket %s", n)
}

// lock locks the ticket and loads it. Before its first step it is a draft. It returns errNoTicket if there is none.
func (st *stepTx) lock(ctx context.Context) (l app.LockedTicket, err error) {
	var requester ticket.PersonID
	var version, revision int64
	var state *ticket.State
	batch := &pgx.Batch{}
	batch.Queue(shareSchedule, gateLock)
	batch.Queue(`SELECT requester, policy, last_command, latest_at, state, nullif(transitions_until, '-infinity'), `+parkedColumn+`,
			(SELECT disabled_at IS NOT NULL FROM people WHERE id = t.requester)
		FROM tickets t WHERE number = $1 FOR UPDATE`, st.number).
		QueryRow(func(row pgx.Row) error {
			return row.Scan(&requester, &version, &l.Last, &l.Latest, &state, nullable(&l.Passed), &l.Parked, &l.Desk.Unmailed)
		})
	// The clock is read once both locks are held: whatever is accepted from here on is accepted later.
	batch.Queue(`SELECT date_trunc('second', clock_timestamp()), revision, number FROM emergency_schedule, epoch`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&l.Clock, &revision, &st.epoch) })
	if err := st.tx.SendBatch(ctx, batch).Close(); err != nil {
		return l, missing(err, errNoTicket)
	}
	if l.Desk.Policy, err = st.Policy(ctx, version); err != nil {
		return l, err
	}
	if l.Desk.Schedule, err = st.store.scheduleSince(ctx, st.tx, revision); err != nil {
		return l, err
	}
	if state == nil {
		state = &ticket.State{Ticket: ticket.Draft(st.number, requester, version, l.Desk.Policy)}
	}
	l.State = *state
	return l, nil
}

// Policy implements app.StepTx. It returns a published version from memory where it can.
func (st *stepTx) Policy(ctx context.Context, version int64) (*policy.Policy, error) {
	return st.store.policy(ctx, st.tx, version)
}

// Staff implements app.StepTx.
func (st *stepTx) Staff(ctx context.Context, handleOrID string) (ticket.PersonID, error) {
	p, err := st.store.staff(ctx, st.tx, handleOrID)
	return p.ID, err
}
