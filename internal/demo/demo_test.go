package demo_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/demo"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// open returns an empty desk and a connection to its database.
func open(t testing.TB, document []byte) (*store.Store, *pgxpool.Pool) {
	t.Helper()
	dsn := pgtest.Template(t, "store", store.Migrate)
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	pool, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, _, err := app.PublishPolicy(t.Context(), s, document, "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	return s, pool
}

// fillable is a desk that Fill can fill.
type fillable struct {
	*store.Store
	*app.Imports
	*app.Staffing
	*app.Workspace
}

func on(s *store.Store) fillable {
	return fillable{s, app.NewImports(s), app.NewStaffing(s), app.NewWorkspace(s)}
}

func fill(t testing.TB, s *store.Store, o demo.Options) int {
	t.Helper()
	added, err := demo.Fill(t.Context(), on(s), o)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// Each entry is a condition that a page shows, and the minimum number of tickets that should meet it.
func TestFill_showsEveryState(t *testing.T) {
	s, pool := open(t, policy.Holesalemart())
	if added := fill(t, s, demo.Options{}); added != demo.DefaultTickets {
		t.Fatalf("%d tickets were added", added)
	}
	for condition, least := range map[string]int64{
		`status = 'new'`:                                                15,
		`status = 'open' AND assignee IS NULL`:                          2,
		`status = 'open' AND assignee IS NOT NULL`:                      50,
		`status = 'waiting' AND state->'ticket'->>'nudged' IS NULL`:     8,
		`status = 'waiting' AND state->'ticket'->>'nudged' IS NOT NULL`: 8,
		`status = 'resolved' AND state->'ticket'->>'cause' = 'agent'`:   8,
		`status = 'resolved' AND state->'ticket'->>'cause' = 'silence'`: 4,
		`status = 'closed' AND state->'ticket'->>'cause' = 'requester'`: 60,
		`status = 'closed' AND state->'ticket'->>'cause' = 'silence'`:   40,
		`status = 'closed' AND state->'ticket'->>'cause' = 'withdrawn'`: 10,
		`status = 'closed' AND state->'ticket'->>'cause' = 'agent'`:     6,
		`breached`: 20, `escalation_step = 1`: 2, `escalation_step = 2`: 6,
		`follows IS NOT NULL`: 5, `order_number IS NOT NULL`: 100,
		`submitted_at < now() - interval '11 weeks'`:                                                            5,
		`number IN (SELECT ticket FROM events WHERE kind = 'reminded') AND NOT breached AND status <> 'closed'`: 4,
		`number IN (SELECT ticket FROM events WHERE kind = 'acknowledged') AND status <> 'closed'`:              3,
		`number IN (SELECT ticket FROM events WHERE kind = 'breached' AND data->>'promise' = 'first_response')`: 4,
		`number IN (SELECT ticket FROM events WHERE kind = 'noted')`:                                            30,
		`number IN (SELECT ticket FROM events WHERE kind = 'reopened')`:                                         15,
		`number IN (SELECT ticket FROM deliveries WHERE queue = 'ticket' AND status = 'bounced')`:               3,
		`number IN (SELECT ticket FROM messages GROUP BY ticket HAVING count(*) = 1)`:                           15,
		`number IN (SELECT ticket FROM messages GROUP BY ticket HAVING count(*) >= 12)`:                         3,
		`requester = (SELECT id FROM people WHERE address = 'customer@demo.example')`:                           10,
		`assignee = (SELECT id FROM people WHERE address = 'agent@demo.example') AND status <> 'closed'`:        10,
	} {
		if n := one[int64](t, pool, `SELECT count(*) FROM tickets WHERE `+condition); n < least {
			t.Errorf("%d tickets with %s, want %d", n, condition, least)
		}
	}
	for column, all := range map[string]int{"priority": len(policy.Priorities()), "category": 6, "assignee": 5} {
		if n := one[int64](t, pool, `SELECT count(DISTINCT `+column+`) FROM tickets`); n != int64(all) {
			t.Errorf("%d different values of %s, want %d", n, column, all)
		}
	}
	if n := one[int64](t, pool, `SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status = 'owed'`); n != 0 {
		t.Errorf("%d mails would be sent", n)
	}
	if n := one[int64](t, pool, `SELECT count(*) FROM outcomes WHERE refused`); n != 0 {
		t.Errorf("%d actions were refused", n)
	}
	if text := one[string](t, pool, `SELECT string_agg(concat_ws(' ', subject, body), ' ') FROM messages`); strings.ContainsAny(text, "{}") {
		t.Error("a placeholder was not replaced")
	}
}

func TestFill_isIdempotent(t *testing.T) {
	s, _ := open(t, policy.Holesalemart())
	fill(t, s, demo.Options{Tickets: 50})
	if added := fill(t, s, demo.Options{Tickets: 50, Now: time.Now().Add(time.Second)}); added != 0 {
		t.Errorf("the second run added %d", added)
	}
	if added := fill(t, s, demo.Options{Tickets: 80}); added != 30 {
		t.Errorf("a run for 30 more added %d", added)
	}
}

// A second run neither adds the shared replies and filters again nor reverts changes by staff.
func TestFill_addsRepliesAndFiltersOnce(t *testing.T) {
	s, pool := open(t, policy.Holesalemart())
	fill(t, s, demo.Options{Tickets: 30})
	agent, err := s.PersonByHandleOrAddress(t.Context(), "agent@demo.example")
	if err != nil {
		t.Fatal(err)
	}
	replies, err := app.NewWorkspace(s).CannedReplies(t.Context(), agent)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range replies {
		if !c.Shared || !strings.HasPrefix(c.Title, "Demo: ") || !strings.Contains(c.Body, "{{requester.name}}") {
			t.Errorf("the reply %+v", c)
		}
	}
	saved, err := app.NewWorkspace(s).SavedFilters(t.Context(), agent)
	if err != nil {
		t.Fatal(err)
	}
	if len(replies) != 4 || len(saved) != 2 || !saved[0].Shared || !strings.HasPrefix(saved[0].Name, "Demo: ") {
		t.Errorf("%d replies, and the filters %+v", len(replies), saved)
	}
	one[int64](t, pool, `UPDATE canned SET body = 'Mine now' WHERE id = $1 RETURNING id`, replies[0].ID)
	fill(t, s, demo.Options{Tickets: 30}) // adds no ticket
	fill(t, s, demo.Options{Tickets: 60})
	for query, want := range map[string]int64{
		`SELECT count(*) FROM canned`: 4, `SELECT count(*) FROM saved_filters`: 2, `SELECT count(*) FROM canned WHERE body = 'Mine now'`: 1,
	} {
		if n := one[int64](t, pool, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}

// People change their addresses and are disabled; a second run must neither fail nor enable them.
func TestFill_keepsExistingPeople(t *testing.T) {
	s, pool := open(t, policy.Holesalemart())
	fill(t, s, demo.Options{Tickets: 30})
	if _, err := pool.Exec(t.Context(), `UPDATE people SET address = 'moved@demo.example' WHERE address = 'agent@demo.example'`); err != nil {
		t.Fatal(err)
	}
	gone := one[string](t, pool, `UPDATE people SET disabled_at = now() WHERE address = 'agent-2@demo.example' RETURNING id`)
	fill(t, s, demo.Options{Tickets: 60})
	for query, want := range map[string]int64{
		`SELECT count(*) FROM people WHERE role = 'agent'`: 5, `SELECT count(*) FROM people WHERE id = '` + gone + `' AND disabled_at IS NULL`: 0,
	} {
		if n := one[int64](t, pool, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
}

// recorder is a desk that only records what is imported.
type recorder struct {
	fillable
	imported []desk.ImportTicket
}

func (r *recorder) Import(_ context.Context, tickets []desk.ImportTicket) (int, error) {
	r.imported = append(r.imported, tickets...)
	return len(tickets), nil
}

func (r *recorder) fill(t *testing.T, o demo.Options) []desk.ImportTicket {
	t.Helper()
	r.imported = nil
	if _, err := demo.Fill(t.Context(), r, o); err != nil {
		t.Fatal(err)
	}
	return r.imported
}

func TestFill_isReproducible(t *testing.T) {
	s, _ := open(t, policy.Holesalemart())
	r := &recorder{fillable: on(s)}
	o := demo.Options{Tickets: 60, Now: time.Now()}
	first := r.fill(t, o)
	if !reflect.DeepEqual(first, r.fill(t, o)) {
		t.Error("the same seed yielded different tickets")
	}
	o.Seed++
	if slices.EqualFunc(first, r.fill(t, o), func(a, b desk.ImportTicket) bool { return a.Number == b.Number }) {
		t.Error("another seed yielded the same tickets")
	}
}

// Staff act during opening hours; the mix of statuses must not depend on the day of the week.
func TestFill_showsEveryStatusOnAnyDay(t *testing.T) {
	s, _ := open(t, policy.Holesalemart())
	r := &recorder{fillable: on(s)}
	for day := range 7 {
		now := time.Date(2026, time.November, 16+day, 3+3*day, 0, 0, 0, time.UTC)
		seen := map[string]int{}
		for _, c := range r.fill(t, demo.Options{Now: now, Tickets: 212, Seed: uint64(day)}) {
			last := play(t, c, now)
			seen[string(last.Status)]++
			seen[string(last.Status)+" "+string(last.Cause)]++
			if c.Actions[0].By.Address == "customer@demo.example" {
				seen["the customer's "+string(last.Status)]++
			}
			if last.Status == ticket.StatusWaiting && !last.Nudged {
				seen["not nudged"]++
			}
		}
		for what, least := range map[string]int{"new": 15, "open": 40, "waiting": 12, "not nudged": 4, "resolved agent": 4, "resolved silence": 2, "closed": 80,
			"the customer's new": 1, "the customer's open": 1, "the customer's waiting": 1, "the customer's resolved": 1, "the customer's closed": 1} {
			if seen[what] < least {
				t.Errorf("%s: %d tickets are %s, want %d", now.Format(time.RFC1123), seen[what], what, least)
			}
		}
	}
}

// play returns the state of a ticket at an instant.
func play(t *testing.T, c desk.ImportTicket, now time.Time) ticket.Ticket {
	t.Helper()
	p := policy.Default()
	state := ticket.Draft(c.Number, c.Actions[0].By.ID, 1, p)
	for i, d := range c.Actions {
		result, err := ticket.Decide(state, ticket.Environment{Policy: p, RequesterDisabled: true}, ticket.Command{
			Seq: int64(i + 1), Verb: d.Verb, By: d.By.Actor(), At: d.At, Assignee: d.Agent.ID, Handle: d.By.Handle,
			Priority: d.Priority, Category: d.Category, Message: int64(len(d.Body)),
		})
		if err != nil {
			t.Fatal(err)
		}
		state = result.Ticket
	}
	result, err := ticket.Advance(state, ticket.Environment{Policy: p, RequesterDisabled: true}, now)
	if err != nil {
		t.Fatal(err)
	}
	return result.Ticket
}

// A measurement needs many tickets but few workflows.
func TestFill_boundsOpenTickets(t *testing.T) {
	s, pool := open(t, policy.Holesalemart())
	fill(t, s, demo.Options{Tickets: 400, MaxOpen: 60})
	if n := one[int64](t, pool, `SELECT count(*) FROM tickets WHERE status <> 'closed'`); n < 50 || n > 75 {
		t.Errorf("%d of 400 tickets are not closed", n)
	}
	if n := one[int64](t, pool, `SELECT count(*) FROM tickets`); n != 400 {
		t.Errorf("%d tickets", n)
	}
}

func TestFill_worksUnderOtherPolicies(t *testing.T) {
	for name, document := range map[string]string{
		"seconds, always open": `{name: Fast, time_zone: UTC, clocks: {first_response: {target: 10s, counts: calendar}, resolution: {target: 30s, counts: calendar}}}`,
		"its own categories": `{name: Own, time_zone: Europe/Berlin, categories: [this, that], customers_choose_priority: true,
			hours: {monday: ["09:00-12:00", "13:00-17:00"]},
			clocks: {first_response: {target: 1d, counts: business_days}, resolution: {target: 20d, counts: calendar}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t, []byte(document))
			if added := fill(t, s, demo.Options{Tickets: 120}); added != 120 {
				t.Errorf("%d tickets were added", added)
			}
		})
	}
}

func one[T any](t testing.TB, db *pgxpool.Pool, query string, args ...any) T {
	t.Helper()
	rows, err := db.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// A demo has groups and an agent who is away; later changes by staff stay.
func TestFill_addsGroupsAndAnAbsence(t *testing.T) {
	s, pool := open(t, policy.Holesalemart())
	fill(t, s, demo.Options{Tickets: 20})
	if n := one[int64](t, pool, `SELECT count(*) FROM people WHERE away_until > now() + interval '2 days' AND handle = 'demo-agent-5'`); n != 1 {
		t.Errorf("%d are away", n)
	}
	sup, err := s.PersonByHandleOrAddress(t.Context(), "supervisor@demo.example")
	if err != nil {
		t.Fatal(err)
	}
	if err := app.NewStaffing(s).RemoveFromGroup(t.Context(), sup, "money", "demo-agent-4"); err != nil {
		t.Fatal(err)
	}
	fill(t, s, demo.Options{Tickets: 40})
	groups, err := app.NewStaffing(s).Groups(t.Context(), sup)
	if err != nil || len(groups) != 3 || len(groups[1].Members) != 3 || len(groups[2].Members) != 1 {
		t.Errorf("%+v, %v", groups, err)
	}
}
