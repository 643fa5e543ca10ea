package store_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestSubmit_fixesNumberInstantAndPolicy(t *testing.T) {
	d := open(t)
	sub := submission()
	before := time.Now().Truncate(time.Second)
	a, err := d.Submit(t.Context(), d.customer, sub)
	if err != nil {
		t.Fatal(err)
	}
	if a.Number != sub.Number || a.Seq != 1 || a.Policy != 1 || a.Again {
		t.Errorf("got %+v", a)
	}
	if a.At.Before(before) || a.At.After(time.Now()) || a.At.Nanosecond() != 0 || a.At.Location() != time.UTC {
		t.Errorf("accepted at %v", a.At)
	}
	sub = submission()
	sub.Number = ""
	if a, err = d.Submit(t.Context(), d.customer, sub); err != nil || !strings.HasPrefix(string(a.Number), "HM-") {
		t.Errorf("got %+v, %v", a, err)
	}
}

func TestSubmit_takenNumberIsReplaced(t *testing.T) {
	d := open(t)
	first, second := submission(), submission()
	second.Number = first.Number
	for _, sub := range []desk.Submission{first, second} {
		if _, err := d.Submit(t.Context(), d.customer, sub); err != nil {
			t.Fatal(err)
		}
	}
	if n := one[int64](d, `SELECT count(*) FROM tickets t JOIN commands c ON c.ticket = t.number JOIN messages m ON m.id = c.message`); n != 2 {
		t.Errorf("%d tickets with their words, want 2", n)
	}
}

func TestSubmit_refuses(t *testing.T) {
	d := open(t)
	theirs := d.submit(d.other)
	for name, c := range map[string]struct {
		by   desk.Person
		edit func(*desk.Submission)
		kind fault.Kind
	}{
		"staff, for nobody":                {d.agent, func(*desk.Submission) {}, fault.Invalid},
		"staff, for a colleague":           {d.agent, func(s *desk.Submission) { s.Requester.Person = d.second.Address }, fault.Invalid},
		"a customer, for another":          {d.customer, func(s *desk.Submission) { s.Requester.Person = d.other.Address }, fault.Forbidden},
		"for one, following another's":     {d.agent, func(s *desk.Submission) { s.Requester.Person, s.Follows = d.customer.Address, theirs.Number }, fault.Invalid},
		"following another's ticket":       {d.customer, func(s *desk.Submission) { s.Follows = theirs.Number }, fault.Invalid},
		"following none":                   {d.customer, func(s *desk.Submission) { s.Follows = "HM-0000000000" }, fault.Invalid},
		"a character that can't be stored": {d.customer, func(s *desk.Submission) { s.Body = "a\x00b" }, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			sub := submission()
			c.edit(&sub)
			_, err := d.Submit(t.Context(), c.by, sub)
			wantKind(t, err, c.kind)
		})
	}
	if n := one[int64](d, `SELECT count(*) FROM messages`); n != 1 {
		t.Errorf("%d messages, want 1: something refused left its words", n)
	}
}

func TestSubmit_linksAFollowUp(t *testing.T) {
	d := open(t)
	first := d.submit(d.customer)
	sub := submission()
	sub.Follows = first.Number
	if _, err := d.Submit(t.Context(), d.customer, sub); err != nil {
		t.Fatal(err)
	}
	old, err := d.Ticket(t.Context(), d.customer, first.Number)
	if err != nil || !slices.Equal(old.FollowedBy, []ticket.Number{sub.Number}) {
		t.Errorf("followed by %v, %v", old.FollowedBy, err)
	}
	young, err := d.Ticket(t.Context(), d.agent, sub.Number)
	if err != nil || young.Follows != first.Number {
		t.Errorf("follows %v, %v", young.Follows, err)
	}
}

func TestSubmit_waitsForAPolicy(t *testing.T) {
	d := open(t)
	d.sql(`TRUNCATE policies CASCADE`)
	_, err := d.Submit(t.Context(), d.customer, submission())
	wantKind(t, err, fault.Unavailable)
}

func TestSubmit_keyIsAcceptedOnce(t *testing.T) {
	d := open(t)
	once := desk.IdempotencyKey{Key: "the same", Fingerprint: []byte("one request")}
	answers := make([]desk.Accepted, 20)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			sub := submission()
			sub.IdempotencyKey = once
			var err error
			if answers[i], err = d.Submit(t.Context(), d.customer, sub); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	firsts := 0
	for _, a := range answers {
		if !a.Again {
			firsts++
		}
		if a.Number != answers[0].Number || a.At != answers[0].At || a.Seq != 1 || a.Policy != 1 || a.Priority != "normal" || a.Category != "delivery" {
			t.Errorf("got %+v and %+v", a, answers[0])
		}
	}
	if n := one[int64](d, `SELECT count(*) FROM tickets`); n != 1 || firsts != 1 {
		t.Errorf("%d tickets and %d first answers, want one of each", n, firsts)
	}
	if a, again, err := d.Repeated(t.Context(), d.customer, once); !again || err != nil || a.Number != answers[0].Number || a.Category != "delivery" {
		t.Errorf("looked up: %+v, %v, %v", a, again, err)
	}
	for _, unused := range []desk.IdempotencyKey{{}, {Key: "unused", Fingerprint: once.Fingerprint}} {
		if _, again, err := d.Repeated(t.Context(), d.customer, unused); again || err != nil {
			t.Errorf("key %q: %v, %v", unused.Key, again, err)
		}
	}
	sub := submission()
	sub.IdempotencyKey = desk.IdempotencyKey{Key: once.Key, Fingerprint: []byte("another request")}
	_, _, err := d.Repeated(t.Context(), d.customer, sub.IdempotencyKey)
	wantCode(t, err, desk.CodeKeyReused)
	_, err = d.Submit(t.Context(), d.customer, sub)
	wantKind(t, err, fault.Conflict)
	wantCode(t, err, desk.CodeKeyReused)
	if a, err := d.Submit(t.Context(), d.other, sub); err != nil || a.Again {
		t.Errorf("another person's key: %+v, %v", a, err)
	}
}

func TestCommand_keyIsAcceptedOnce(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	r := desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Once.", IdempotencyKey: desk.IdempotencyKey{Key: "k", Fingerprint: []byte("f")}}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if a, err := d.Command(t.Context(), d.agent, r); err != nil || a.Seq != 2 {
				t.Errorf("got %+v, %v", a, err)
			}
		})
	}
	all.Wait()
	d.step(ticket.StepRequest{Number: n, Command: 2})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	if a, err := d.Command(t.Context(), d.agent, r); err != nil || a.Seq != 2 || !a.Again {
		t.Errorf("after the ticket was closed: %+v, %v", a, err)
	}
	r.IdempotencyKey.Fingerprint = []byte("g")
	_, err := d.Command(t.Context(), d.agent, r)
	wantCode(t, err, desk.CodeKeyReused)
	if words := one[int64](d, `SELECT count(*) FROM messages`); words != 2 {
		t.Errorf("%d messages, want 2", words)
	}
	d.consistent(n)
}

func TestCommand_refuses(t *testing.T) {
	d := open(t)
	n, closed := d.taken(d.customer), d.taken(d.customer)
	d.do(d.supervisor, desk.Request{Number: closed, Verb: ticket.VerbClose})
	if err := d.DisablePerson(t.Context(), d.second.ID); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		by   desk.Person
		r    desk.Request
		kind fault.Kind
	}{
		"another customer's ticket": {d.other, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x"}, fault.NotFound},
		"another's that is closed":  {d.other, desk.Request{Number: closed, Verb: ticket.VerbCustomerReply, Body: "x"}, fault.NotFound},
		"no ticket":                 {d.agent, desk.Request{Number: "HM-0000000000", Verb: ticket.VerbNote, Body: "x"}, fault.NotFound},
		"a customer's note":         {d.customer, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "x"}, fault.Forbidden},
		"a second submission":       {d.customer, desk.Request{Number: n, Verb: ticket.VerbSubmit, Body: "x"}, fault.Forbidden},
		"a closed ticket":           {d.agent, desk.Request{Number: closed, Verb: ticket.VerbNote, Body: "x"}, fault.Conflict},
		"unknown agent":             {d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: "nobody"}, fault.Invalid},
		"customer as agent":         {d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: string(d.customer.ID)}, fault.Invalid},
		"disabled agent":            {d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.second.Handle}, fault.Invalid},
		"unknown priority":          {d.agent, desk.Request{Number: n, Verb: ticket.VerbReclassify, Priority: "huge"}, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.Command(t.Context(), c.by, c.r)
			wantKind(t, err, c.kind)
		})
	}
	_, err := d.Command(t.Context(), d.agent, desk.Request{Number: closed, Verb: ticket.VerbNote, Body: "x"})
	wantCode(t, err, ticket.CodeClosed)
	if words := one[int64](d, `SELECT count(*) FROM messages`); words != 2 {
		t.Errorf("%d messages, want 2: something refused left its words", words)
	}
	if last := one[int64](d, `SELECT sum(last_command)::bigint FROM tickets`); last != 3 {
		t.Errorf("%d commands were numbered, want 3", last)
	}
}

func TestCommand_thatWaitedForAStepIsDatedAfterIt(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `UPDATE tickets SET updated_at = updated_at WHERE number = $1`, n); err != nil {
		t.Fatal(err)
	}
	accepted := make(chan desk.Accepted, 1)
	go func() {
		a, err := d.Command(t.Context(), d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Late."})
		if err != nil {
			t.Error(err)
		}
		accepted <- a
	}()
	d.waitFor(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	// A whole second passes while the command waits: a deadline may lie in it, and the step may have called a breach.
	var released time.Time
	if err := tx.QueryRow(t.Context(), `SELECT date_trunc('second', clock_timestamp()) FROM pg_sleep(1)`).Scan(&released); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a := <-accepted; a.At.Before(released) {
		t.Errorf("accepted at %s, before the lock was released at %s", a.At, released)
	}
}

func TestCommand_isNeverDatedBeforeTheOneAhead(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	ahead := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	d.redate(d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign}), ahead) // then the clock is set back
	a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "After."})
	if a.At.Before(ahead) {
		t.Errorf("accepted at %s, and the command ahead at %s", a.At, ahead)
	}
	got := d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "k", Verb: ticket.VerbResolve}}})
	if at := got.State.Ticket.Resolution.MetAt; at.Before(ahead) {
		t.Errorf("resolved at %s", at)
	}
	d.consistent(n)
}

func TestCommand_assignsByHandleIDAndDefault(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	for _, c := range []struct {
		agent string
		want  desk.Person
	}{{"", d.agent}, {strings.ToUpper(d.second.Handle), d.second}, {string(d.supervisor.ID), d.supervisor}} {
		got := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: c.agent}).State.Ticket
		if got.Assignee != c.want.ID || got.Handle != c.want.Handle {
			t.Errorf("%q: assigned to %s (%s), want %s", c.agent, got.Assignee, got.Handle, c.want.Handle)
		}
	}
}

// waitFor calls a function until it returns true.
func (d *fixture) waitFor(question string, args ...any) {
	d.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !one[bool](d, question, args...) {
		if time.Now().After(deadline) {
			d.t.Fatalf("still not: %s", question)
		}
	}
}
