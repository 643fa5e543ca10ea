package store_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// addRandomPromises adds tickets of the last 40 days with random promises.
func (d *fixture) addRandomPromises(n int, seed float64) {
	d.t.Helper()
	d.sql(`SELECT setseed($1)`, seed)
	d.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category, assignee)
		SELECT 'HM-' || lpad(i::text, 10, '0'), $1, 1, at, at, at, 1, 'open', (ARRAY['low','normal','high','urgent'])[1 + floor(random() * 4)::int],
			(ARRAY['order','delivery'])[1 + floor(random() * 2)::int], (ARRAY[NULL, $2, $3])[1 + floor(random() * 3)::int]
		FROM generate_series(1, $4::int) i, LATERAL (SELECT date_trunc('second', now()) - random() * i * interval '40 days' / $4::int AS at) _`,
		d.customer.ID, d.agent.ID, d.second.ID, n)
	d.sql(`INSERT INTO promises (ticket, clock, submitted_at, sla_status, charge, taken, counted)
		SELECT number, clock, submitted_at, letter::"char", charge_of(priority, category, assignee), secs, secs / 2
		FROM tickets, (VALUES ('first_response'), ('resolution')) AS c (clock),
			LATERAL (SELECT (ARRAY['p','m','b','c'])[1 + floor(random() * 4 + length(number) * 0)::int] AS letter) s,
			LATERAL (SELECT CASE WHEN letter = 'm' OR letter = 'b' AND random() < 0.5 THEN floor(random() * 400000)::int END AS secs) t`)
}

// changeRandomPromises has some promises met and some charged to others, as steps do.
func (d *fixture) changeRandomPromises(ctx context.Context, share float64) error {
	_, err := d.beside.Exec(ctx, `UPDATE promises SET sla_status = 'm', taken = floor(random() * 400000)::int, counted = floor(random() * 1000)::int,
		charge = (SELECT id FROM charges WHERE promises.ticket <> '' ORDER BY random() LIMIT 1) WHERE random() < $1`, share)
	return err
}

// slowly is the report from every row, counted one by one.
func (d *fixture) slowly(f report.PromiseFilter) report.Promises {
	d.t.Helper()
	weeks := report.Weeks(f.From, f.To, time.UTC)
	rows, err := d.beside.Query(d.t.Context(), `
		SELECT p.clock, p.submitted_at, p.sla_status::text, coalesce(p.taken, -1), coalesce(p.counted, -1), c.priority, c.category,
			coalesce(a.id, ''), coalesce(a.name, ''), coalesce(a.handle, ''), coalesce(a.role, '')
		FROM promises p JOIN charges c ON c.id = p.charge LEFT JOIN people a ON a.id = c.agent
		WHERE submitted_at >= $1 AND submitted_at < $2`, f.From, f.To)
	if err != nil {
		d.t.Fatal(err)
	}
	defer rows.Close()
	var counts []report.PromiseCount
	for rows.Next() {
		c := report.PromiseCount{Count: 1}
		var at time.Time
		var status string
		var taken, counted int32
		if err := rows.Scan(&c.Clock, &at, &status, &taken, &counted, &c.Priority, &c.Category, &c.Agent.ID, &c.Agent.Name, &c.Agent.Handle, &c.Agent.Role); err != nil {
			d.t.Fatal(err)
		}
		if f.Priority != "" && f.Priority != c.Priority || f.Category != "" && f.Category != c.Category ||
			f.Agent != "" && f.Agent != c.Agent.Handle && f.Agent != string(c.Agent.ID) {
			continue
		}
		c.SLAStatus = map[string]ticket.SLAStatus{"p": ticket.SLAPending, "m": ticket.SLAMet, "b": ticket.SLABreached, "c": ticket.SLACancelled}[status]
		if f.Measure == report.MeasureCounted {
			taken = counted
		}
		if taken >= 0 {
			c.Taken = []int32{taken}
		}
		c.Week = len(weeks) - 1
		for c.Week > 0 && at.Before(weeks[c.Week]) {
			c.Week--
		}
		counts = append(counts, c)
	}
	if err := rows.Err(); err != nil {
		d.t.Fatal(err)
	}
	return report.NewPromises(f, time.UTC, counts)
}

// equalsSlowly checks the report on random periods and filters.
func (d *fixture) equalsSlowly(rng *rand.Rand, when string) {
	d.t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	for range 12 {
		f := report.PromiseFilter{From: now.Add(-time.Duration(rng.Int64N(int64(45 * 24 * time.Hour)))), To: now.Add(time.Hour)}
		if rng.IntN(2) == 0 {
			f.To = f.From.Add(time.Duration(rng.Int64N(int64(now.Sub(f.From) + time.Second))))
		}
		f.Priority, f.Category = policy.Priority(pick("", "", "high")), pick("", "", "delivery")
		f.Agent = pick("", "", d.agent.Handle, string(d.second.ID))
		f.Measure = report.Measure(pick("", string(report.MeasureCounted)))
		got, err := d.reports().Promises(d.t.Context(), f)
		if err != nil {
			d.t.Fatal(err)
		}
		if diff := cmp.Diff(d.slowly(f).Clocks, got.Clocks); diff != "" {
			d.t.Fatalf("%s, the report of %+v differs from counting one by one:\n%s", when, f, diff)
		}
	}
}

// pack packs all that can be packed, and fails the test if nothing can.
func (d *fixture) pack(pause time.Duration) (spans int) {
	d.t.Helper()
	for {
		n, err := d.PackPromises(d.t.Context(), pause)
		if err != nil {
			d.t.Fatal(err)
		}
		if n == 0 {
			break
		}
		spans += n
	}
	if spans == 0 {
		d.t.Fatal("nothing was packed")
	}
	return spans
}

func TestPromises_packedAreCountedExactly(t *testing.T) {
	d := open(t)
	d.addRandomPromises(3000, 0.25)
	rng := rand.New(rand.NewPCG(48, 1))
	d.equalsSlowly(rng, "before packing")
	all := d.pack(time.Hour)
	d.equalsSlowly(rng, "packed")
	if err := d.changeRandomPromises(t.Context(), 0.01); err != nil {
		t.Fatal(err)
	}
	d.sql(`DELETE FROM promises WHERE random() < 0.01`)
	d.equalsSlowly(rng, "after changes")
	if n, err := d.PackPromises(t.Context(), time.Hour); n != 0 || err != nil {
		t.Errorf("%d spans were packed again at once, %v", n, err)
	}
	if again := d.pack(0); again > all {
		t.Errorf("%d spans were packed again, of %d", again, all)
	}
	d.equalsSlowly(rng, "packed again")
}

// A report reads packs where there are any: one that was forged shows in it.
func TestPromises_areReadFromPacks(t *testing.T) {
	d := open(t)
	d.addRandomPromises(500, 0.5)
	d.pack(0)
	before, _ := d.promises(everything())
	d.sql(`UPDATE promise_packs SET taken = ''`)
	if after, _ := d.promises(everything()); after.Total.All() >= before.Total.All() || before.Total.All() != 500 {
		t.Errorf("of %d promises %d are counted without packs", before.Total.All(), after.Total.All())
	}
}

// Whatever is packed while steps change promises, no change is lost, whichever commits first.
func TestPackPromises_losesNoChangeMadeMeanwhile(t *testing.T) {
	d := open(t)
	d.addRandomPromises(600, 0.75)
	n := one[int64](d, `SELECT count(*) FROM promises`)
	var stop atomic.Bool
	var packing sync.WaitGroup
	packing.Go(func() {
		for !stop.Load() {
			if _, err := d.PackPromises(t.Context(), 0); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var steps sync.WaitGroup
	for client := range 4 {
		steps.Go(func() {
			for i := range 150 {
				_, err := d.beside.Exec(t.Context(), `UPDATE promises SET sla_status = 'm', taken = $1, counted = $1
					WHERE (ticket, clock) = (SELECT ticket, clock FROM promises ORDER BY ticket, clock OFFSET $2 LIMIT 1)`, client*1000+i, (int64(i*4+client)*7919)%n)
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	steps.Wait()
	stop.Store(true)
	packing.Wait()
	d.equalsSlowly(rand.New(rand.NewPCG(48, 2)), "with changes meanwhile")
	d.pack(0)
	d.equalsSlowly(rand.New(rand.NewPCG(48, 3)), "packed")
}

// A change that is not committed yet is not in a pack that is made meanwhile, so its span must be stale afterwards.
func TestPackPromises_losesNoChangeThatIsNotCommitted(t *testing.T) {
	d := open(t)
	d.addRandomPromises(200, 0.1)
	d.pack(0)
	const change = `UPDATE promises SET sla_status = 'm', taken = $1, counted = $1
		WHERE ticket = (SELECT min(ticket) FROM promises WHERE submitted_at < now() - interval '1 day')`
	d.sql(change, 1)
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), change, 2); err != nil {
		t.Fatal(err)
	}
	if n := d.pack(0); n != 1 {
		t.Errorf("%d spans were packed, want the one that was changed", n)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.equalsSlowly(rand.New(rand.NewPCG(48, 4)), "after the change")
	if n := d.pack(0); n != 1 {
		t.Errorf("%d spans were packed after the change, want 1", n)
	}
	d.equalsSlowly(rand.New(rand.NewPCG(48, 5)), "packed again")
}

// Every worker packs, and each finds the same spans.
func TestPackPromises_packsNoSpanTwice(t *testing.T) {
	d := open(t)
	d.addRandomPromises(300, 0.3)
	var packed atomic.Int64
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for {
				n, err := d.PackPromises(t.Context(), time.Hour)
				if err != nil {
					t.Error(err)
				}
				if n == 0 || err != nil {
					return
				}
				packed.Add(int64(n))
			}
		})
	}
	workers.Wait()
	if spans := one[int64](d, `SELECT count(*) FROM promise_spans`); packed.Load() != spans || spans == 0 {
		t.Errorf("%d spans were packed %d times", spans, packed.Load())
	}
}

// heldImports keeps imports from their commit.
type heldImports struct {
	*store.Store
	written  chan<- struct{} // is sent to when all is written
	released <-chan struct{}
}

func (h heldImports) ImportTx(ctx context.Context, fn func(app.ImportTx) error) error {
	return h.Store.ImportTx(ctx, func(tx app.ImportTx) error {
		if err := fn(tx); err != nil {
			return err
		}
		h.written <- struct{}{}
		<-h.released
		return nil
	})
}

// An import writes for up to half a minute, and steps of tickets that were submitted in the same hours go on meanwhile.
func TestImport_delaysNoStepOfTheSameHours(t *testing.T) {
	d := open(t)
	here := d.past(3)
	d.imports(here)
	d.pack(0)
	other := d.past(3)
	other.Actions[0].At = here.Actions[0].At
	written, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	defer release()
	imported, stepped := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := app.NewImports(heldImports{d.Store, written, released}).Import(t.Context(), []desk.ImportTicket{other})
		imported <- err
	}()
	select {
	case <-written:
	case err := <-imported:
		t.Fatal(err)
	}
	a := d.ask(d.supervisor, desk.Request{Number: here.Number, Verb: ticket.VerbAssign, Agent: d.agent.Handle})
	go func() {
		_, err := d.Step(t.Context(), ticket.StepRequest{Number: a.Number, Command: a.Seq})
		stepped <- err
	}()
	for done := false; !done; {
		select {
		case err := <-stepped:
			if err != nil {
				t.Error(err)
			}
			done = true
		default:
			if one[bool](d, `SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database())`) {
				t.Error("the step waits for the import")
				done = true
			}
		}
	}
	if n := one[int64](d, `SELECT count(*) FROM promise_changes`); n == 0 && !t.Failed() {
		t.Error("the step changed no promise")
	}
	release()
	if err := <-imported; err != nil {
		t.Error(err)
	}
	d.equalsSlowly(rand.New(rand.NewPCG(48, 6)), "after the import and the step")
}

// All locks of all transactions share a table in PostgreSQL's memory, of 6,400 by default.
func TestPromises_ofYearsTakeFewLocks(t *testing.T) {
	d := open(t)
	d.addRandomPromises(3000, 0.9)
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	var spans, locks int
	err = tx.QueryRow(t.Context(), `
		WITH moved AS (UPDATE promises SET submitted_at = submitted_at - right(ticket, 5)::int * interval '8 hours' RETURNING submitted_at)
		SELECT count(DISTINCT date_bin('4 hours', submitted_at, '2000-01-01 00:00:00Z')) FROM moved`).Scan(&spans)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()`).Scan(&locks); err != nil {
		t.Fatal(err)
	}
	if spans < 2000 || locks > 50 {
		t.Errorf("promises of %d spans took %d locks", spans, locks)
	}
}
