package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// openLimited opens a fixture with the allowances of production.
func openLimited(t testing.TB) *fixture {
	t.Helper()
	d := open(t)
	s, err := store.Open(t.Context(), d.dsn, store.Options{MaxConns: 8, Allowances: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	d.Store, d.tickets = s, app.NewTickets(s, s, s, nil, nil)
	return d
}

// usedUp checks that err is Limited and asks for a wait of at most a share of an allowance.
func usedUp(t *testing.T, err error, of account.RateLimit) {
	t.Helper()
	wantKind(t, err, fault.Limited)
	if f, ok := errors.AsType[*fault.Error](err); ok && (f.RetryAfter < time.Second || f.RetryAfter > of.Interval+time.Second || f.RetryAfter%time.Second != 0) {
		t.Errorf("it is to be tried again after %s", f.RetryAfter)
	}
}

func TestSubmit_isLimitedToAnAllowance(t *testing.T) {
	d := openLimited(t)
	first := submission()
	first.IdempotencyKey = desk.IdempotencyKey{Key: "first", Fingerprint: []byte("f")}
	if _, err := d.Submit(t.Context(), d.customer, first); err != nil {
		t.Fatal(err)
	}
	for range account.TicketLimit(desk.Person{}).Burst - 1 {
		d.submit(d.customer)
	}
	for range 3 {
		_, err := d.Submit(t.Context(), d.customer, submission())
		usedUp(t, err, account.TicketLimit(desk.Person{}))
	}
	if n := one[int64](d, `SELECT count(*) FROM messages`); n != int64(account.TicketLimit(desk.Person{}).Burst) {
		t.Errorf("%d messages: something refused was stored, or something stored was refused", n)
	}
	again := submission()
	again.IdempotencyKey = first.IdempotencyKey
	if a, err := d.Submit(t.Context(), d.customer, again); err != nil || !a.Again || a.Number != first.Number {
		t.Errorf("a repetition: %+v, %v", a, err)
	}
	d.submit(d.other) // another customer
	d.sql(`UPDATE allowances SET spent_until = spent_until - $1::interval`, account.TicketLimit(desk.Person{}).Interval)
	d.submit(d.customer)
	_, err := d.Submit(t.Context(), d.customer, submission())
	usedUp(t, err, account.TicketLimit(desk.Person{}))
}

func TestSubmit_repetitionSpendsNothing(t *testing.T) {
	d := openLimited(t)
	sub := submission()
	sub.IdempotencyKey = desk.IdempotencyKey{Key: "again", Fingerprint: []byte("f")}
	for range 3 * account.TicketLimit(desk.Person{}).Burst {
		again := submission()
		again.IdempotencyKey = sub.IdempotencyKey
		if _, err := d.Submit(t.Context(), d.customer, again); err != nil {
			t.Fatal(err)
		}
	}
	for range account.TicketLimit(desk.Person{}).Burst - 1 {
		d.submit(d.customer)
	}
}

// TestSubmit_rushFillsTheAllowanceExactly: submissions that are accepted together are limited one by one.
func TestSubmit_rushFillsTheAllowanceExactly(t *testing.T) {
	d := openLimited(t)
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `LOCK TABLE tickets IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	const each = 50
	var mu sync.Mutex
	var all, started sync.WaitGroup
	accepted := map[ticket.PersonID]int{}
	for _, by := range []desk.Person{d.customer, d.other} {
		for range each {
			started.Add(1)
			all.Go(func() {
				sub := submission()
				started.Done()
				a, err := d.Submit(t.Context(), by, sub)
				if err != nil {
					wantKind(t, err, fault.Limited)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				accepted[by.ID]++
				if one := one[ticket.PersonID](d, `SELECT requester FROM tickets WHERE number = $1`, a.Number); one != by.ID {
					t.Errorf("%s has the ticket of %s", one, by.ID)
				}
			})
		}
	}
	started.Wait()
	d.waitFor(`SELECT count(*) >= 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	for _, by := range []desk.Person{d.customer, d.other} {
		if accepted[by.ID] != account.TicketLimit(desk.Person{}).Burst {
			t.Errorf("%s got %d tickets in, want %d", by.Name, accepted[by.ID], account.TicketLimit(desk.Person{}).Burst)
		}
	}
}

// TestSubmit_refusedWhenTheAllowanceFillsUpMeanwhile: it had filled up by the time when the reason was looked for.
func TestSubmit_refusedWhenTheAllowanceFillsUpMeanwhile(t *testing.T) {
	d := openLimited(t)
	err := d.NotSubmitted(t.Context(), d.customer, submission())
	wantKind(t, err, fault.Unavailable)
	if errors.Is(err, store.ErrNoPolicy) {
		t.Error(err)
	}
	d.sql(`TRUNCATE policies CASCADE`)
	if err := d.NotSubmitted(t.Context(), d.customer, submission()); !errors.Is(err, store.ErrNoPolicy) {
		t.Errorf("without a policy: %v", err)
	}
}

// TestSubmit_aRushOverTheLimitDelaysNoOthers of its batch, and sends PostgreSQL no more statements than an acceptance.
func TestSubmit_aRushOverTheLimitDelaysNoOthers(t *testing.T) {
	d := openLimited(t)
	d.submit(d.customer) // so that there is an allowance to hold
	d.sql(`CREATE SEQUENCE asked`)
	d.sql(`CREATE FUNCTION ask() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('asked'); RETURN NULL; END $$`)
	d.sql(`CREATE TRIGGER ask BEFORE INSERT ON allowances FOR EACH STATEMENT EXECUTE FUNCTION ask()`)
	hold := func(statement string) (release func()) {
		tx, err := d.beside.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		}
	}
	open := hold(`LOCK TABLE tickets IN EXCLUSIVE MODE`)
	var all sync.WaitGroup
	submit := func(by desk.Person) { all.Go(func() { _, _ = d.Submit(t.Context(), by, submission()) }) }
	submit(d.other)
	d.waitFor(`SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	submit(d.other)
	d.waitFor(`SELECT count(*) = 2 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	rush := account.TicketLimit(desk.Person{}).Burst + 20
	for range rush {
		submit(d.customer)
	}
	gathered := func(n int) {
		for d.Gathered() < n {
			if t.Context().Err() != nil {
				t.FailNow()
			}
			time.Sleep(time.Millisecond)
		}
	}
	gathered(rush)
	answered := make(chan error, 1)
	go func() {
		_, err := d.Submit(t.Context(), d.other, submission())
		answered <- err
	}()
	gathered(rush + 1)
	free := hold(`SELECT FROM allowances ORDER BY spent_until LIMIT 1 FOR UPDATE`) // the customer's
	open()
	select {
	case err := <-answered:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(slack):
		t.Error("it waits for the rush")
	}
	free()
	all.Wait()
	if asked := one[int](d, `SELECT last_value FROM asked`); asked > 3+account.TicketLimit(desk.Person{}).Burst {
		t.Errorf("%d statements for %d submissions", asked, rush+3)
	}
}

func TestCommand_isLimitedToAnAllowance(t *testing.T) {
	d := openLimited(t)
	n := d.taken(d.customer)
	of := account.CommandLimit(d.customer)
	reply := desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "And another thing."}
	once := reply
	once.IdempotencyKey = desk.IdempotencyKey{Key: "k", Fingerprint: []byte("f")}
	for range 2 * of.Burst {
		d.ask(d.customer, once) // spends once
	}
	for range of.Burst - 1 {
		d.ask(d.customer, reply)
	}
	_, err := d.Command(t.Context(), d.customer, reply)
	usedUp(t, err, of)
	if a, err := d.Command(t.Context(), d.customer, once); err != nil || !a.Again {
		t.Errorf("a repetition: %+v, %v", a, err)
	}
	if words := one[int64](d, `SELECT count(*) FROM messages`); words != int64(1+of.Burst) {
		t.Errorf("%d messages", words)
	}
	// Neither what is not there, nor what is wrong with it, is hidden by the allowance.
	_, err = d.Command(t.Context(), d.customer, desk.Request{Number: "HM-0000000000", Verb: ticket.VerbCustomerReply, Body: "x"})
	wantKind(t, err, fault.NotFound)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Staff go on."})
	d.sql(`UPDATE allowances SET spent_until = spent_until - $1::interval`, of.Interval)
	d.do(d.customer, reply)
	d.consistent(n)
}

// TestCommand_whatIsNotAcceptedSpendsNothing: commands to a ticket that does not exist or is closed.
func TestCommand_whatIsNotAcceptedSpendsNothing(t *testing.T) {
	d := openLimited(t)
	n, closed := d.taken(d.customer), d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: closed, Verb: ticket.VerbClose})
	for range account.CommandLimit(d.customer).Burst {
		for _, where := range []ticket.Number{"HM-0000000000", closed} {
			if _, err := d.Command(t.Context(), d.customer, desk.Request{Number: where, Verb: ticket.VerbCustomerReply, Body: "x"}); fault.KindOf(err) == fault.Limited {
				t.Fatal(err)
			}
		}
	}
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x"})
}

// TestCommand_bulkOfStaffPasses, several times in a row.
func TestCommand_bulkOfStaffPasses(t *testing.T) {
	d := openLimited(t)
	n := d.taken(d.customer)
	for range 3 * desk.MaxBulk {
		d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "x"})
	}
}

// TestCommand_ofALimitedPersonWaitsForAStep: PostgreSQL evaluates the update anew once the step lets go of the ticket.
func TestCommand_ofALimitedPersonWaitsForAStep(t *testing.T) {
	d := openLimited(t)
	n := d.taken(d.customer)
	tx, err := d.beside.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `UPDATE tickets SET updated_at = updated_at WHERE number = $1`, n); err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 1)
	go func() {
		_, err := d.Command(t.Context(), d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Late."})
		accepted <- err
	}()
	d.waitFor(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-accepted; err != nil {
		t.Fatal(err)
	}
	d.step(ticket.StepRequest{Number: n, Command: 2})
	d.consistent(n)
}

func TestRateAndSuggest_spendWhatCommandsDo(t *testing.T) {
	d := openLimited(t)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
	of := account.CommandLimit(d.customer)
	for i := range of.Burst / 2 {
		if _, err := d.tickets.Rate(t.Context(), d.customer, desk.Rating{Number: n, Score: 3}); err != nil {
			t.Fatal(err)
		}
		if err := d.Suggest(t.Context(), d.customer, fmt.Sprint("key ", i), "More tea."); err != nil {
			t.Fatal(err)
		}
		if err := d.Suggest(t.Context(), d.customer, fmt.Sprint("key ", i), "More tea."); err != nil {
			t.Fatal(err) // the same form again
		}
	}
	_, err := d.tickets.Rate(t.Context(), d.customer, desk.Rating{Number: n, Score: 5})
	usedUp(t, err, of)
	usedUp(t, d.Suggest(t.Context(), d.customer, "another", "More coffee."), of)
	if err := d.Suggest(t.Context(), d.customer, "key 1", "More tea."); err != nil {
		t.Errorf("a repetition: %v", err)
	}
	if n := one[int64](d, `SELECT count(*) FROM suggestions`); n != int64(of.Burst/2) {
		t.Errorf("%d suggestions", n)
	}
	if score := one[int](d, `SELECT score FROM ratings`); score != 3 {
		t.Errorf("the rating is %d", score)
	}
	_, err = d.Command(t.Context(), d.customer, desk.Request{Number: n, Verb: ticket.VerbClose})
	usedUp(t, err, of)
	if err := d.Suggest(t.Context(), desk.Person{}, "", "A visitor's."); err != nil {
		t.Errorf("a visitor: %v", err)
	}
}

// TestAllowances_areSpentAlikeByEveryStatement: the generic cell rate algorithm stands in spending, for ratings,
// suggestions, sign-ins and commands, and for several submissions at once in submit.sql.
func TestAllowances_areSpentAlikeByEveryStatement(t *testing.T) {
	d := openLimited(t)
	n := d.taken(d.customer)
	for name, c := range map[string]struct {
		of  account.RateLimit
		use func() error
	}{
		"submit.sql": {account.TicketLimit(desk.Person{}), func() error {
			_, err := d.Submit(t.Context(), d.customer, submission())
			return err
		}},
		"command.sql": {account.CommandLimit(d.customer), func() error {
			_, err := d.Command(t.Context(), d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "x"})
			return err
		}},
		"spending": {account.CommandLimit(d.customer), func() error {
			return d.Suggest(t.Context(), d.customer, "", "More tea.")
		}},
	} {
		d.sql(`DELETE FROM allowances`)
		if err := c.use(); err != nil { // makes the only row
			t.Fatalf("%s: %v", name, err)
		}
		const margin = 5 * time.Second // for the clock, which goes on
		for _, spent := range []time.Duration{-time.Hour, c.of.Interval / 2, 3*c.of.Interval + margin, c.of.Horizon(1) - margin, c.of.Horizon(1) + margin} {
			d.sql(`UPDATE allowances SET spent_until = clock_timestamp() + $1::interval`, spent)
			before, began := one[time.Time](d, `SELECT spent_until FROM allowances`), one[time.Time](d, `SELECT clock_timestamp()`)
			err := c.use()
			after, ended := one[time.Time](d, `SELECT spent_until FROM allowances`), one[time.Time](d, `SELECT clock_timestamp()`)
			took := after.Sub(before)
			switch {
			case spent > c.of.Horizon(1):
				if usedUp(t, err, c.of); took != 0 {
					t.Errorf("%s: refused with %s spent, it took %s", name, spent, took)
				}
			case spent < 0:
				if took = after.Sub(began); err != nil || took < c.of.Interval || after.After(ended.Add(c.of.Interval)) {
					t.Errorf("%s: a full allowance is spent for another %s, want %s: %v", name, took, c.of.Interval, err)
				}
			case err != nil || took != c.of.Interval:
				t.Errorf("%s: with %s spent it took %s, want %s: %v", name, spent, took, c.of.Interval, err)
			}
		}
	}
}

// TestCommand_limitedPeopleDoNotWaitInACircle: several people write to the same tickets at once, each to all of them,
// while steps take what they write.
func TestCommand_limitedPeopleDoNotWaitInACircle(t *testing.T) {
	d := openLimited(t)
	const each = 25
	tickets := []ticket.Number{d.taken(d.customer), d.taken(d.customer)}
	var writers, steps sync.WaitGroup
	for i, n := range tickets {
		for verb, by := range map[ticket.Verb]desk.Person{
			ticket.VerbNote: d.agent, ticket.VerbProgressUpdate: d.supervisor, ticket.VerbCustomerReply: d.customer,
		} {
			writers.Go(func() {
				for k := range each {
					r := desk.Request{Number: tickets[(i+k)%2], Verb: verb, Body: "At the same moment."}
					if _, err := d.Command(t.Context(), by, r); err != nil {
						t.Errorf("%s of %s: %v", verb, n, err)
					}
				}
			})
		}
		steps.Go(func() {
			for seq := int64(2); seq <= 1+3*each; seq++ {
				d.waitFor(`SELECT last_command >= $2 FROM tickets WHERE number = $1`, n, seq)
				d.step(ticket.StepRequest{Number: n, Command: seq})
			}
		})
	}
	writers.Wait()
	steps.Wait()
	for _, n := range tickets {
		d.consistent(n)
	}
}

// TestSettleDelivery_clearsAwayFullAllowances, all of them at once, but not with every mail.
func TestSettleDelivery_clearsAwayFullAllowances(t *testing.T) {
	d := open(t)
	d.sql(`INSERT INTO allowances (key, spent_until) SELECT decode(md5(i::text) || md5(i::text), 'hex'), now() + (1 - i % 2 * 2) * interval '1 hour' FROM generate_series(1, 60) i`)
	for range 2 {
		wantKind(t, d.SettleDelivery(t.Context(), outbox.Key{Queue: outbox.AccountMails, N: 1}, desk.DeliverySent, ""), fault.NotFound)
		if n := one[int](d, `SELECT count(*) FROM allowances`); n != 30 {
			t.Errorf("%d allowances are left", n)
		}
		d.sql(`DELETE FROM allowances WHERE spent_until < now()`)
		d.sql(`UPDATE allowances SET spent_until = now() - interval '1 second'`)
	}
}
