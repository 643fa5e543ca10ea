package store_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// roundTrips records what a store sends to PostgreSQL: the statements of each round trip.
type roundTrips struct {
	mu   sync.Mutex
	sent [][]string
}

func (r *roundTrips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	r.add(q.SQL)
	return ctx
}

func (*roundTrips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (r *roundTrips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, b pgx.TraceBatchStartData) context.Context {
	var statements []string
	for _, q := range b.Batch.QueuedQueries {
		statements = append(statements, q.SQL)
	}
	r.add(statements...)
	return ctx
}

func (*roundTrips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (*roundTrips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (r *roundTrips) add(statements ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent = append(r.sent, statements)
}

// of returns what was sent during a call, except for notifications, for which no call waits.
func (r *roundTrips) of(call func()) [][]string {
	r.mu.Lock()
	r.sent = nil
	r.mu.Unlock()
	call()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(r.sent, func(statements []string) bool { return slices.Contains(statements, store.NotifyStatement) })
}

// The time that a command takes on a network is that of its round trips, and each also costs a switch of processes.
func TestRoundTrips_ofACommandAreFew(t *testing.T) {
	sent := &roundTrips{}
	d := staffedWith(t, pgtest.Template(t, "store", store.Migrate), string(policy.Holesalemart()), store.Options{MaxConns: 8, Allowances: 1}.Traced(sent))
	ctx := t.Context()
	token, err := d.IssueToken(ctx, d.agent.ID, "a test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ByToken(ctx, token, true); err != nil { // it records that the token was used in this minute
		t.Fatal(err)
	}
	d.taken(d.customer) // what is cached is read
	var a desk.Accepted
	step := func() {
		if _, err := d.Step(ctx, ticket.StepRequest{Number: a.Number, Command: a.Seq}); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(r desk.Request) func() {
		r.Number = a.Number
		return func() { a = d.ask(d.agent, r) }
	}
	read := func(by desk.Person) func() {
		return func() {
			if _, err := d.Ticket(ctx, by, a.Number); err != nil {
				t.Fatal(err)
			}
		}
	}
	a = d.submit(d.customer)
	for _, c := range []struct {
		what string
		call func()
		want int
	}{
		{"the step of a submission", step, 2},
		{"a request's token", func() {
			if _, err := d.ByToken(ctx, token, true); err != nil {
				t.Fatal(err)
			}
		}, 1},
		{"accepting a change of priority", ask(desk.Request{Verb: ticket.VerbReclassify, Priority: policy.PriorityHigh}), 1},
		{"its step", step, 2},
		{"accepting a reply", ask(desk.Request{Verb: ticket.VerbAgentReply, Body: "It is on its way."}), 1},
		{"its step, which owes an email", step, 2},
		{"the step again", step, 2},
		{"the ticket for staff", read(d.agent), 1},
		{"the ticket for its requester", read(d.customer), 1},
	} {
		if sent := sent.of(c.call); len(sent) != c.want {
			t.Errorf("%s: %d round trips, want %d: %q", c.what, len(sent), c.want, sent)
		}
	}
	d.consistent(a.Number)
}

// A command that is decided within a tenth of a second costs no query of its outcome, if notifications come.
func TestAwait_doesNotPollAtOnceWhileItListens(t *testing.T) {
	sent := &roundTrips{}
	d := staffedWith(t, pgtest.Template(t, "store", store.Migrate), string(policy.Holesalemart()), store.Options{MaxConns: 8}.Traced(sent))
	o := d.listening()
	a := d.submit(d.customer)
	for d.waitFor(listens); !o.Listening(); {
		runtime.Gosched()
	}
	polls := sent.of(func() {
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		defer cancel()
		if _, decided, err := o.Await(ctx, a.Number, a.Seq); decided || err != nil {
			t.Errorf("decided %v, %v", decided, err)
		}
	})
	if len(polls) != 1 {
		t.Errorf("%d queries, want only the one after the wait: %q", len(polls), polls)
	}
}
