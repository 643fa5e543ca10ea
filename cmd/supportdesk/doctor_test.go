package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

func TestDoctor_findsIncomingMailsThatWaitOrAreLost(t *testing.T) {
	ctx := t.Context()
	dsn := pgtest.Template(t, "cmd", store.Migrate)
	db, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := blob.Open(ctx, "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blobs.Close() }()
	var said []string
	absent, err := dispatch.Connect(dispatch.Options{Address: "127.0.0.1:1", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer absent.Close()
	d := &doctor{dependencies: &dependencies{db: db, blobs: blobs, temporal: absent}, ctx: ctx, print: func(line string) {
		if strings.Contains(line, "incoming") {
			said = append(said, line)
		}
	}}
	examine := func(want ...string) {
		t.Helper()
		said = nil
		d.examine(false)
		if !slices.EqualFunc(said, want, strings.HasPrefix) {
			t.Errorf("said %q, want %q", said, want)
		}
	}
	id, err := inbound.NewReceiver(blobs, db, 1<<20).Receive(ctx, desk.Envelope{Source: desk.SourceLMTP}, strings.NewReader("Subject: Hello\r\n\r\nHello.\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	examine()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `UPDATE incoming_mails SET received_at = received_at - interval '10 minutes'`); err != nil {
		t.Fatal(err)
	}
	examine("1 incoming email is waiting to be processed, the oldest for 10m")
	m, err := db.Incoming(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	if err := blobs.Delete(ctx, m.Blob); err != nil {
		t.Fatal(err)
	}
	examine("1 incoming email is waiting to be processed, the oldest for 10m", "1 incoming email has no content in the store of files: 1 (received)")
	if _, err := conn.Exec(ctx, `UPDATE incoming_mails SET status = 'quarantined', processed_at = now(), reason = 'refused'`); err != nil {
		t.Fatal(err)
	}
	examine("1 incoming email has no content in the store of files: 1 (quarantined)")
}

// While a table is locked, the doctor says by whom and what it could not find out, and goes on.
func TestDoctor_saysWhatItCannotFindOutWhileATableIsLocked(t *testing.T) {
	dsn := pgtest.Template(t, "cmd", store.Migrate)
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	environment := map[string]string{
		"SUPPORTDESK_DATABASE_URL": dsn + "&lock_timeout=100", "SUPPORTDESK_BLOB_URL": "file://" + t.TempDir(),
	}
	locking := lock(t, dsn, "tickets")
	if _, err := locking.Exec(t.Context(), `SELECT pg_sleep_until(now() + $1::interval)`, maxIdle); err != nil { // now() is the transaction's beginning
		t.Fatal(err)
	}
	got := call(t, environment, "doctor")
	if !errors.Is(got.failure, errReported) {
		t.Errorf("it ends with %v", got.failure)
	}
	for _, want := range []string{
		fmt.Sprintf("session %d of user postgres (from 127.0.0.1, program \"\") has locked the table tickets, in a transaction that began ", locking.PgConn().PID()),
		"cannot count the commands that wait: another session of the database holds a lock: ",
		"cannot compare the tickets with their timelines: another session of the database holds a lock: ",
		"cannot reach Temporal: ",
		"no worker has ever looked for lost workflows",
	} {
		if !strings.Contains(got.out, want) {
			t.Errorf("it does not say %q:\n%s", want, got.out)
		}
	}
	for _, once := range []string{"count the commands that wait", "list idle transactions", "compare the tickets with their timelines"} {
		for line := range strings.Lines(got.out) {
			if strings.Count(line, once) > 1 {
				t.Errorf("it repeats itself: %s", line)
			}
		}
	}
}

// The driver tries to connect with and without TLS, and fails twice for one reason.
func TestDoctor_saysOnceWhyTheDatabaseIsAway(t *testing.T) {
	got := call(t, map[string]string{
		"SUPPORTDESK_DATABASE_URL": "postgres://desk@127.0.0.1:1/desk", "SUPPORTDESK_BLOB_URL": "file://" + t.TempDir(),
	}, "doctor")
	const want = "cannot reach PostgreSQL: the database is not responding: failed to connect to `user=desk database=desk`: " +
		"127.0.0.1:1 (127.0.0.1): dial error: dial tcp 127.0.0.1:1: connect: connection refused\n"
	if !errors.Is(got.failure, errReported) || got.out != want {
		t.Errorf("it ends with %v and says\n%s", got.failure, got.out)
	}
}

// Commands that only read fail while a table is locked, instead of waiting without a word.
func TestCommands_failWhileATableIsLocked(t *testing.T) {
	dsn := pgtest.Template(t, "cmd", store.Migrate)
	lock(t, dsn, "people", "tickets", "policies")
	for _, command := range []string{"people list", "people token unknown", "policy list", "policy diff 1 2", "restored --reason none"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			got := call(t, map[string]string{"SUPPORTDESK_DATABASE_URL": dsn}, strings.Fields(command)...)
			if got.failure == nil || !strings.Contains(got.failure.Error(), "another session of the database holds a lock") {
				t.Errorf("it ends with %v", got.failure)
			}
		})
	}
}

// lock locks tables until the test ends, and returns the connection that does.
func lock(t *testing.T, dsn string, tables ...string) *pgx.Conn {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	if _, err := conn.Exec(ctx, `BEGIN; LOCK TABLE `+strings.Join(tables, ", ")); err != nil {
		t.Fatal(err)
	}
	return conn
}
