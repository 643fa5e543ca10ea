package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestDisagreements_saysWhatIsWrongWithWhichTicket(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, sql, want string }{
		{"nothing", ``, ""},
		{"an event is gone", `DELETE FROM events WHERE ticket = $1 AND n = 3`, "3 events and its timeline has 2"},
		{"an event is another", `UPDATE events SET data = jsonb_set(data, '{at}', '"2020-01-01T00:00:00Z"') WHERE ticket = $1 AND n = 1`, "is not the fold"},
		{"the state is another", `UPDATE tickets SET state = jsonb_set(state, '{ticket,handle}', '"somebody"') WHERE number = $1`, "is not the fold"},
		{"an outcome is gone", `DELETE FROM outcomes WHERE ticket = $1 AND seq = 2`, "3 commands are decided and 2 outcomes"},
		{"a command is gone", `DELETE FROM commands WHERE ticket = $1 AND seq = 2`, "3 commands and there are 2"},
		{"lists have another priority", `UPDATE tickets SET priority = 'urgent' WHERE number = $1`, "columns of its row"},
		{"its due event is not found", `UPDATE tickets SET next_due = 'infinity' WHERE number = $1`, "columns of its row"},
		{"it is hidden from the queues", `UPDATE tickets SET snoozed_until = now() WHERE number = $1`, "columns of its row"},
		{"a participant too many", `INSERT INTO participants (ticket, person) SELECT number, requester FROM tickets WHERE number = $1`, "participants are not"},
		{"a mail is gone", `DELETE FROM deliveries WHERE ticket = $1 AND n = 1`, "mails and calls and there are"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			n := d.taken(d.customer)
			d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.agent.Handle})
			d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "a note"})
			d.taken(d.other)
			d.submit(d.other) // without a step
			if c.sql != "" {
				tx, err := d.beside.Begin(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.Exec(t.Context(), `SET LOCAL session_replication_role = replica`); err != nil { // no constraint stands in the way
					t.Fatal(err)
				}
				if _, err := tx.Exec(t.Context(), c.sql, n); err != nil {
					t.Fatal(err)
				}
				if err := tx.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			var all []desk.Disagreement
			compared := 0
			for after := ticket.Number(""); ; {
				found, n, last, err := d.Disagreements(t.Context(), after, 2)
				if err != nil {
					t.Fatal(err)
				}
				all, after = append(all, found...), last
				if compared += n; n < 2 {
					break
				}
			}
			if compared != 3 {
				t.Errorf("compared %d tickets", compared)
			}
			switch {
			case c.want == "" && len(all) > 0:
				t.Errorf("found %v", all)
			case c.want != "" && (len(all) != 1 || all[0].Number != n || !strings.Contains(all[0].Says, c.want)):
				t.Errorf("found %v, not %q", all, c.want)
			}
		})
	}
}

func TestIdleSessions_listsWhoHoldsATransactionOpen(t *testing.T) {
	t.Parallel()
	d := open(t)
	config, err := pgx.ParseConfig(d.dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["application_name"] = "somebody"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if all, err := d.IdleSessions(t.Context(), 0); err != nil || len(all) != 0 {
		t.Errorf("listed %+v, %v", all, err)
	}
	if _, err := conn.Exec(t.Context(), `BEGIN`); err != nil {
		t.Fatal(err)
	}
	all, err := d.IdleSessions(t.Context(), 0)
	if err != nil || len(all) != 1 || all[0].Program != "somebody" || all[0].PID != int(conn.PgConn().PID()) {
		t.Errorf("listed %+v, %v", all, err)
	}
	if all, err := d.IdleSessions(t.Context(), time.Hour); err != nil || len(all) != 0 {
		t.Errorf("listed %+v, %v", all, err)
	}
}

func TestTableLocks_listsWhoKeepsOthersOut(t *testing.T) {
	t.Parallel()
	d := open(t)
	locked := func(mode string) []desk.TableLock {
		t.Helper()
		tx, err := d.beside.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(t.Context()) }()
		if _, err := tx.Exec(t.Context(), `LOCK TABLE tickets IN `+mode+` MODE`); err != nil {
			t.Fatal(err)
		}
		all, err := d.TableLocks(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if early, err := d.TableLocks(t.Context(), time.Hour); err != nil || len(early) != 0 {
			t.Errorf("listed %+v of an hour ago, %v", early, err)
		}
		return all
	}
	if all := locked("ROW EXCLUSIVE"); len(all) != 0 {
		t.Errorf("a lock that every writer takes is listed: %+v", all)
	}
	for mode, reads := range map[string]bool{"SHARE": false, "ACCESS EXCLUSIVE": true} {
		if all := locked(mode); len(all) != 1 || all[0].Table != "tickets" || all[0].Reads != reads || all[0].PID == 0 || all[0].For <= 0 {
			t.Errorf("%s: listed %+v", mode, all)
		}
	}
}

func TestBacklog_countsWhatWaits(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.submit(d.customer)
	d.submit(d.customer)
	d.redate(a, time.Now().Add(-time.Hour))
	if b, err := d.Backlog(t.Context(), late); err != nil || b.Commands != 1 || b.Oldest < 59*time.Minute || b.Oldest > 61*time.Minute {
		t.Errorf("waits %+v, %v", b, err)
	}
}

// A pooler such as PgBouncer refuses connections with parameters that it was not configured to pass on or to ignore.
func TestOpen_limitsLocksWithoutAParameterOfTheConnection(t *testing.T) {
	t.Parallel()
	d := open(t)
	limited, err := store.Open(t.Context(), d.dsn, store.Options{LockTimeout: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer limited.Close()
	set, source, err := limited.Setting(t.Context(), "lock_timeout")
	if err != nil {
		t.Fatal(err)
	}
	if set != "3000" || source != "session" {
		t.Errorf("lock_timeout is %s, set by the %s", set, source)
	}
}
