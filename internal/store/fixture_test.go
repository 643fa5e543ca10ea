package store_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Helpers of the fixture. Each ends the test on an error.

func (d *fixture) submit(by desk.Person) desk.Accepted {
	d.t.Helper()
	a, err := d.Submit(d.t.Context(), by, submission())
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// taken submits a ticket and runs its first step.
func (d *fixture) taken(by desk.Person) ticket.Number {
	d.t.Helper()
	a := d.submit(by)
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	return a.Number
}

func (d *fixture) ask(by desk.Person, r desk.Request) desk.Accepted {
	d.t.Helper()
	a, err := d.Command(d.t.Context(), by, r)
	if err != nil {
		d.t.Fatalf("%s: %v", r.Verb, err)
	}
	return a
}

// stepped is the result of a step and the ticket's state after it.
type stepped struct {
	ticket.StepResult
	State ticket.State
}

// do accepts a command and runs a step.
func (d *fixture) do(by desk.Person, r desk.Request) stepped {
	d.t.Helper()
	a := d.ask(by, r)
	return d.step(ticket.StepRequest{Number: a.Number, Command: a.Seq})
}

func (d *fixture) step(r ticket.StepRequest) stepped {
	d.t.Helper()
	result, err := d.Step(d.t.Context(), r)
	if err != nil {
		d.t.Fatalf("step %+v: %v", r, err)
	}
	after := stepped{StepResult: result}
	if record, err := d.Track(d.t.Context(), r.Number); err != nil {
		d.t.Fatal(err)
	} else if record.State != nil {
		after.State = *record.State
	}
	return after
}

func (d *fixture) outcome(n ticket.Number, seq int64) ticket.Outcome {
	d.t.Helper()
	o, decided, err := d.Outcome(d.t.Context(), n, seq)
	if err != nil || !decided {
		d.t.Fatalf("outcome of command %d: decided %v, %v", seq, decided, err)
	}
	return o
}

// timeline returns the whole timeline as staff see it.
func (d *fixture) timeline(n ticket.Number) []desk.Entry {
	d.t.Helper()
	entries, err := d.Timeline(d.t.Context(), d.supervisor, n)
	if err != nil {
		d.t.Fatal(err)
	}
	return entries
}

func (d *fixture) kinds(n ticket.Number) []ticket.EventKind {
	d.t.Helper()
	var kinds []ticket.EventKind
	for _, e := range d.timeline(n) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// sql runs a statement on a connection beside the store.
func (d *fixture) sql(statement string, args ...any) {
	d.t.Helper()
	if _, err := d.beside.Exec(d.t.Context(), statement, args...); err != nil {
		d.t.Fatalf("%s: %v", statement, err)
	}
}

// one returns a single value read on a connection beside the store.
func one[T any](d *fixture, query string, args ...any) T {
	d.t.Helper()
	rows, err := d.beside.Query(d.t.Context(), query, args...)
	if err != nil {
		d.t.Fatal(err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		d.t.Fatalf("%s: %v", query, err)
	}
	return value
}

// redate changes the time of an undecided command, as if it had been accepted then.
func (d *fixture) redate(a desk.Accepted, at time.Time) {
	d.t.Helper()
	if a.Seq == 1 {
		d.sql(`UPDATE tickets SET submitted_at = $2, latest_at = $2 WHERE number = $1`, a.Number, at)
	}
	d.sql(`UPDATE tickets SET latest_at = $2 WHERE number = $1`, a.Number, at)
	d.sql(`UPDATE commands SET accepted_at = $3 WHERE ticket = $1 AND seq = $2`, a.Number, a.Seq, at)
}

// consistent checks what must hold of every ticket that has no undecided commands.
func (d *fixture) consistent(n ticket.Number) {
	d.t.Helper()
	record, err := d.Track(d.t.Context(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	state := record.State
	if state == nil {
		d.t.Fatal("no step was taken")
	}
	if state.Command != record.LastCommand {
		d.t.Errorf("command %d of %d was taken", state.Command, record.LastCommand)
	}
	p, err := d.Policy(d.t.Context(), record.Policy)
	if err != nil {
		d.t.Fatal(err)
	}
	timeline := d.timeline(n)
	var events []ticket.Event
	for _, e := range timeline {
		events = append(events, e.Event)
	}
	fold := ticket.Draft(n, ticket.FirstRequester(record.Requester.ID, events), record.Policy, p)
	for i, e := range timeline {
		if e.N != i+1 {
			d.t.Fatalf("the timeline's line %d has number %d", i+1, e.N)
		}
		fold = ticket.Apply(fold, e.Event)
	}
	if got, want := asJSON(d.t, state.Ticket), asJSON(d.t, fold); got != want {
		d.t.Errorf("the row is not the fold of its events:\n row  %s\n fold %s", got, want)
	}
	d.countsPromises(n)
	for query, want := range map[string]int64{
		`SELECT count(*) FROM commands WHERE ticket = $1`:              record.LastCommand,
		`SELECT max(seq) FROM commands WHERE ticket = $1`:              record.LastCommand,
		`SELECT count(*) FROM outcomes WHERE ticket = $1`:              record.LastCommand,
		`SELECT count(DISTINCT n) FROM deliveries WHERE ticket = $1`:   int64(state.LastDelivery),
		`SELECT coalesce(max(n), 0) FROM deliveries WHERE ticket = $1`: int64(state.LastDelivery),
		`SELECT count(*) FROM commands a JOIN commands b USING (ticket) WHERE a.ticket = $1 AND a.seq < b.seq AND a.accepted_at > b.accepted_at`: 0,
	} {
		if got := one[int64](d, query, n); got != want {
			d.t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

func asJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func wantKind(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("got %v (%s), want a fault of kind %s", err, fault.KindOf(err), kind)
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != code {
		t.Errorf("got %v, want a fault with code %s", err, code)
	}
}
