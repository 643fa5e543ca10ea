package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Import takes in tickets with their past, in one transaction, and gives how many: those whose number is there already
// are left alone, so an import that was cut short is simply run again. It is how a desk that comes from another product
// begins, and how a demonstration is filled. A few thousand at a time are quick and bound the memory needed.
//
// Every chronicle is told to the pure domain, deed by deed, and everything that fell due up to now falls due in between:
// so the state is the fold of its events, as if this desk had kept the ticket all along. Events and outcomes count as
// recorded when they happened. Nobody is mailed about the past: mails count as sent, or as bounced where the chronicle
// says so. A ticket that is not closed is put before the relay, which starts its workflow; that finds the ticket here
// and keeps its promises from then on.
//
// It is Invalid when a chronicle can't be: it names the number. Whoever a chronicle names must have been added before.
func (s *Store) Import(ctx context.Context, chronicles []desk.Chronicle) (added int, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		fresh, err := missing(ctx, tx, chronicles)
		if err != nil || len(fresh) == 0 {
			return err
		}
		im, err := s.beginImport(ctx, tx, fresh)
		if err != nil {
			return err
		}
		for _, c := range fresh {
			if err := im.stay(ctx); err != nil {
				return err
			}
			if err := im.tell(ctx, c); err != nil {
				return err
			}
		}
		added = len(fresh)
		return im.write(ctx)
	})
	if err != nil {
		return 0, explain(err, "import %d tickets", len(chronicles))
	}
	return added, nil
}

// missing gives the chronicles of tickets that are not there yet, each number once.
func missing(ctx context.Context, tx pgx.Tx, chronicles []desk.Chronicle) ([]desk.Chronicle, error) {
	numbers := make([]ticket.Number, 0, len(chronicles))
	for _, c := range chronicles {
		numbers = append(numbers, c.Number)
	}
	rows, err := tx.Query(ctx, `SELECT number FROM tickets WHERE number = ANY ($1)`, numbers)
	if err != nil {
		return nil, err
	}
	known := map[ticket.Number]bool{}
	var number ticket.Number
	if _, err := pgx.ForEachRow(rows, []any{&number}, func() error {
		known[number] = true
		return nil
	}); err != nil {
		return nil, err
	}
	var fresh []desk.Chronicle
	for _, c := range chronicles {
		if !known[c.Number] {
			known[c.Number] = true
			fresh = append(fresh, c)
		}
	}
	return fresh, nil
}

// importing is an import under way: what it needs to know of the desk, and what it has made so far.
type importing struct {
	store     *Store
	tx        pgx.Tx
	now       time.Time
	inForce   int64 // the policy in force
	gate      ticket.Gate
	directory directory
	words     []int64 // IDs for messages, not used yet
	tickets   []*past
	heard     time.Time // when PostgreSQL last heard of it
}

func (s *Store) beginImport(ctx context.Context, tx pgx.Tx, chronicles []desk.Chronicle) (*importing, error) {
	im := &importing{store: s, tx: tx, heard: time.Now()}
	// It has the gate until its end: a copy whose sender stands still has to end, too.
	if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, fmt.Sprint(copyTime.Milliseconds())); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, shareGate, gateLock); err != nil {
		return nil, err
	}
	if err := im.directory.look(ctx, tx, nil); err != nil {
		return nil, err
	}
	words := 0
	for _, c := range chronicles {
		for _, d := range c.Deeds {
			if d.Body != "" {
				words++
			}
		}
	}
	var revision int64
	err := tx.QueryRow(ctx, `SELECT date_trunc('second', clock_timestamp()), (SELECT coalesce(max(version), 0) FROM policies WHERE effective_at <= clock_timestamp()),
		(SELECT revision FROM gate), array(SELECT nextval(pg_get_serial_sequence('messages', 'id')) FROM generate_series(1, $1::int))`, words).
		Scan(&im.now, &im.inForce, &revision, &im.words)
	if err == nil && im.inForce == 0 {
		err = ErrNoPolicy
	}
	if err != nil {
		return nil, err
	}
	im.gate, err = s.gateSince(ctx, tx, revision)
	return im, err
}

// copyTime bounds writing a few thousand tickets, table by table.
const copyTime = 30 * time.Second

// stay keeps PostgreSQL from ending the transaction while the domain is at work for long.
func (im *importing) stay(ctx context.Context) error {
	if time.Since(im.heard) < idleTime/4 {
		return nil
	}
	im.heard = time.Now()
	_, err := im.tx.Exec(ctx, `SELECT`)
	return err
}

// word gives the ID of a deed's words; 0 without any.
func (im *importing) word(d desk.Deed) int64 {
	if d.Body == "" {
		return 0
	}
	id := im.words[0]
	im.words = im.words[1:]
	return id
}
