package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

// fixture is a database with owed deliveries, and a transport that does what the test wants.
type fixture struct {
	*store.Store
	t    *testing.T
	pool *pgxpool.Pool
	send func(context.Context, outbox.Key) error

	mu   sync.Mutex
	sent []int64
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	dsn := pgtest.Template(t, "outbox", store.Migrate)
	db, err := store.Open(t.Context(), dsn, store.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	pool, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	f := &fixture{Store: db, t: t, pool: pool, send: func(context.Context, outbox.Key) error { return nil }}
	f.sql(`INSERT INTO policies (version, document, sha, author, reason, effective_at, published_at) VALUES (1, 'x', sha256('x'), 'a test', 'to begin with', now(), now())`)
	f.sql(`INSERT INTO people (id, role, name, address) SELECT 'P-' || to_char(i, 'FM0000000000'), 'customer', 'Carla', i || '@demo.example' FROM generate_series(1, 60) i`)
	f.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category)
		VALUES ('HM-7Q2K9XM4TD', 'P-0000000001', 1, now(), now(), now(), 1, 'new', 'normal', 'other')`)
	f.sql(`INSERT INTO events (ticket, n, kind, at, data) VALUES ('HM-7Q2K9XM4TD', 1, 'submitted', now(), '{"n": 1, "kind": "submitted"}')`)
	f.sql(`INSERT INTO emergencies (id, kind, notice, starts_at, revision) VALUES ('E-0000000001', 'closed', 'Flood.', now(), 1)`)
	f.sql(`INSERT INTO announcements (emergency, n, kind, stage, starts_at, ends_at, seconds, verified_at, revision)
		VALUES ('E-0000000001', 1, 'changed', 'in-force', now(), now(), 0, now(), 1)`)
	return f
}

func (f *fixture) sql(statement string, args ...any) {
	f.t.Helper()
	if _, err := f.pool.Exec(f.t.Context(), statement, args...); err != nil {
		f.t.Fatalf("%s: %v", statement, err)
	}
}

// delivery is what a test looks at of a row.
type delivery struct {
	status          desk.DeliveryStatus
	reason          string
	tries           int
	pause           time.Duration // until the next try
	deferred, claim bool
}

func (f *fixture) get(k outbox.Key) (d delivery) {
	f.t.Helper()
	var seconds float64
	if err := f.pool.QueryRow(f.t.Context(), `
		SELECT status, coalesce(reason, ''), tries, CASE WHEN not_before = '-infinity' THEN 0 ELSE extract(epoch FROM not_before - clock_timestamp()) END,
			deferred_at IS NOT NULL, claimed_by IS NOT NULL AND claimed_until > clock_timestamp()
		FROM deliveries WHERE queue = $1 AND coalesce(ticket, '') = $2 AND n = $3`, k.Queue, k.Ticket, k.N).
		Scan(&d.status, &d.reason, &d.tries, &seconds, &d.deferred, &d.claim); err != nil {
		f.t.Fatalf("%v: %v", k, err)
	}
	d.pause = time.Duration(seconds * float64(time.Second))
	return d
}

var (
	aMail          = outbox.Key{Queue: outbox.TicketMails, Ticket: "HM-7Q2K9XM4TD", N: 1}
	aCall          = outbox.Key{Queue: outbox.Webhooks, Ticket: "HM-7Q2K9XM4TD", N: 2}
	anAnnouncement = outbox.Key{Queue: outbox.AnnouncementMails, N: 1}
	anAccountMail  = outbox.Key{Queue: outbox.AccountMails, N: 1}
)

// owe owes as many deliveries of a queue as there are numbers.
func (f *fixture) owe(q outbox.Queue, numbers ...int64) {
	f.t.Helper()
	insert := map[outbox.Queue]string{
		outbox.TicketMails: `INSERT INTO deliveries (queue, ticket, n, event, kind, person, escalation_step)
			VALUES ('ticket', 'HM-7Q2K9XM4TD', $1::bigint, 1, 'receipt', 'P-' || to_char($1::bigint, 'FM0000000000'), 0)`,
		outbox.Webhooks: `INSERT INTO deliveries (queue, ticket, n, event, webhook, clock, escalation_step, priority, breached_at)
			VALUES ('webhook', 'HM-7Q2K9XM4TD', $1::bigint, 1, 'hook-' || $1::bigint, 'resolution', 1, 'high', now())`,
		outbox.AnnouncementMails: `INSERT INTO deliveries (queue, n, announcement, person) VALUES ('announcement', $1::bigint, 1, 'P-' || to_char($1::bigint, 'FM0000000000'))`,
		outbox.AccountMails: `INSERT INTO deliveries (queue, n, kind, name, address, expires_at)
			VALUES ('account', $1::bigint, 'password-changed', 'Carla', 'carla@demo.example', now() + interval '5 days')`,
	}[q]
	for _, n := range numbers {
		f.sql(insert, n)
	}
}

// Load is the transport of every queue.
func (f *fixture) Load(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
	d := outbox.Delivery{Send: func(ctx context.Context) error {
		err := f.send(ctx, k)
		f.mu.Lock()
		defer f.mu.Unlock()
		if err == nil {
			f.sent = append(f.sent, k.N)
		}
		return err
	}}
	var until *time.Time
	err := f.pool.QueryRow(ctx, `SELECT status, tries, expires_at FROM deliveries WHERE queue = $1 AND coalesce(ticket, '') = $2 AND n = $3`,
		k.Queue, k.Ticket, k.N).Scan(&d.Status, &d.Tries, &until)
	if until != nil {
		d.Until = *until
	}
	return d, err
}

// outbox returns one of several processes' that send what there is.
func (f *fixture) outbox() *outbox.Outbox { return newOutbox(f.Store, f.Load) }

func newOutbox(s outbox.Store, t outbox.Transport) *outbox.Outbox {
	return outbox.New(s, map[outbox.Queue]outbox.Transport{
		outbox.TicketMails: t, outbox.Webhooks: t, outbox.AnnouncementMails: t, outbox.AccountMails: t,
	}, slog.New(slog.DiscardHandler))
}

// refused and deferred are answers of a recipient.
type refused string

func (r refused) Error() string   { return "refused" }
func (r refused) Refusal() string { return string(r) }

type deferred string

func (d deferred) Error() string    { return "deferred" }
func (d deferred) Deferral() string { return string(d) }

var unreachable = fault.New(fault.Unavailable, "the server is away")

// all sends until nothing more may be sent.
func (f *fixture) all(q outbox.Queue) {
	f.t.Helper()
	o := f.outbox()
	for {
		found, _, err := o.DeliverNext(f.t.Context(), q)
		if err != nil {
			f.t.Fatal(err)
		}
		if !found {
			return
		}
	}
}

func TestDeliverNext_sendsWhatHasBeenDueTheLongestFirst(t *testing.T) {
	for _, q := range []outbox.Queue{outbox.AnnouncementMails, outbox.AccountMails} {
		f := newFixture(t)
		f.owe(q, 1, 2, 3, 4, 5, 6)
		f.sql(`UPDATE deliveries SET not_before = now() - interval '1 s' WHERE n = 1`)
		f.sql(`UPDATE deliveries SET not_before = now() - interval '2 s' WHERE n = 2`)
		f.sql(`UPDATE deliveries SET not_before = now() + interval '1 h' WHERE n = 3`)
		f.sql(`UPDATE deliveries SET claimed_by = 'a try', claimed_until = now() + interval '1 h' WHERE n = 4`)
		f.sql(`UPDATE deliveries SET claimed_by = 'a dead try', claimed_until = now() - interval '1 s' WHERE n = 6`)
		f.owe(outbox.TicketMails, 1) // is its workflow's
		f.all(q)
		if want := []int64{5, 6, 2, 1}; !slices.Equal(f.sent, want) {
			t.Errorf("%s: sent %v, want %v", q, f.sent, want)
		}
	}
}

func TestDeliverNext_sendsEachOnceHoweverManyProcessesLook(t *testing.T) {
	f := newFixture(t)
	const many = 60
	for n := range int64(many) {
		f.owe(outbox.AnnouncementMails, n+1)
	}
	var processes sync.WaitGroup
	for range 6 {
		processes.Go(func() { f.all(outbox.AnnouncementMails) })
	}
	processes.Wait()
	slices.Sort(f.sent)
	if len(f.sent) != many || len(slices.Compact(f.sent)) != many {
		t.Errorf("sent %v", f.sent)
	}
}

// TestDeliverNext_defersForAGrowingWhile so that a recipient who takes nothing is not pestered and holds up no other.
func TestDeliverNext_defersForAGrowingWhile(t *testing.T) {
	for k, want := range map[outbox.Key][]time.Duration{
		anAnnouncement: {time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour},
		anAccountMail:  {2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, 64 * time.Second, 128 * time.Second, 256 * time.Second, 5 * time.Minute, 5 * time.Minute},
	} {
		t.Run(string(k.Queue), func(t *testing.T) {
			f := newFixture(t)
			f.owe(k.Queue, k.N)
			f.send = func(context.Context, outbox.Key) error { return deferred("452 mailbox full") }
			for i, pause := range want {
				found, status, err := f.outbox().DeliverNext(t.Context(), k.Queue)
				got := f.get(k)
				if !found || status != desk.DeliveryOwed || err != nil {
					t.Fatalf("found %v, %s, %v", found, status, err)
				}
				if got.pause > pause || got.pause < pause-time.Second || got.tries != i+1 || !got.deferred || got.claim || got.reason != "" {
					t.Errorf("after %d tries: %+v, want a pause of %s", i+1, got, pause)
				}
				if found, _, err := f.outbox().DeliverNext(t.Context(), k.Queue); found || err != nil {
					t.Errorf("it is tried at once again: %v", err)
				}
				f.sql(`UPDATE deliveries SET not_before = '-infinity'`)
			}
		})
	}
}

// TestDeliver_settlesByWhatTheRecipientAnswers: what becomes of each kind of delivery, and what is recorded of it.
func TestDeliver_settlesByWhatTheRecipientAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		key    outbox.Key
		before string // the row
		answer error
		want   delivery
		lost   bool
	}{
		"a mail is taken":             {key: aMail, want: delivery{status: desk.DeliverySent}},
		"a call is taken":             {key: aCall, want: delivery{status: desk.DeliverySent}},
		"a mail is refused":           {key: aMail, answer: refused("550 no such user"), want: delivery{status: desk.DeliveryBounced, reason: "550 no such user"}, lost: true},
		"a call is refused":           {key: aCall, answer: refused("HTTP 404"), want: delivery{status: desk.DeliveryFailed, reason: "HTTP 404", tries: 1, deferred: true}, lost: true},
		"a mail is deferred":          {key: aMail, answer: deferred("452 full"), want: delivery{status: desk.DeliveryOwed, tries: 1, deferred: true}},
		"a call is deferred":          {key: aCall, answer: deferred("HTTP 503"), want: delivery{status: desk.DeliveryOwed, reason: "HTTP 503", tries: 1, deferred: true}},
		"a mail is deferred for days": {key: aMail, before: `deferred_at = now() - interval '5 days', tries = 8`, answer: deferred("452 full"), want: delivery{status: desk.DeliveryBounced, reason: "given up after 5 days: 452 full", tries: 9, deferred: true}, lost: true},
		"a call is deferred for days": {key: aCall, before: `deferred_at = now() - interval '3 days', tries = 8`, answer: deferred("HTTP 503"), want: delivery{status: desk.DeliveryFailed, reason: "given up after 3 days: HTTP 503", tries: 10, deferred: true}, lost: true},
		"a mail server is away":       {key: aMail, before: `deferred_at = now() - interval '9 days'`, answer: unreachable, want: delivery{status: desk.DeliveryOwed, deferred: true}},
		"a mail has bounced":          {key: aMail, before: `status = 'bounced', reason = 'x', settled_at = now()`, answer: errors.New("sent again"), want: delivery{status: desk.DeliveryBounced, reason: "x"}, lost: true},
		"a call has been made":        {key: aCall, before: `status = 'sent', settled_at = now()`, answer: errors.New("called again"), want: delivery{status: desk.DeliverySent}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.owe(c.key.Queue, c.key.N)
			if c.before != "" {
				f.sql(`UPDATE deliveries SET ` + c.before)
			}
			f.send = func(context.Context, outbox.Key) error { return c.answer }
			lost, err := f.outbox().Deliver(t.Context(), c.key)
			if owed := c.want.status == desk.DeliveryOwed; lost != c.lost || owed != (err != nil) || owed && !errors.Is(err, c.answer) {
				t.Errorf("lost %v, %v", lost, err)
			}
			got := f.get(c.key)
			if got.status != desk.DeliveryOwed {
				got.claim = false // says nothing of what is settled
			}
			if got != c.want {
				t.Errorf("it is %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestDeliverNext_settlesByWhatTheRecipientAnswers, likewise for those that no workflow asks for.
func TestDeliverNext_settlesByWhatTheRecipientAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		key    outbox.Key
		before string
		answer error
		want   delivery
		fails  bool
	}{
		"an announcement is refused":           {key: anAnnouncement, answer: refused("550 no"), want: delivery{status: desk.DeliveryBounced, reason: "550 no"}},
		"an announcement is deferred for days": {key: anAnnouncement, before: `deferred_at = now() - interval '5 days'`, answer: deferred("452 full"), want: delivery{status: desk.DeliveryBounced, reason: "given up after 5 days: 452 full", tries: 1, deferred: true}},
		"the server of announcements is away":  {key: anAnnouncement, answer: unreachable, want: delivery{status: desk.DeliveryOwed, pause: 15 * time.Second}, fails: true},
		"an announcement can't be made":        {key: anAnnouncement, answer: errors.New("no such template"), want: delivery{status: desk.DeliveryOwed, pause: 10 * time.Minute}},
		"an account's mail is refused":         {key: anAccountMail, answer: refused("550 no"), want: delivery{status: desk.DeliveryBounced, reason: "550 no"}},
		"the server of accounts is away":       {key: anAccountMail, answer: unreachable, want: delivery{status: desk.DeliveryOwed, tries: 1, deferred: true, pause: 2 * time.Second}},
		"an account's mail is out of date":     {key: anAccountMail, before: `expires_at = now() - interval '1 s'`, answer: errors.New("sent"), want: delivery{status: desk.DeliveryBounced, reason: "it expired before it could be sent"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.owe(c.key.Queue, c.key.N)
			if c.before != "" {
				f.sql(`UPDATE deliveries SET ` + c.before)
			}
			f.send = func(context.Context, outbox.Key) error { return c.answer }
			found, status, err := f.outbox().DeliverNext(t.Context(), c.key.Queue)
			got := f.get(c.key)
			if got.status != desk.DeliveryOwed {
				got.claim, got.pause = false, 0
			}
			if late := c.want.pause - got.pause; late < 0 || late > time.Second {
				t.Errorf("the next try is %s away, want %s", got.pause, c.want.pause)
			}
			got.pause = c.want.pause
			if !found || status != c.want.status || (err != nil) != c.fails || got != c.want {
				t.Errorf("found %v, %s, %v; it is %+v, want %+v", found, status, err, got, c.want)
			}
		})
	}
}

// TestDeliver_letsOneTryAtATimeSendAMail, and does not keep calls apart: their endpoints do that.
func TestDeliver_letsOneTryAtATimeSendAMail(t *testing.T) {
	for k, apart := range map[outbox.Key]bool{aMail: true, aCall: false} {
		t.Run(string(k.Queue), func(t *testing.T) {
			f := newFixture(t)
			f.owe(k.Queue, k.N)
			begun, end := make(chan struct{}, 2), make(chan struct{})
			f.send = func(context.Context, outbox.Key) error { begun <- struct{}{}; <-end; return nil }
			ended := make(chan error, 2)
			try := func() { _, err := f.outbox().Deliver(t.Context(), k); ended <- err }
			go try()
			<-begun
			go try()
			left := 2
			select {
			case err := <-ended:
				if left--; !apart || fault.KindOf(err) != fault.Unavailable {
					t.Errorf("a second try: %v", err)
				}
			case <-begun:
				if apart {
					t.Error("a second try has begun")
				}
			}
			close(end)
			for range left {
				if err := <-ended; err != nil {
					t.Error(err)
				}
			}
			if want := map[bool]int{true: 1, false: 2}[apart]; len(f.sent) != want || f.get(k).status != desk.DeliverySent {
				t.Errorf("sent %v, and it is %+v", f.sent, f.get(k))
			}
		})
	}
}

func TestDeliver_doesNotKnowWhatIsOfAnotherQueue(t *testing.T) {
	f := newFixture(t)
	f.owe(outbox.Webhooks, 2)
	k := aCall
	k.Queue = outbox.TicketMails
	if _, err := f.outbox().Deliver(t.Context(), k); fault.KindOf(err) != fault.NotFound {
		t.Error(fmt.Errorf("claimed: %w", err))
	}
}
