package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const late = time.Minute

func (d *fixture) overdue() []desk.Overdue {
	d.t.Helper()
	found, err := d.Overdue(d.t.Context(), late, 10)
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

// mailed settles all of a ticket's mails.
func (d *fixture) mailed(n ticket.Number) {
	d.t.Helper()
	d.sql(`UPDATE deliveries SET status = 'sent', settled_at = now() WHERE ticket = $1 AND status = 'owed'`, n)
}

func TestOverdue_findsStuckTickets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		sql  string // with the ticket as $1
		want func(desk.Overdue) bool
	}{
		{"due", `UPDATE tickets SET next_due = now() - interval '61 s' WHERE number = $1`, func(o desk.Overdue) bool { return o.Due }},
		{"due a moment ago", `UPDATE tickets SET next_due = now() - interval '50 s' WHERE number = $1`, nil},
		{"never due", `UPDATE tickets SET next_due = 'infinity' WHERE number = $1`, nil},
		{
			"a mail is owed", `UPDATE deliveries SET status = 'owed', settled_at = NULL, owed_at = now() - interval '61 s' WHERE ticket = $1`,
			func(o desk.Overdue) bool { return o.Mails == 1 },
		},
		{"a mail is pending since a moment ago", `UPDATE deliveries SET status = 'owed', settled_at = NULL WHERE ticket = $1`, nil},
		{
			"a closed ticket owes a mail", `WITH mail AS (UPDATE deliveries SET status = 'owed', settled_at = NULL, owed_at = now() - interval '1 day' WHERE ticket = $1)
				UPDATE tickets SET status = 'closed', state = jsonb_set(state, '{ticket,status}', '"closed"') WHERE number = $1`,
			func(o desk.Overdue) bool { return o.Mails == 1 && !o.Due },
		},
		{
			"a call is owed", `INSERT INTO deliveries (queue, ticket, n, event, webhook, clock, escalation_step, priority, breached_at, owed_at)
				VALUES ('webhook', $1, 9, 1, 'hook', 'resolution', 1, 'normal', now(), now() - interval '61 s')`,
			func(o desk.Overdue) bool { return o.Calls == 1 },
		},
		{
			"a command that was delivered is undecided", `WITH asked AS (UPDATE tickets SET last_command = 2 WHERE number = $1)
				INSERT INTO undelivered (ticket, seq, delivered_at) VALUES ($1, 2, now() - interval '61 s')`,
			func(o desk.Overdue) bool { return o.Undecided },
		},
		{
			"a command is not delivered", `WITH asked AS (UPDATE tickets SET last_command = 2 WHERE number = $1)
				INSERT INTO undelivered (ticket, seq) VALUES ($1, 2)`, nil,
		},
		{"a command that was delivered is decided", `INSERT INTO undelivered (ticket, seq, delivered_at) VALUES ($1, 1, now() - interval '1 day')`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			n, well := d.taken(d.customer), d.taken(d.customer)
			d.mailed(n)
			d.mailed(well)
			d.sql(`DELETE FROM undelivered`)
			d.sql(c.sql, n)
			found := d.overdue()
			if c.want == nil {
				if len(found) > 0 {
					t.Errorf("found %+v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Number != n || !c.want(found[0]) {
				t.Errorf("found %+v", found)
			}
			if err := d.DeleteHealthyChecks(t.Context(), late); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestOverdue_backsOffAfterACheckAndForgetsHealthyTickets(t *testing.T) {
	t.Parallel()
	d := open(t)
	n := d.taken(d.customer)
	d.mailed(n)
	d.sql(`UPDATE tickets SET next_due = now() - interval '1 h' WHERE number = $1`, n)
	found := d.overdue()[0]
	note := func(what desk.CheckResult, tries int, next time.Duration) {
		t.Helper()
		if err := d.RecordCheck(t.Context(), found, what, tries, next); err != nil {
			t.Fatal(err)
		}
	}
	stands := func() desk.Reconciliation {
		t.Helper()
		r, err := d.Reconciliation(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	note(desk.FoundRunning, desk.StuckAfter-1, time.Hour)
	if again := d.overdue(); len(again) > 0 {
		t.Errorf("looks again at once at %+v", again)
	}
	if r := stands(); r.Stuck != 0 || r.Missing != 0 {
		t.Errorf("stands %+v", r)
	}
	note(desk.FoundRunning, desk.StuckAfter, 0)
	if again := d.overdue(); len(again) != 1 || again[0].Tries != desk.StuckAfter || again[0].Seen != again[0].Mark {
		t.Errorf("found again: %+v", again)
	}
	stuck, err := d.StuckTickets(t.Context())
	if r := stands(); r.Stuck != 1 || err != nil || len(stuck) != 1 || stuck[0].Number != n {
		t.Errorf("stands %+v; stuck: %+v, %v", r, stuck, err)
	}
	if err := d.DeleteHealthyChecks(t.Context(), late); err != nil || stands().Stuck != 1 {
		t.Errorf("a ticket that is still overdue is forgotten, %v", err)
	}
	d.sql(`UPDATE deliveries SET status = 'owed', settled_at = NULL, owed_at = now() - interval '1 h' WHERE ticket = $1`, n)
	if again := d.overdue(); len(again) != 1 || again[0].Mark == again[0].Seen {
		t.Errorf("a mail more is no movement: %+v", again)
	}
	note(desk.FoundMissing, 0, 0)
	if r := stands(); r.Missing != 1 || r.OwedMissing != 1 || r.Stuck != 0 {
		t.Errorf("stands %+v", r)
	}
	d.mailed(n)
	d.sql(`UPDATE tickets SET next_due = 'infinity' WHERE number = $1`, n)
	if err := d.DeleteHealthyChecks(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if r := stands(); r.Missing != 0 {
		t.Errorf("stands %+v", r)
	}
}

func TestTicketsWithWorkflow_areOpenOnesAndClosedOnesWithPendingDeliveries(t *testing.T) {
	t.Parallel()
	d := open(t)
	opened, owing, closed := d.taken(d.customer), d.taken(d.customer), d.taken(d.customer)
	d.submit(d.customer) // its first step is the relay's to bring about
	for _, n := range []ticket.Number{owing, closed} {
		d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbClose})
	}
	d.mailed(closed)
	want := []ticket.Number{opened, owing}
	slices.Sort(want)
	var got []ticket.Number
	for after := ticket.Number(""); ; {
		page, err := d.TicketsWithWorkflow(t.Context(), after, 1)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got, after = append(got, page...), page[0]
	}
	if !slices.Equal(got, want) {
		t.Errorf("with a workflow: %v, not %v", got, want)
	}
	of, err := d.OverdueOf(t.Context(), late, []ticket.Number{opened, owing, closed})
	if err != nil || len(of) != 2 {
		t.Errorf("of them %+v, %v", of, err)
	}
	if n, err := d.CountTicketsWithWorkflow(t.Context()); n != 2 || err != nil {
		t.Errorf("counts %d, %v", n, err)
	}
	without, err := d.WithoutWorkflow(t.Context(), []ticket.Number{opened, owing, closed, "HM-0000000000"})
	if err != nil || !slices.Equal(without, []ticket.Number{closed}) {
		t.Errorf("without a workflow: %v, %v", without, err)
	}
}

func TestLease_isHeldByOneAndLostByTimeAlone(t *testing.T) {
	t.Parallel()
	d := open(t)
	lease := func(holder string, lasts time.Duration, want bool) {
		t.Helper()
		if got, err := d.Lease(t.Context(), "work", holder, lasts); got != want || err != nil {
			t.Errorf("%s has the lease: %v, %v", holder, got, err)
		}
	}
	lease("one", time.Hour, true)
	lease("two", time.Hour, false)
	lease("one", time.Hour, true)
	if err := d.EndLease(t.Context(), "work", "two"); err != nil {
		t.Fatal(err)
	}
	lease("two", time.Hour, false)
	if err := d.EndLease(t.Context(), "work", "one"); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Lease(t.Context(), "other work", "three", time.Hour); !got || err != nil {
		t.Errorf("a lease of another name: %v, %v", got, err)
	}
	lease("two", 0, true)
	lease("one", time.Hour, true) // two's has expired
	lease("two", time.Hour, false)
}

func TestReconciliation_reportsChecksAndAudits(t *testing.T) {
	t.Parallel()
	d := open(t)
	stands := func(err error) desk.Reconciliation {
		t.Helper()
		r, failed := d.Reconciliation(t.Context())
		if err != nil || failed != nil {
			t.Fatal(err, failed)
		}
		return r
	}
	if r := stands(nil); !r.Late(time.Now()) || r.Healthy(time.Now()) || r.Auditing() {
		t.Errorf("before any look: %+v", r)
	}
	if r := stands(d.RecordRound(t.Context())); r.Late(time.Now()) || !r.Healthy(time.Now()) || !r.Healthy(time.Now().Add(time.Minute)) || r.Healthy(time.Now().Add(3*time.Minute)) {
		t.Errorf("after a look: %+v", r)
	}
	if r := stands(d.RecordAudit(t.Context(), 0, false)); !r.Auditing() {
		t.Errorf("in an audit: %+v", r)
	}
	began := stands(d.RecordAudit(t.Context(), 7, false)).AuditBegan
	if r := stands(d.RecordAudit(t.Context(), 9, true)); r.Auditing() || r.Audited != 9 || !r.AuditBegan.Equal(began) || r.AuditEnded.Before(began) {
		t.Errorf("after an audit: %+v", r)
	}
	some := []ticket.Number{"HM-AAAAAAAAAA", "HM-BBBBBBBBBB"}
	if r := stands(d.RecordMissing(t.Context(), some)); r.Missing != 2 || r.Healthy(time.Now()) {
		t.Errorf("two are missing: %+v", r)
	}
	if r := stands(d.RecordRestarted(t.Context())); r.Restarted != 1 || r.RestartedAt.IsZero() {
		t.Errorf("one was started: %+v", r)
	}
	if r := stands(d.DeleteCheck(t.Context(), some[0])); r.Missing != 1 {
		t.Errorf("one is forgotten: %+v", r)
	}
}

func TestWritable_failsWhereWritesFailAndAsksSeldom(t *testing.T) {
	t.Parallel()
	d := open(t)
	if err := d.Writable(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := one[time.Time](d, `SELECT written_at FROM write_probe`)
	if err := d.Writable(t.Context()); err != nil || !one[time.Time](d, `SELECT written_at FROM write_probe`).Equal(before) {
		t.Errorf("it writes every time it is asked, %v", err)
	}
	d.sql(fmt.Sprintf(`ALTER DATABASE %s SET default_transaction_read_only = on`, one[string](d, `SELECT current_database()`)))
	readOnly := reopen(t, d)
	err := readOnly.Writable(t.Context())
	if err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("in a read-only database: %v", err)
	}
	wantKind(t, err, fault.Unavailable)
}

// reopen opens a database once more, with connections of its own.
func reopen(t *testing.T, d *fixture) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), d.dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// At a hundred thousand tickets and three hundred thousand mails, of which few are late, nothing is read whole.
func TestReconciler_readsByIndexesOnly(t *testing.T) {
	t.Parallel()
	d := open(t)
	n := d.taken(d.customer)
	conn, err := d.beside.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, statement := range []string{
		`SET session_replication_role = replica`, // the copies have no events
		`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, taken, events, mails, status,
				priority, category, next_due, state)
			SELECT 'HM-' || lpad(i::text, 10, '0'), requester, policy, submitted_at, updated_at, latest_at, 1, 1, 1, 1,
				CASE WHEN i % 10 = 0 THEN 'open' ELSE 'closed' END, priority, category,
				CASE WHEN i % 10 = 0 THEN now() + i * interval '1 min' ELSE 'infinity' END, state
			FROM tickets, generate_series(1, 100000) i WHERE number = '` + string(n) + `'`,
		`INSERT INTO deliveries (queue, ticket, n, event, kind, person, escalation_step, status, settled_at)
			SELECT 'ticket', t.number, k, k, 'receipt', requester, 0, 'sent', now() FROM tickets t, generate_series(2, 4) k`,
		`INSERT INTO deliveries (queue, ticket, n, event, webhook, clock, escalation_step, priority, breached_at, status, settled_at)
			SELECT 'webhook', number, 9, 9, 'hook', 'resolution', 1, 'normal', now(), 'sent', now() FROM tickets`,
		`INSERT INTO undelivered (ticket, seq, delivered_at) SELECT number, 2, now() FROM tickets LIMIT 20000`,
		`UPDATE tickets SET next_due = now() - interval '1 h' WHERE number IN (SELECT number FROM tickets WHERE status = 'open' LIMIT 30)`,
		`UPDATE deliveries SET status = 'owed', settled_at = NULL, owed_at = now() - interval '1 h' WHERE ticket IN (SELECT number FROM tickets WHERE status = 'closed' LIMIT 30)`,
		`INSERT INTO ticket_checks (ticket, found, tries, mark, next_at) SELECT number, 'running', 1, '', now() + interval '1 h' FROM tickets WHERE next_due < now() LIMIT 10`,
		`VACUUM ANALYZE`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	queries := store.WorkloadQueries()
	queries[store.OverdueQuery] = []any{late, 100}
	queries[store.WithWorkflowQuery] = []any{ticket.Number(""), 500}
	queries[store.HealthyQuery] = []any{late}
	for sql, args := range queries {
		rows, err := conn.Query(t.Context(), `EXPLAIN (ANALYZE, BUFFERS) `+sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		for _, table := range []string{"tickets", "deliveries", "undelivered"} {
			if strings.Contains(plan, "Seq Scan on "+table+" ") || strings.Contains(plan, "Seq Scan on "+table+"\n") {
				t.Errorf("%s reads all of %s:\n%s", sql, table, plan)
			}
		}
		t.Logf("%.60s: %s", strings.Join(strings.Fields(sql), " "), lines[len(lines)-1])
	}
}
