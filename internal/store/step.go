package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Step takes one step of a ticket in one transaction, under the ticket's lock. Asked again it changes nothing and
// returns the ticket as it then is. A command is taken together with those before it that were not; a due moment fires
// only when the database's clock has reached it and no command accepted before it waits to be taken. A command that
// can't be recorded is refused, and what is due and can't be is parked: see stepCarefully. It is NotFound for a ticket
// that isn't there and Invalid for a request that means nothing; Unavailable is worth repeating.
func (s *Store) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	if err := checkStep(r); err != nil {
		return ticket.StepResult{}, err
	}
	result, err := s.step(ctx, r, pace{most: mostAtOnce})
	if unrecordable(err) {
		result, err = s.stepCarefully(ctx, r, err)
	}
	if err != nil {
		return ticket.StepResult{}, explain(err, "step ticket %s", r.Number)
	}
	return result, nil
}

// pace says how much a step may take on. A careful one does little, so that what can't be recorded stands alone.
type pace struct {
	most   int64 // commands decided
	refuse bool  // refuse the first of them
	still  bool  // nothing beyond the commands: no edge of the gate, no news of mails
}

func (s *Store) step(ctx context.Context, r ticket.StepRequest, p pace) (result ticket.StepResult, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		l, err := s.lock(ctx, tx, r.Number)
		if err != nil {
			return err
		}
		l.pace = p
		if err := l.step(ctx, r); err != nil {
			return err
		}
		if !p.still {
			if err := l.hear(ctx); err != nil {
				return err
			}
			if err := l.weave(ctx); err != nil {
				return err
			}
		}
		result, err = l.write(ctx, r.Mails)
		return err
	})
	return result, err
}

func checkStep(r ticket.StepRequest) error {
	asked := 0
	for _, set := range []bool{r.Command != 0, !r.Due.IsZero(), r.Bounced != 0, r.Delivered != 0, len(r.ByHand) > 0, r.Gate} {
		if set {
			asked++
		}
	}
	if asked != 1 || r.Command < 0 || r.Bounced < 0 || r.Delivered < 0 || len(r.ByHand) > ticket.MaxByHand {
		return fault.New(fault.Invalid, "a step is asked for one command, one moment, one mail that is settled, some signals by hand or the gate")
	}
	for _, h := range r.ByHand {
		if h.Key == "" || !slices.Contains(ticket.Signals(), h.Verb) {
			return fault.New(fault.Invalid, "a signal by hand has a key and one of the signals' names")
		}
	}
	return nil
}

// locked is a ticket while a step holds its lock, and what the step has made of it so far.
type locked struct {
	store  *Store
	tx     pgx.Tx
	pace   pace
	clock  time.Time   // the database's, a whole second
	now    time.Time   // likewise, but not before any command accepted: the clock may have been set back
	last   int64       // number of the last command accepted
	before int64       // and what it was when the step began
	desk   ticket.Desk // its rosters are of the groups that a choice needed so far
	epoch  int64       // in which what is owed is numbered
	wasAt  time.Time   // edges of the gate up to this instant had been passed before; zero: none
	gateAt time.Time   // and are passed now

	was, state ticket.State
	events     []ticket.Event
	mails      []ticket.Mail
	calls      []ticket.Call
	decisions  []decision
	hands      []string // keys of the signals and updates by hand that the step was asked to take
	told       []told
	caughtUp   bool // everything has happened up to now
	parked     *ticket.Parked
}

// told is a bounced mail, or a call that failed, and the event that now tells of it.
type told struct{ n, event int }

// decision is the desk's answer to one command.
type decision struct {
	seq     int64
	outcome ticket.Outcome
}

// lock locks a ticket and loads it. A ticket that no step has taken yet is a draft.
func (s *Store) lock(ctx context.Context, tx pgx.Tx, n ticket.Number) (*locked, error) {
	l := &locked{store: s, tx: tx}
	var requester ticket.PersonID
	var version int64
	var latest time.Time
	var state []byte
	var wasAt *time.Time
	var gate int64
	batch := &pgx.Batch{}
	batch.Queue(shareGate, gateLock)
	batch.Queue(`SELECT requester, policy, last_command, latest_at, state, nullif(gate_at, '-infinity'), `+parkedColumn+`,
			(SELECT disabled_at IS NOT NULL FROM people WHERE id = t.requester)
		FROM tickets t WHERE number = $1 FOR UPDATE`, n).
		QueryRow(func(row pgx.Row) error {
			return row.Scan(&requester, &version, &l.last, &latest, &state, &wasAt, &l.parked, &l.desk.Unmailed)
		})
	// The clock is read once both locks are held: what is accepted from here on is accepted later.
	batch.Queue(`SELECT date_trunc('second', clock_timestamp()), revision, number FROM gate, epoch`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&l.clock, &gate, &l.epoch) })
	if err := tx.SendBatch(ctx, batch).Close(); errors.Is(err, pgx.ErrNoRows) {
		return nil, errNoTicket
	} else if err != nil {
		return nil, err
	}
	l.before = l.last
	if l.now = l.clock; l.now.Before(latest) {
		l.now = latest
	}
	if wasAt != nil {
		l.wasAt = *wasAt
	}
	var err error
	if l.desk.Policy, err = s.policy(ctx, tx, version); err != nil {
		return nil, err
	}
	if l.desk.Gate, err = s.gateSince(ctx, tx, gate); err != nil {
		return nil, err
	}
	if state == nil {
		l.was.Ticket = ticket.Draft(n, requester, version, l.desk.Policy)
	} else if err := json.Unmarshal(state, &l.was); err != nil {
		return nil, fmt.Errorf("read the state: %w", err)
	}
	l.state = l.was
	return l, nil
}

// step does what is asked for. Whatever it is, the gate's edges up to now are passed afterwards.
func (l *locked) step(ctx context.Context, r ticket.StepRequest) error {
	switch {
	case len(r.ByHand) > 0:
		if err := l.number(ctx, r.ByHand); err != nil {
			return err
		}
		return l.take(ctx, l.last)
	case r.Command > 0:
		return l.take(ctx, r.Command)
	case r.Bounced > 0:
		return l.bounce(ctx, r.Bounced)
	case r.Delivered > 0:
		return l.take(ctx, l.last)
	case r.Gate:
		return l.catchUp(ctx)
	default:
		return l.fallDue(ctx, r.Due.UTC().Truncate(time.Second))
	}
}

// mostAtOnce bounds a step's transaction; whoever asks for more sees in the result that it is to ask again.
const mostAtOnce = 100

// take decides the commands up to a number that have not been decided, in order. A number that was never given out
// takes what there is: it came with a signal that somebody made up, and the result says how far numbers go.
func (l *locked) take(ctx context.Context, upTo int64) error {
	upTo = min(upTo, l.last, l.state.Command+l.pace.most)
	if upTo <= l.state.Command {
		return nil
	}
	commands, err := l.commands(ctx, upTo)
	if err != nil {
		return err
	}
	for i, c := range commands {
		c.Unrecordable = l.pace.refuse && i == 0
		if c.Seq != l.state.Command+1 {
			return fmt.Errorf("command %d is missing", l.state.Command+1)
		}
		if err := l.adopt(ctx, &c); err != nil {
			return err
		}
		if err := l.undelivered(ctx, &c); err != nil {
			return err
		}
		result, err := l.chosen(ctx, func(d ticket.Desk) (ticket.Result, error) {
			return ticket.Take(l.state.Ticket, d, c)
		})
		if err != nil {
			return err
		}
		if l.add(result); l.state.Ticket.Policy == c.Policy {
			l.desk.Policy = c.Adopt
		}
		l.state.Command = c.Seq
		l.decisions = append(l.decisions, decision{c.Seq, result.Outcome})
	}
	return nil
}

// fallDue fires what is due at an instant, unless that lies ahead or an earlier word waits to be taken: an answer that
// was accepted before a deadline and reaches the workflow after it has kept the promise.
func (l *locked) fallDue(ctx context.Context, due time.Time) error {
	if due.After(l.now) {
		return nil
	}
	var earlier bool
	err := l.tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM commands WHERE ticket = $1 AND seq > $2 AND accepted_at < $3)`,
		l.state.Ticket.Number, l.state.Command, due).Scan(&earlier)
	if err != nil || earlier {
		return err
	}
	result, err := l.chosen(ctx, func(d ticket.Desk) (ticket.Result, error) {
		return ticket.Advance(l.state.Ticket, d, due)
	})
	if err == nil {
		l.add(result)
	}
	return err
}

func (l *locked) add(r ticket.Result) {
	l.state.Ticket = r.Ticket
	if r.Rosters != nil {
		l.desk.Rosters = r.Rosters
	}
	l.events = append(l.events, r.Events...)
	l.mails = append(l.mails, r.Mails...)
	l.calls = append(l.calls, r.Calls...)
}
