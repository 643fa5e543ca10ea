package store_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestMigrate_severalAtOnce(t *testing.T) {
	dsn := pgtest.DSN(t)
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantKind(t, s.Ready(t.Context()), fault.Unavailable)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			if err := store.Migrate(t.Context(), dsn); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestOpen_refusesABadPrefixAndAddress(t *testing.T) {
	if _, err := store.Open(t.Context(), "postgres://localhost/x", store.Options{NumberPrefix: "hm-"}); err == nil {
		t.Error("a bad prefix was let through")
	}
	if _, err := store.Open(t.Context(), "postgres://local host:port/x", store.Options{}); err == nil {
		t.Error("a bad address was let through")
	}
}

// TestOutage_losesNothingAcknowledged kills PostgreSQL under load and checks afterwards that everything acknowledged is stored.
func TestOutage_losesNothingAcknowledged(t *testing.T) {
	server := pgtest.Cluster(t)
	dsn := server.Database(t)
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	d := staffed(t, dsn, string(policy.Holesalemart()))
	o := d.listening()

	var mu sync.Mutex
	acknowledged := map[ticket.Number]bool{}
	enough, failed := make(chan struct{}), make(chan struct{})
	var clients sync.WaitGroup
	var once, onceFailed sync.Once
	for range 8 {
		clients.Go(func() {
			for {
				a, err := d.Submit(t.Context(), d.customer, submission())
				if err != nil {
					wantKind(t, err, fault.Unavailable)
					onceFailed.Do(func() { close(failed) })
					return
				}
				mu.Lock()
				acknowledged[a.Number] = true
				if len(acknowledged) == 100 {
					once.Do(func() { close(enough) })
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	server.Kill()
	clients.Wait()
	d.allUnavailable(acknowledged)
	server.Restart()
	for n := range acknowledged {
		if _, err := eventually(t, func() (desk.Record, error) { return d.Track(t.Context(), n) }); err != nil {
			t.Fatalf("%s was acknowledged: %v", n, err)
		}
		if _, err := d.Step(t.Context(), ticket.StepRequest{Number: n, Command: 1}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), slack)
		if _, decided, err := o.Await(ctx, n, 1); !decided || err != nil {
			t.Errorf("outcome of %s: %v, %v", n, decided, err)
		}
		cancel()
	}
	if err := d.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

// allUnavailable checks that all methods return Unavailable while the database is down.
func (d *fixture) allUnavailable(known map[ticket.Number]bool) {
	d.t.Helper()
	ctx := d.t.Context()
	var n ticket.Number
	for n = range known {
		break
	}
	for name, ask := range map[string]func() error{
		"Ready":  func() error { return d.Ready(ctx) },
		"Submit": func() error { _, err := d.Submit(ctx, d.customer, submission()); return err },
		"Command": func() error {
			_, err := d.Command(ctx, d.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
			return err
		},
		"Step":    func() error { _, err := d.Step(ctx, ticket.StepRequest{Number: n, Command: 1}); return err },
		"Track":   func() error { _, err := d.Track(ctx, n); return err },
		"List":    func() error { _, _, err := d.List(ctx, desk.Filter{Viewer: d.agent}); return err },
		"ByToken": func() error { _, err := d.ByToken(ctx, "sd_x", true); return err },
		"Letter":  func() error { _, _, err := d.mails.LoadMail(ctx, n, 1); return err },
		"Sent":    func() error { return d.Sent(ctx, n, 1) },
		"Undelivered": func() error {
			_, err := d.Undelivered(ctx, 1, 1, func(context.Context, []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) { return nil, nil })
			return err
		},
	} {
		if err := ask(); fault.KindOf(err) != fault.Unavailable {
			d.t.Errorf("%s: %v (%s), want a fault of kind %s", name, err, fault.KindOf(err), fault.Unavailable)
		}
	}
}

// eventually repeats f while it returns Unavailable, as a worker does.
func eventually[T any](t *testing.T, ask func() (T, error)) (T, error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		got, err := ask()
		if fault.KindOf(err) != fault.Unavailable || time.Now().After(deadline) {
			return got, err
		}
	}
}

func TestExplain_contexts(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := d.Track(late, n)
	wantKind(t, err, fault.Unavailable)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err = d.Track(stopped, n); !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Internal {
		t.Errorf("got %v, want it to be cancelled", err)
	}
}
