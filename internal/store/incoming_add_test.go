package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// Mails that arrive while others are being stored are stored together.
func TestIncoming_mailsThatArriveTogetherShareACommit(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.receiveTogether(false)
	if n := one[int](d, `SELECT count(DISTINCT xmin::text) FROM incoming_mails`); n > 5 {
		t.Errorf("%d transactions for 21 mails", n)
	}
}

func TestIncoming_aMailThatIsRefusedDoesNothingToThoseThatArriveWithIt(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.receiveTogether(true)
}

// receiveTogether receives 21 mails with 11 contents, 18 of which gather, and perhaps one among them that is refused.
func (d *fixture) receiveTogether(refused bool) {
	t := d.t
	t.Helper()
	first := incoming(0, "ann@example.com")
	d.receive(first)
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE incoming_mails IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	add := func(m desk.IncomingMail, check func(id int64, err error)) {
		all.Go(func() { check(d.AddIncoming(t.Context(), m)) })
	}
	ids := make([]int64, 20)
	stored := func(i int) func(int64, error) {
		return func(id int64, err error) {
			if ids[i] = id; err != nil || id == 0 {
				t.Errorf("mail %d: %d, %v", i, id, err)
			}
		}
	}
	for i := range 2 { // the statements that run: the others gather behind them
		add(incoming(i+1, "ann@example.com"), stored(i))
		d.waitFor(fmt.Sprintf(`SELECT count(*) = %d FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`, i+1))
	}
	for i := 2; i < len(ids); i++ {
		m := incoming(i%10+1, fmt.Sprintf("%d@example.com", i)) // each content twice
		m.Recipients = []string{`"a b, {c}\"\\"@example.com`, fmt.Sprint(i, "@example.com"), "a\x00\xff@example.com"}
		add(m, stored(i))
	}
	gather := len(ids) - 2
	if refused {
		gather++
		broken := incoming(100, "eve@example.com")
		broken.Blob = first.Blob
		add(broken, func(_ int64, err error) {
			if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "incoming_mails_blob" {
				t.Errorf("a mail with another's content: %v", err)
			}
		})
	}
	for d.MailsGathered() < gather {
		if t.Context().Err() != nil {
			t.FailNow()
		}
		time.Sleep(time.Millisecond)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if n := one[int](d, `SELECT count(DISTINCT fingerprint) FROM incoming_mails WHERE status = 'received'`); n != 11 {
		t.Errorf("%d mails are to be processed, want 11", n)
	}
	if n := one[int](d, `SELECT count(*) FROM incoming_mails m JOIN incoming_mails e ON e.id = m.duplicate_of AND e.fingerprint = m.fingerprint AND e.id <> m.id`); n != 10 {
		t.Errorf("%d are duplicates of others, want 10", n)
	}
	for i := 2; i < len(ids); i++ {
		m, err := d.Incoming(t.Context(), ids[i])
		if want := fmt.Sprint(i, "@example.com"); err != nil || m.ReturnPath != want || len(m.Recipients) != 3 || m.Recipients[1] != want ||
			m.Recipients[0] != `"a b, {c}\"\\"@example.com` || m.Recipients[2] != "a@example.com" {
			t.Errorf("mail %d is from %s to %q: %v", i, m.ReturnPath, m.Recipients, err)
		}
	}
}
