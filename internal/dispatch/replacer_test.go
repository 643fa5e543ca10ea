package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// awaitTimeout is how long a test waits for what must come.
const awaitTimeout = time.Minute

// replacerFixture records the calls of a replacer and fails on request.
type replacerFixture struct {
	mu        sync.Mutex
	running   []ticket.Number
	replaced  map[string]int
	abandoned []ticket.Number
	fails     func(id string) error
}

func newReplacerFixture(running ...ticket.Number) *replacerFixture {
	return &replacerFixture{running: running, replaced: map[string]int{}, fails: func(string) error { return nil }}
}

func (w *replacerFixture) Replace(_ context.Context, id string, _ int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.fails(id); err != nil {
		return err
	}
	w.replaced[id]++
	return nil
}

func (w *replacerFixture) Abandon(_ context.Context, n ticket.Number, _ int64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.abandoned = append(w.abandoned, n)
	return nil
}

func (w *replacerFixture) RunningTickets(_ context.Context, page func([]ticket.Number) error) error {
	for some := range slices.Chunk(w.running, 2) {
		if err := page(some); err != nil {
			return err
		}
	}
	return nil
}

func (w *replacerFixture) set(fails func(id string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fails = fails
}

// restoredDesk returns a database with open tickets whose epoch was raised.
func restoredDesk(t *testing.T, tickets int) (db *store.Store, dsn string, numbers []ticket.Number) {
	t.Helper()
	ctx := t.Context()
	dsn = pgtest.Template(t, "dispatch", store.Migrate)
	db, err := store.Open(ctx, dsn, store.Options{MaxConns: 8})
	must(t, err)
	t.Cleanup(db.Close)
	_, _, err = app.PublishPolicy(ctx, db, policy.Holesalemart(), "a test", "to begin with")
	must(t, err)
	customer, err := db.AddPerson(ctx, desk.Person{Role: ticket.RoleCustomer, Name: "Carla", Address: "carla@example.com"})
	must(t, err)
	for range tickets {
		a, err := db.Submit(ctx, customer, desk.Submission{
			Number: ticket.NewNumber("HM"), Subject: "Where is it?", Body: "It was due.", Category: "delivery", Priority: policy.PriorityNormal,
		})
		must(t, err)
		numbers = append(numbers, a.Number)
	}
	_, err = db.RaiseEpoch(ctx, "a disk was lost", "a test")
	must(t, err)
	return db, dsn, numbers
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// over reports whether all workflows are replaced.
func over(t *testing.T, db *store.Store) bool {
	t.Helper()
	now, err := db.Replacing(t.Context())
	must(t, err)
	return now.Over
}

func (w *replacerFixture) check(t *testing.T, numbers []ticket.Number) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.replaced) != len(numbers)+1 || w.replaced[desk.EmergencyReplacement] == 0 {
		t.Errorf("%d workflows were replaced, want %d and the emergency's: %v", len(w.replaced), len(numbers), w.replaced)
	}
	for _, n := range numbers {
		if w.replaced[string(n)] == 0 {
			t.Errorf("%s was not replaced", n)
		}
	}
}

func TestReplacer_replacesAllAndEndsOrphans(t *testing.T) {
	t.Parallel()
	db, _, numbers := restoredDesk(t, 3)
	w := newReplacerFixture(append([]ticket.Number{"HM-0000000001", "HM-0000000002", "HM-0000000003"}, numbers...)...)
	r := dispatch.NewReplacer(db, w, quiet)
	for range 2 { // again there is nothing to do
		must(t, r.Finish(t.Context()))
	}
	w.check(t, numbers)
	for id, times := range w.replaced {
		if times != 1 {
			t.Errorf("%s was replaced %d times", id, times)
		}
	}
	slices.Sort(w.abandoned) // several at once
	if !slices.Equal(w.abandoned, []ticket.Number{"HM-0000000001", "HM-0000000002", "HM-0000000003"}) {
		t.Errorf("abandoned %v", w.abandoned)
	}
}

// When the command dies, a worker continues where it stopped.
func TestReplacer_goesOnWhereAnotherDied(t *testing.T) {
	t.Parallel()
	db, dsn, numbers := restoredDesk(t, 100)
	w := newReplacerFixture()
	away := fault.New(fault.Unavailable, "Temporal is not responding")
	dies := func(string) error {
		if len(w.replaced) >= 70 {
			return away
		}
		return nil
	}
	w.set(dies)
	if err := dispatch.NewReplacer(db, w, quiet).Finish(t.Context()); !errors.Is(err, away) {
		t.Fatalf("it ended with %v", err)
	}
	if over(t, db) {
		t.Error("it is taken for done")
	}
	// As if it had died, and not only failed, it holds its lease.
	beside, err := pgx.Connect(t.Context(), dsn)
	must(t, err)
	defer func() { _ = beside.Close(context.Background()) }()
	_, err = beside.Exec(t.Context(), `INSERT INTO leases VALUES ('replacer', 'the dead', clock_timestamp() + interval '2 seconds')`)
	must(t, err)
	w.set(func(string) error { return nil })
	must(t, dispatch.NewReplacer(db, w, quiet).Finish(t.Context()))
	w.check(t, numbers)
	for id, times := range w.replaced {
		if times != 1 {
			t.Errorf("%s was replaced %d times", id, times)
		}
	}
}

func TestReplacer_lastsThroughWhatCantBeReplacedYet(t *testing.T) {
	t.Parallel()
	db, _, numbers := restoredDesk(t, 100) // more than a page
	w := newReplacerFixture("HM-0000000001")
	slices.Sort(numbers)
	refused := string(numbers[0])
	w.set(func(id string) error {
		if id == refused {
			return fmt.Errorf("refused: %s", id)
		}
		return nil
	})
	r := dispatch.NewReplacer(db, w, quiet)
	for range 2 { // the second time it is all that is left
		if err := r.Finish(t.Context()); err == nil || !strings.Contains(err.Error(), refused) {
			t.Fatalf("it is done: %v", err)
		}
	}
	if len(w.abandoned) != 2 {
		t.Errorf("one that can't be replaced keeps orphans running: abandoned %v", w.abandoned)
	}
	w.abandoned = nil
	if len(w.replaced) != 100 || over(t, db) {
		t.Errorf("one that can't be replaced held up others: %v", w.replaced)
	}
	w.set(func(string) error { return nil })
	must(t, r.Finish(t.Context()))
	w.check(t, numbers)
	if !slices.Equal(w.abandoned, []ticket.Number{"HM-0000000001"}) {
		t.Errorf("abandoned %v", w.abandoned)
	}
}

// Workers notice by themselves that workflows must be replaced, and one of them does it.
func TestReplacer_runsInEveryWorkerAndWorksInOne(t *testing.T) {
	t.Parallel()
	db, _, numbers := restoredDesk(t, 20)
	w := newReplacerFixture()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	for range cap(ended) {
		go func() { ended <- dispatch.NewReplacer(db, w, quiet).Run(ctx) }()
	}
	for deadline := time.Now().Add(awaitTimeout); !over(t, db); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come to an end")
		}
	}
	cancel()
	for range cap(ended) {
		must(t, <-ended)
	}
	w.check(t, numbers)
	for id, times := range w.replaced {
		if times != 1 {
			t.Errorf("%s was replaced %d times", id, times)
		}
	}
}
