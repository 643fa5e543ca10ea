package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func (d *fixture) raise() desk.Restoration {
	d.t.Helper()
	r, err := d.RaiseEpoch(d.t.Context(), "a disk was lost", "a test")
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// forget takes the epoch back, as restoring a copy that was made before it does.
func (d *fixture) forget() {
	d.t.Helper()
	d.sql(`UPDATE epoch SET number = 0, raised_at = NULL, raised_by = NULL, reason = NULL, replaced_at = NULL`)
}

func (d *fixture) toReplace() []string {
	d.t.Helper()
	all, err := d.ToReplace(d.t.Context(), "", 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

// closed returns a closed ticket whose mails are sent.
func (d *fixture) closed() ticket.Number {
	d.t.Helper()
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	d.sql(`UPDATE deliveries SET status = 'sent', settled_at = clock_timestamp() WHERE ticket = $1`, n)
	return n
}

func TestRaiseEpoch_listsWhatNeedsAWorkflow(t *testing.T) {
	d := openUnder(t, escalatingPolicy)
	untaken := d.submit(d.customer).Number
	open := d.taken(d.customer)
	d.closed()
	undecided := d.closed()
	d.sql(`UPDATE tickets SET last_command = last_command + 1 WHERE number = $1`, undecided)
	unmailed := d.closed()
	d.sql(`UPDATE deliveries SET status = 'owed', settled_at = NULL WHERE ticket = $1 AND n = 1`, unmailed)
	uncalled := d.closed()
	d.sql(`INSERT INTO deliveries (queue, ticket, n, event, webhook, clock, escalation_step, priority, breached_at) VALUES ('webhook', $1, 99, 1, 'ops', 'first_response', 1, 'high', now())`, uncalled)

	planned, err := d.PlanRestoration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if listed := d.toReplace(); len(listed) > 0 || planned.Epoch != 0 {
		t.Errorf("a plan did something: %v, epoch %d", listed, planned.Epoch)
	}
	done := d.raise()
	want := []string{string(untaken), string(open), string(undecided), string(unmailed), string(uncalled), desk.EmergencyReplacement}
	slices.Sort(want)
	got := d.toReplace()
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("to be replaced (-want +got):\n%s", diff)
	}
	if planned.Tickets != 5 || done.Tickets != 5 || done.Latest.IsZero() || !done.Latest.Equal(planned.Latest) {
		t.Errorf("planned %+v, done %+v", planned, done)
	}
	if again, listed := d.raise(), d.toReplace(); again.Tickets != 5 || len(listed) != len(want) {
		t.Errorf("raised twice, %d are listed, and %d are reported", len(listed), again.Tickets)
	}
	_, err = d.RaiseEpoch(t.Context(), "", "a test")
	wantKind(t, err, fault.Invalid)
}

// The same copy may be restored a second time. What was numbered after the first restore must not repeat.
func TestRaiseEpoch_isNeverInTheSameEpochTwice(t *testing.T) {
	d := open(t)
	before := time.Now().Unix()
	first := d.raise().Epoch
	if first < before {
		t.Errorf("epoch %d has begun, before %d", first, before)
	}
	if next := d.raise().Epoch; next <= first {
		t.Errorf("epoch %d follows %d", next, first)
	}
	mail := one[int64](d, `SELECT nextval('deliveries_n')`)
	d.forget()
	d.sql(`ALTER SEQUENCE deliveries_n RESTART`)
	awaits(t, func() bool { return time.Now().Unix() > first+1 })
	if again := d.raise().Epoch; again <= first+1 {
		t.Errorf("epoch %d has begun, which may have been used", again)
	}
	if id := one[int64](d, `SELECT nextval('deliveries_n')`); id <= mail {
		t.Errorf("announcement mail %d follows %d", id, mail)
	}
}

func awaits(t *testing.T, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited for too long")
		}
	}
}

func TestStep_numbersMailsInTheirEpoch(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "We are looking."})
	epoch := d.raise().Epoch
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "We have found it."})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "It is on its way."})
	late := d.taken(d.customer)
	d.do(d.agent, desk.Request{Number: late, Verb: ticket.VerbAgentReply, Body: "We are looking."})

	toCustomer := one[[]int64](d, `SELECT array_agg(n::bigint ORDER BY n) FROM deliveries WHERE ticket = $1 AND person = $2`, n, d.customer.ID)
	if len(toCustomer) != 4 {
		t.Fatalf("mails to the customer: %v", toCustomer)
	}
	epochs := func(n ticket.Number, mail int64) []int64 {
		l := d.mailData(n, int(mail))
		all := []int64{l.Epoch}
		for _, earlier := range l.Thread {
			all = append(all, earlier.Epoch)
		}
		return all
	}
	for i, want := range [][]int64{{0}, {0, 0}, {epoch, 0, 0}, {epoch, 0, 0, epoch}} {
		if got := epochs(n, toCustomer[i]); !slices.Equal(got, want) {
			t.Errorf("mail %d and those before it are of the epochs %v, want %v", toCustomer[i], got, want)
		}
	}
	if got := epochs(late, 2); !slices.Equal(got, []int64{epoch, epoch}) {
		t.Errorf("mails of a ticket of the new epoch are of the epochs %v", got)
	}
}

func TestStep_numbersCallsInTheirEpoch(t *testing.T) {
	d := openUnder(t, escalatingPolicy)
	old, start := d.broken()
	d.deliveriesAfter(old, start.Add(time.Hour), 1)
	epoch := d.raise().Epoch
	n, start := d.broken()
	d.deliveriesAfter(n, start.Add(time.Hour), 1)
	for number, want := range map[ticket.Number]int64{old: 0, n: epoch} {
		if c, err := d.Call(t.Context(), number, 3); err != nil || c.Epoch != want {
			t.Errorf("the call of %s is of epoch %d, want %d: %v", number, c.Epoch, want, err)
		}
	}
}

// A session or a link that ended since the copy is open in the copy.
func TestRaiseEpoch_endsSessionsAndLinks(t *testing.T) {
	d := open(t)
	accounts, ctx := d.Accounts(), t.Context()
	epoch, err := d.SessionEpoch(ctx, d.customer.ID)
	if err != nil {
		t.Fatal(err)
	}
	const used, unused = "AAAAAAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBBBBBB"
	for _, id := range []string{used, unused} {
		if err := accounts.RequestLink(ctx, id, account.SignIn, d.customer.Address, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := accounts.SignInByLink(ctx, used); err != nil {
		t.Fatal(err)
	}
	if planned, err := d.PlanRestoration(ctx); err != nil || planned.Links != 1 {
		t.Errorf("planned %+v, %v", planned, err)
	}
	secret, err := d.Secret(ctx, "links")
	if err != nil {
		t.Fatal(err)
	}
	n := d.submit(d.customer).Number
	mailed := link.New(secret, link.Grant{Number: n, Person: d.customer.ID, Expires: time.Now().Truncate(time.Second).Add(link.Lifetime)})
	if _, err := d.ReadLink(ctx, mailed); err != nil {
		t.Fatal(err)
	}
	mail := one[int64](d, `SELECT max(n) FROM deliveries WHERE queue = 'account'`)
	if done := d.raise(); done.Links != 1 {
		t.Errorf("%d links were called off", done.Links)
	}
	_, err = d.BySession(ctx, d.customer.ID, epoch)
	wantKind(t, err, fault.Unauthenticated)
	_, err = accounts.SignInByLink(ctx, unused)
	wantKind(t, err, fault.NotFound)
	if _, err := d.ReadLink(ctx, mailed); !link.Revoked(err) {
		t.Errorf("a link to a conversation: %v", err)
	}
	if err := accounts.RequestLink(ctx, "CCCCCCCCCCCCCCCCCCCCCCCCCC", account.SignIn, d.customer.Address, time.Hour); err != nil {
		t.Fatal(err)
	}
	if id := one[int64](d, `SELECT max(n) FROM deliveries WHERE queue = 'account'`); id < mail+1000 {
		t.Errorf("account mail %d follows %d, which may have been used", id, mail)
	}
}

func TestReplacing_isOverWhenEverythingOfItsEpochIsReplaced(t *testing.T) {
	d := open(t)
	ctx := t.Context()
	want := func(want desk.Replacing) {
		t.Helper()
		if r, err := d.Replacing(ctx); r != want || err != nil {
			t.Errorf("the replacing stands at %+v, %v, want %+v", r, err, want)
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want(desk.Replacing{Over: true}) // without a restore
	n := d.taken(d.customer)
	epoch := d.raise().Epoch
	want(desk.Replacing{Epoch: epoch, Left: 2})
	check(d.Replaced(ctx, epoch-1, string(n)))
	check(d.ReplacingOver(ctx, epoch))
	want(desk.Replacing{Epoch: epoch, Left: 2})
	check(d.Replaced(ctx, epoch, string(n)))
	check(d.Replaced(ctx, epoch, desk.EmergencyReplacement))
	check(d.ReplacingOver(ctx, epoch-1))
	want(desk.Replacing{Epoch: epoch})
	check(d.ReplacingOver(ctx, epoch))
	want(desk.Replacing{Epoch: epoch, Over: true})
}

func TestUnknown_givesNumbersThatAreNoTickets(t *testing.T) {
	d := open(t)
	known, gone := d.submit(d.customer).Number, ticket.NewNumber("HM")
	got, err := d.Unknown(t.Context(), []ticket.Number{known, gone})
	if err != nil || !slices.Equal(got, []ticket.Number{gone}) {
		t.Errorf("unknown are %v: %v", got, err)
	}
}

func TestWatchEpoch_endsAProcessThatRanAcrossARestore(t *testing.T) {
	t.Parallel() // it looks every few seconds
	d := open(t)
	ended := make(chan error, 1)
	go func() { ended <- d.WatchEpoch(t.Context()) }()
	awaits(t, func() bool {
		d.raise() // again: the instant at which it begins to watch can't be seen
		select {
		case err := <-ended:
			if !errors.Is(err, store.ErrRestored) {
				t.Errorf("it ended with %v", err)
			}
			return true
		default:
			return false
		}
	})
}
