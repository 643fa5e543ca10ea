package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// TestSubmit_rushGivesEachTheirOwnAnswer lets good and bad submissions gather behind a lock, so that they are accepted
// together.
func TestSubmit_rushGivesEachTheirOwnAnswer(t *testing.T) {
	d := open(t)
	theirs := d.submit(d.other)
	used := submission()
	used.IdempotencyKey = desk.IdempotencyKey{Key: "used", Fingerprint: []byte("before")}
	before, err := d.Submit(t.Context(), d.customer, used)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE tickets IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	impatient, leave := context.WithCancel(t.Context())
	var all, started sync.WaitGroup
	rush := func(ctx context.Context, edit func(*desk.Submission), check func(desk.Submission, desk.Accepted, error) bool) {
		started.Add(1)
		all.Go(func() {
			sub := submission()
			sub.Body = fmt.Sprint("my number is ", sub.Number)
			edit(&sub)
			started.Done()
			if a, err := d.Submit(ctx, d.customer, sub); !check(sub, a, err) {
				t.Errorf("%+v: got %+v, %v", sub, a, err)
			}
		})
	}
	granted := func(sub desk.Submission, a desk.Accepted, err error) bool {
		return err == nil && a.Number == sub.Number && !a.Again
	}
	for range 40 {
		rush(t.Context(), func(*desk.Submission) {}, granted)
	}
	rush(t.Context(), func(s *desk.Submission) { s.Follows = theirs.Number },
		func(_ desk.Submission, _ desk.Accepted, err error) bool { return fault.KindOf(err) == fault.Invalid })
	rush(t.Context(), func(s *desk.Submission) { s.Subject = "a\x00b" },
		func(_ desk.Submission, _ desk.Accepted, err error) bool { return fault.KindOf(err) == fault.Invalid })
	rush(t.Context(), func(s *desk.Submission) { s.IdempotencyKey = used.IdempotencyKey },
		func(_ desk.Submission, a desk.Accepted, err error) bool {
			return err == nil && a.Again && a.Number == before.Number
		})
	rush(t.Context(), func(s *desk.Submission) {
		s.IdempotencyKey = desk.IdempotencyKey{Key: "used", Fingerprint: []byte("other")}
	},
		func(_ desk.Submission, _ desk.Accepted, err error) bool { return fault.KindOf(err) == fault.Conflict })
	rush(t.Context(), func(s *desk.Submission) { s.Number = theirs.Number },
		func(_ desk.Submission, a desk.Accepted, err error) bool {
			return err == nil && a.Number != theirs.Number
		})
	rush(impatient, func(*desk.Submission) {},
		func(_ desk.Submission, _ desk.Accepted, err error) bool {
			return err == nil || errors.Is(err, context.Canceled)
		})
	started.Wait()
	d.waitFor(`SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	leave()
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	// One was given another number than it came with.
	if wrong := one[int64](d, `SELECT count(*) FROM tickets t JOIN commands c ON c.ticket = t.number AND c.seq = 1
		JOIN messages m ON m.id = c.message
		WHERE m.ticket <> t.number OR m.body LIKE 'my number%' AND m.body <> 'my number is ' || t.number`); wrong != 1 {
		t.Errorf("%d tickets have words that name another number, want 1", wrong)
	}
	tickets, commits := one[int64](d, `SELECT count(*) FROM tickets`), one[int64](d, `SELECT count(DISTINCT xmin::text) FROM tickets`)
	if tickets < 43 || tickets > 44 || commits >= tickets {
		t.Errorf("%d tickets in %d commits, want 43 or 44 in fewer", tickets, commits)
	}
	if n := one[int64](d, `SELECT count(*) FROM undelivered`); n != tickets {
		t.Errorf("%d are to be delivered, want %d", n, tickets)
	}
}
