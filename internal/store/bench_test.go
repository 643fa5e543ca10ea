package store_test

import (
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// durable opens a database that flushes every commit to the disk, as in production.
func durable(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "supportdesk-bench-*") // b.TempDir may lie where the server's user can't go
	if err != nil {
		b.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	pg, err := local.StartPostgres(b.Context(), local.PostgresOptions{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			b.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	dsn, err := pg.EnsureDatabase(b.Context(), "supportdesk")
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Migrate(b.Context(), dsn); err != nil {
		b.Fatal(err)
	}
	return dsn
}

// BenchmarkSubmit accepts tickets from 32 clients at once, beside what this machine can do at best: a bare insert of
// one row, flushed as durably.
func BenchmarkSubmit(b *testing.B) {
	d := staffed(b, durable(b), string(policy.Holesalemart()))
	pool, err := pgxpool.New(b.Context(), d.dsn+"&pool_max_conns=16")
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(b.Context(), `CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)`); err != nil {
		b.Fatal(err)
	}
	b.Run("bare", func(b *testing.B) {
		parallel(b, func() error {
			_, err := pool.Exec(b.Context(), `INSERT INTO bare (body) VALUES ($1)`, submission().Body)
			return err
		})
	})
	b.Run("ticket", func(b *testing.B) {
		parallel(b, func() error {
			_, err := d.Submit(b.Context(), d.customer, submission())
			return err
		})
	})
	counted := d.withAllowances()
	for name, people := range map[string]int{"one's, counted": 1, "many's, counted": 500} {
		customers := d.customers(people)
		var next atomic.Int64
		b.Run(name, func(b *testing.B) {
			parallel(b, func() error {
				_, err := counted.Submit(b.Context(), customers[int(next.Add(1))%people], submission())
				return err
			})
		})
	}
}

// withAllowances returns the fixture's store with allowances that are not used up.
func (d *fixture) withAllowances() *store.Store {
	d.t.Helper()
	s, err := store.Open(d.t.Context(), d.dsn, store.Options{MaxConns: 8, Allowances: 100_000})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(s.Close)
	return s
}

// customers adds customers.
func (d *fixture) customers(n int) (all []desk.Person) {
	d.t.Helper()
	for range n {
		id := ticket.NewPersonID()
		all = append(all, d.add(ticket.RoleCustomer, "One of many", string(id)+"@example.com"))
	}
	return all
}

// BenchmarkCommand accepts notes to 500 tickets from 32 clients at once.
func BenchmarkCommand(b *testing.B) {
	d := staffed(b, durable(b), string(policy.Holesalemart()))
	var numbers []ticket.Number
	for range 500 {
		numbers = append(numbers, d.submit(d.customer).Number)
	}
	var next atomic.Int64
	notes := func(s *store.Store, by ...desk.Person) func(*testing.B) {
		return func(b *testing.B) {
			parallel(b, func() error {
				i := int(next.Add(1))
				n := numbers[i%len(numbers)]
				_, err := s.Command(b.Context(), by[i%len(by)], desk.Request{Number: n, Verb: ticket.VerbNote, Body: "A note."})
				return err
			})
		}
	}
	b.Run("note", notes(d.Store, d.agent))
	b.Run("one's, counted", notes(d.withAllowances(), d.agent))
	b.Run("several's, counted", notes(d.withAllowances(), d.agent, d.second, d.supervisor, d.administrator))
}

// BenchmarkList reads first pages from 100,000 tickets, of which 3,000 are open, and what else stands beside them.
func BenchmarkList(b *testing.B) {
	d := open(b)
	d.fill()
	for name, f := range map[string]desk.Filter{
		"search rare": {Text: "needle"}, "search none": {Text: "haystack"}, "search every": {Text: "common words"},
		"search mine": {Text: "common", Queue: desk.QueueMine}, "search customer": {Text: "needle", Viewer: d.customer},
		"customer": {Viewer: d.customer}, "all": {Queue: desk.QueueAll}, "mine": {Queue: desk.QueueMine},
		"unassigned": {Queue: desk.QueueUnassigned}, "due soon": {Queue: desk.QueueDueSoon},
		"breached": {Queue: desk.QueueBreached}, "waiting": {Queue: desk.QueueWaiting}, "resolved": {Queue: desk.QueueResolved},
		"closed":           {Statuses: []ticket.Status{ticket.StatusClosed}},
		"promise all":      {Order: desk.OrderPromise, Open: true, Limit: 100},
		"promise mine":     {Order: desk.OrderPromise, Queue: desk.QueueMine, Limit: 100},
		"promise no one's": {Order: desk.OrderPromise, Queue: desk.QueueUnassigned, Limit: 100},
		"promise due soon": {Order: desk.OrderPromise, Queue: desk.QueueDueSoon, Limit: 100},
		"promise breached": {Order: desk.OrderPromise, Queue: desk.QueueBreached, Limit: 100},
		"promise waiting":  {Order: desk.OrderPromise, Queue: desk.QueueWaiting, Limit: 100},
		"requester":        {Requester: "carla@", Order: desk.OrderPromise, Limit: 100},
		"requester, few":   {Requester: "42@example", Limit: 100},
		"two statuses":     {Statuses: []ticket.Status{ticket.StatusOpen, ticket.StatusWaiting}, Order: desk.OrderPromise, Limit: 100},
	} {
		if f.Viewer.ID == "" {
			f.Viewer = d.agent
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := d.List(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	number := ticket.Number(one[string](d, `SELECT number FROM tickets WHERE requester = $1 LIMIT 1`, d.customer.ID))
	for name, read := range map[string]func() error{
		"queue counts": func() error { _, err := d.workspace.QueueCounts(b.Context(), d.agent); return err },
		"staff":        func() error { _, err := d.Staff(b.Context()); return err },
		"others":       func() error { _, _, err := d.workspace.Others(b.Context(), d.agent, number); return err },
		"history":      func() error { _, err := d.workspace.History(b.Context(), d.agent, number); return err },
		"look":         func() error { return d.workspace.RecordPresence(b.Context(), d.agent, number, false) },
		"looking":      func() error { _, err := d.Presences(b.Context(), number); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill adds 100,000 tickets, of which 3,000 are open. Half are one customer's, the others those of 5,000 more.
func (d *fixture) fill() {
	d.t.Helper()
	d.sql(`INSERT INTO people (id, role, name, address)
		SELECT 'P-' || lpad(i::text, 10, '0'), 'customer', 'Demo Customer ' || i, 'demo-' || i || '@example.com' FROM generate_series(1, 5000) i`)
	d.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status,
			priority, category, assignee, next_due, promise_due, breached, owed_at)
		SELECT 'HM-' || upper(translate(lpad(to_hex(i), 10, '0'), 'ilou', 'jkmn')),
			CASE WHEN i % 2 = 0 THEN $1 ELSE 'P-' || lpad((1 + i % 5000)::text, 10, '0') END, 1, at, at, at, 1,
			CASE WHEN i % 33 > 0 THEN 'closed' WHEN i % 5 = 0 THEN 'waiting' WHEN i % 7 = 0 THEN 'resolved' ELSE 'open' END,
			'normal', 'order', CASE WHEN i % 4 > 0 THEN $2 END,
			CASE WHEN i % 33 > 0 THEN 'infinity' ELSE at + interval '100 days' END,
			CASE WHEN i % 33 > 0 THEN 'infinity' ELSE at + interval '100 days' END, i % 66 = 0,
			CASE WHEN i % 33 > 0 OR i % 5 = 0 OR i % 7 = 0 THEN 'infinity' WHEN i % 66 = 0 THEN at ELSE at + interval '100 days' END
		FROM generate_series(1, 100000) i, LATERAL (SELECT date_trunc('second', now()) - i * interval '90 seconds' AS at) _`,
		d.customer.ID, d.agent.ID)
	d.sql(`INSERT INTO messages (ticket, subject, body)
		SELECT number, 'Parcel ' || number, 'common words ' || (SELECT string_agg(md5(number || w), ' ') FROM generate_series(1, 12) w)
			|| CASE WHEN right(number, 3) = '123' THEN ' needle' ELSE '' END FROM tickets`)
	d.sql(`INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message)
		SELECT number, 1, 'submit', requester, 'customer', submitted_at, m.id FROM tickets JOIN messages m ON m.ticket = number`)
	d.sql(`VACUUM ANALYZE`)
}

// parallel runs do from 32 goroutines, whatever the number of processors.
func parallel(b *testing.B, do func() error) {
	const clients = 32
	work := make(chan struct{})
	failed := make(chan error, clients)
	for range clients {
		go func() {
			var first error
			for range work {
				if err := do(); err != nil && first == nil {
					first = err
				}
			}
			failed <- first
		}()
	}
	b.ResetTimer()
	start := time.Now()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range clients {
		if err := <-failed; err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "op/s")
}
