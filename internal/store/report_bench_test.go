package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
)

// addManyTickets adds tickets of the last 81 days, of which 3% are open, and twenty agents.
func addManyTickets(d *fixture, n int) {
	d.sql(`INSERT INTO people (id, role, name, address, handle)
		SELECT 'P-' || lpad(i::text, 10, '0'), 'agent', 'Agent ' || i, 'agent' || i || '@desk.example', 'load-' || i
		FROM generate_series(1, 20) i`)
	d.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status,
			priority, category, assignee, next_due, promise_due, breached, escalation_step)
		SELECT 'HM-' || lpad(i::text, 10, '0'), $1, 1, at, at, at, 1,
			CASE WHEN i % 33 > 0 THEN 'closed' WHEN i % 5 = 0 THEN 'waiting' WHEN i % 7 = 0 THEN 'resolved' ELSE 'open' END,
			(ARRAY['low','normal','normal','high','urgent'])[1 + i % 5], (ARRAY['order','delivery','payment','return','account','other'])[1 + i % 6],
			CASE WHEN i % 4 > 0 THEN 'P-' || lpad((1 + i % 20)::text, 10, '0') END,
			CASE WHEN i % 33 > 0 THEN 'infinity' ELSE at + interval '100 days' END,
			CASE WHEN i % 33 > 0 THEN 'infinity' ELSE at + interval '100 days' END, i % 66 = 0, CASE WHEN i % 660 = 0 THEN 1 ELSE 0 END
		FROM generate_series(1, $2::int) i, LATERAL (SELECT date_trunc('second', now()) - i * interval '81 days' / $2::int AS at) _`, d.customer.ID, n)
	d.sql(`INSERT INTO promises (ticket, clock, submitted_at, sla_status, charge, taken, counted)
		SELECT number, clock, submitted_at, (CASE WHEN status <> 'closed' THEN 'p' WHEN hash % 10 = 0 THEN 'b' ELSE 'm' END)::"char",
			charge_of(priority, category, assignee), CASE WHEN status = 'closed' THEN hash % 400000 END, CASE WHEN status = 'closed' THEN hash % 100000 END
		FROM tickets, (VALUES ('first_response'), ('resolution')) AS c (clock), LATERAL (SELECT abs(hashtext(number || clock)) AS hash) _
		ORDER BY submitted_at`)
	d.sql(`VACUUM ANALYZE`)
}

// addMessages adds the message and the command of each ticket's submission.
func addMessages(d *fixture) {
	d.sql(`INSERT INTO messages (ticket, subject, body) SELECT number, 'Parcel ' || number, 'words' FROM tickets`)
	d.sql(`INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message)
		SELECT number, 1, 'submit', requester, 'customer', submitted_at, m.id FROM tickets JOIN messages m ON m.ticket = number`)
}

// BenchmarkPromises reports on twelve weeks in which all of a million tickets came, packed and not.
func BenchmarkPromises(b *testing.B) {
	d := open(b)
	addManyTickets(d, 1_000_000)
	b.Run("rows", func(b *testing.B) { benchmarkPromises(b, d) })
	d.pack(0)
	b.Run("packed", func(b *testing.B) { benchmarkPromises(b, d) })
}

func benchmarkPromises(b *testing.B, d *fixture) {
	reports := app.NewReports(d.Store)
	now := time.Now()
	for name, f := range map[string]report.PromiseFilter{
		"all": {}, "counted": {Measure: report.MeasureCounted}, "priority": {Priority: policy.PriorityHigh},
		"agent": {Agent: "P-0000000007"}, "week": {From: now.AddDate(0, 0, -7)},
	} {
		f.To = now
		if f.From.IsZero() {
			f.From = now.AddDate(0, 0, -84)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := reports.Promises(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkOverview counts what the dashboard shows: 3,000 of 100,000 tickets live.
func BenchmarkOverview(b *testing.B) {
	d := open(b)
	addManyTickets(d, 100_000)
	addMessages(d)
	d.sql(`UPDATE tickets SET escalation_step = 0`) // without a state they have no escalation
	reports := app.NewReports(d.Store)
	for b.Loop() {
		if _, err := reports.Overview(b.Context(), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRatings reports on twelve weeks in which all of 100,000 tickets were rated.
func BenchmarkRatings(b *testing.B) {
	d := open(b)
	addManyTickets(d, 100_000)
	addMessages(d)
	d.sql(`INSERT INTO ratings (ticket, agent, score, at)
		SELECT number, assignee, 1 + abs(hashtext(number)) % 5, submitted_at + interval '1 hour' FROM tickets`)
	d.sql(`VACUUM ANALYZE ratings`)
	reports := app.NewReports(d.Store)
	now := time.Now()
	for b.Loop() {
		if _, err := reports.Ratings(b.Context(), now.AddDate(0, 0, -84), now); err != nil {
			b.Fatal(err)
		}
	}
}
