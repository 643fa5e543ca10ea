package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// A mail that is tried all day must not hide that nothing fires any more.
func TestOverdue_aRestForMailThatIsTriedHidesNothingElse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		sql   string // with the ticket as $1
		found desk.CheckResult
		want  bool
	}{
		{"nothing else", `SELECT $1::text`, desk.FoundTrying, false},
		{"due", `UPDATE tickets SET next_due = now() - interval '61 s' WHERE number = $1`, desk.FoundTrying, true},
		{"due and looked at", `UPDATE tickets SET next_due = now() - interval '61 s' WHERE number = $1`, desk.FoundRunning, false},
		{
			"undecided", `WITH asked AS (UPDATE tickets SET last_command = 2 WHERE number = $1)
				INSERT INTO undelivered (ticket, seq, delivered_at) VALUES ($1, 2, now() - interval '61 s')`, desk.FoundTrying, true,
		},
		{
			"undecided and looked at", `WITH asked AS (UPDATE tickets SET last_command = 2 WHERE number = $1)
				INSERT INTO undelivered (ticket, seq, delivered_at) VALUES ($1, 2, now() - interval '61 s')`, desk.FoundRunning, false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			n := d.taken(d.customer)
			d.sql(`DELETE FROM undelivered`)
			d.sql(`UPDATE deliveries SET status = 'owed', settled_at = NULL, owed_at = now() - interval '1 h' WHERE ticket = $1`, n)
			if err := d.RecordCheck(t.Context(), d.overdue()[0], c.found, 9, time.Hour); err != nil {
				t.Fatal(err)
			}
			d.sql(c.sql, n)
			if found := d.overdue(); (len(found) == 1) != c.want {
				t.Errorf("found %+v", found)
			}
		})
	}
}

// What one caller's hanging up does to a probe is no answer to another.
func TestWritable_outlivesTheCallerThatBeganIt(t *testing.T) {
	t.Parallel()
	d := open(t)
	lock, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := lock.Exec(t.Context(), `UPDATE write_probe SET written_at = now()`); err != nil {
		t.Fatal(err)
	}
	asking, hangUp := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() { answer <- d.Writable(asking) }()
	for deadline := time.Now().Add(time.Minute); !one[bool](d, `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)`); {
		if time.Now().After(deadline) {
			t.Fatal("no probe waits")
		}
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := d.Writable(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that has gone waits for another's probe: %v", err)
	}
	hangUp()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller that hung up got %v", err)
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	err = d.Writable(t.Context())
	for deadline := time.Now().Add(slack); errors.Is(err, context.DeadlineExceeded) && time.Now().Before(deadline); {
		err = d.Writable(t.Context()) // the probe was that of before, and took too long
	}
	if err != nil {
		t.Errorf("the next caller got %v", err)
	}
}

func TestDefer_leavesWhatIsMissing(t *testing.T) {
	t.Parallel()
	for before, want := range map[desk.CheckResult]string{desk.FoundMissing: "missing", desk.FoundTrying: "running"} {
		d := open(t)
		n := d.taken(d.customer)
		d.sql(`UPDATE tickets SET next_due = now() - interval '1 h' WHERE number = $1`, n)
		found := d.overdue()[0]
		if err := errors.Join(d.RecordCheck(t.Context(), found, before, 0, 0), d.Postpone(t.Context(), found, 1, time.Hour)); err != nil {
			t.Fatal(err)
		}
		if now := one[string](d, `SELECT found FROM ticket_checks`); now != want || len(d.overdue()) > 0 {
			t.Errorf("%s becomes %s, and %d are looked at again at once", before, now, len(d.overdue()))
		}
	}
}
