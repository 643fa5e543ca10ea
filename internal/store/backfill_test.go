package store_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// backfill is the part of a migration that fills in what older tickets lack, in batches of two.
func backfill(t *testing.T, file string) string {
	t.Helper()
	migration, err := os.ReadFile("migrations/" + file)
	if err != nil {
		t.Fatal(err)
	}
	_, fill, found := strings.Cut(string(migration), "-- +goose StatementBegin")
	if !found || !strings.Contains(fill, "LIMIT 200") {
		t.Fatal("the migration has no batches")
	}
	return asNamedNow.Replace(strings.Replace(fill, "LIMIT 200", "LIMIT 2", 1))
}

// ownEntries is the part of a migration that counts the entries which only a requester sees.
func ownEntries(t *testing.T) string {
	t.Helper()
	migration, err := os.ReadFile("migrations/00033_participants.sql")
	if err != nil {
		t.Fatal(err)
	}
	i := strings.LastIndex(string(migration), "-- +goose StatementBegin")
	return string(migration)[i:]
}

// asNamedNow puts the names of today into a migration from before 00031_names.sql.
var asNamedNow = strings.NewReplacer("{ticket,written}", "{ticket,latest_messages}", "'written'", "'latest_messages'",
	"progress-told", "progress-updated", "verdict, charge", "sla_status, charge", "'kept'", "'met'", "'broken'", "'breached'",
	"'dropped'", "'cancelled'", "'owed'", "'pending'")

// TestMigrate_backfillsInBatches: a batch waits for the lock of a step and uses the state that the step leaves, while
// earlier batches are committed.
func TestMigrate_backfillsInBatches(t *testing.T) {
	d := open(t)
	var numbers []ticket.Number
	for range 5 {
		numbers = append(numbers, d.taken(d.customer))
	}
	slices.Sort(numbers)
	n := numbers[3]
	d.sql(`UPDATE tickets SET state = state #- '{ticket,latest_messages}', shown_at = NULL`)
	step, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour).Truncate(time.Second)
	for statement, args := range map[string][]any{
		`UPDATE tickets SET state = jsonb_set(state, '{ticket,latest_messages}', '{"listed": 99}') WHERE number = $1`: {n},
		`UPDATE events SET recorded_at = $2 WHERE ticket = $1`:                                                        {n, later},
	} {
		if _, err := step.Exec(t.Context(), statement, args...); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	for _, file := range []string{"00020_seen.sql", "00027_shown.sql"} {
		fill := backfill(t, file)
		go func() {
			_, err := d.beside.Exec(t.Context(), fill)
			done <- err
		}()
	}
	d.waitFor(`SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	d.waitFor(`SELECT count(*) = 2 FROM tickets WHERE state->'ticket' ? 'latest_messages' AND shown_at IS NOT NULL`)
	if err := step.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if listed := one[int](d, `SELECT (state->'ticket'->'latest_messages'->>'listed')::int FROM tickets WHERE number = $1`, n); listed != 99 {
		t.Errorf("the step's state has become one of %d entries", listed)
	}
	if shown := one[time.Time](d, `SELECT shown_at FROM tickets WHERE number = $1`, n); !shown.Equal(later) {
		t.Errorf("last changed at %s: the step's events were not read", shown)
	}
	if left := one[int](d, `SELECT count(*) FROM tickets WHERE NOT state->'ticket' ? 'latest_messages' OR shown_at IS NULL`); left != 0 {
		t.Errorf("%d tickets are left out", left)
	}
}

// TestMigrate_takesSubmissionsDuringABackfill: it holds no lock on the table.
func TestMigrate_takesSubmissionsDuringABackfill(t *testing.T) {
	d := open(t)
	d.taken(d.customer)
	d.sql(`UPDATE tickets SET shown_at = NULL`)
	fill := backfill(t, "00027_shown.sql")
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE events IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := d.beside.Exec(t.Context(), fill)
		done <- err
	}()
	d.waitFor(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	soon, cancel := context.WithTimeout(t.Context(), slack)
	defer cancel()
	if _, err := d.Submit(soon, d.customer, submission()); err != nil {
		t.Errorf("a submission during the migration: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
