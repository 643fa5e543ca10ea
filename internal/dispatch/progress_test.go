package dispatch_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// feed notifies of steps, as far as it is asked to.
type feed struct{ all chan desk.Change }

func newFeed() *feed { return &feed{make(chan desk.Change, 100)} }

func (f *feed) Subscribe(ticket.Number) (<-chan desk.Change, func()) { return f.all, func() {} }

func (f *feed) stepped(n ticket.Number) {
	f.all <- desk.Change{Number: n, Kind: desk.ChangeStepped}
}

// observed is what a relay last reported about its window.
type observed struct {
	mu             sync.Mutex
	allowed        int
	start, command time.Duration
}

func (o *observed) observe(allowed int, start, command time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.allowed, o.start, o.command = allowed, start, command
}

func (o *observed) last() (allowed int, start, command time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.allowed, o.start, o.command
}

// following runs a relay that is notified of steps, with submissions that wait for it.
func following(t *testing.T, waiting int, f func(*followed)) {
	t.Helper()
	followingUnder(t, "", waiting, f)
}

// followingUnder is following where another relay has the lease of the window, if there is a leader.
func followingUnder(t *testing.T, leader string, waiting int, f func(*followed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		all := &followed{backlog: &backlogFixture{leader: leader}, delivered: newDeliveryFixture(), feed: newFeed(), observed: &observed{}}
		all.backlog.stuck = func(ticket.Number) bool { return true }
		for i := range waiting {
			all.backlog.accept(desk.AcceptedCommand{Number: newTicket(i), Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit}})
		}
		all.relay = dispatch.NewRelay(all.backlog, all.delivered, all.feed, all.observed.observe, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- all.relay.Run(ctx) }()
		synctest.Wait()
		f(all)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

type followed struct {
	backlog   *backlogFixture
	delivered *deliveryFixture
	feed      *feed
	observed  *observed
	relay     *dispatch.Relay
}

func newTicket(i int) ticket.Number { return ticket.Number(fmt.Sprint("NEW-", i)) }

func TestRelay_startsTheNextTicketAsSoonAsItIsNotifiedOfAStep(t *testing.T) {
	const waiting = 100
	following(t, waiting, func(f *followed) {
		if started := waiting - f.backlog.left(); started != dispatch.MinWindow {
			t.Fatalf("%d were started at first", started)
		}
		began := time.Now()
		for i := range 20 {
			f.feed.stepped(newTicket(i))
			synctest.Wait()
		}
		if started := waiting - f.backlog.left(); started < 20+dispatch.MinWindow {
			t.Errorf("%d were started after 20 steps", started)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it polled for %s", took)
		}
		for i := range dispatch.MinWindow {
			f.delivered.checkDelivered(t, newTicket(i), 1)
		}
	})
}

func TestRelay_findsStepsWhoseNotificationsWereLost(t *testing.T) {
	const waiting = 10
	following(t, waiting, func(f *followed) {
		f.backlog.mu.Lock()
		f.backlog.stuck = nil
		f.backlog.mu.Unlock()
		f.feed.all <- desk.Change{} // anything may have changed
		time.Sleep(time.Minute)
		synctest.Wait()
		if left := f.backlog.left(); left != 0 {
			t.Errorf("%d wait although all took a step", left)
		}
	})
}

// While workers are stopped, the relay looks for steps less and less often.
func TestRelay_seldomLooksForStepsWhileNoneIsTaken(t *testing.T) {
	following(t, 100, func(f *followed) {
		time.Sleep(5 * time.Minute) // until it starts no more
		before := f.backlog.asked()
		time.Sleep(10 * time.Minute)
		if rounds := f.backlog.asked() - before; rounds > 10*60/2+20 {
			t.Errorf("%d rounds within ten minutes", rounds)
		}
	})
}

// Tickets whose steps fail, or whose starts Temporal has lost, don't keep others from being started.
func TestRelay_ticketsThatTakeNoStepHoldUpOthersForAShortTime(t *testing.T) {
	const waiting = 100
	following(t, waiting, func(f *followed) {
		time.Sleep(20 * time.Second)
		if started := waiting - f.backlog.left(); started < 4*dispatch.MinWindow {
			t.Errorf("%d were started", started)
		}
		time.Sleep(time.Hour)
		if started := waiting - f.backlog.left(); started > 64 {
			t.Errorf("%d were started while none took a step", started)
		}
	})
}

// In a burst one relay opens its window, and others start as few tickets as at rest.
func TestRelay_opensItsWindowOnlyUnderItsLease(t *testing.T) {
	for leader, want := range map[string]func(most int) bool{
		"":            func(most int) bool { return most > dispatch.MinWindow },
		"another one": func(most int) bool { return most == dispatch.MinWindow },
	} {
		const waiting = 300
		followingUnder(t, leader, waiting, func(f *followed) {
			most := 0
			for i := range 200 {
				time.Sleep(20 * time.Millisecond)
				f.feed.stepped(newTicket(i))
				synctest.Wait()
				most = max(most, waiting-f.backlog.left()-i-1)
			}
			if !want(most) {
				t.Errorf("leader %q: %d were under way", leader, most)
			}
		})
	}
}

// A start that fails is not under way.
func TestRelay_aStartThatFailsTakesNoRoom(t *testing.T) {
	const waiting = 10
	b, r := &backlogFixture{stuck: func(ticket.Number) bool { return true }}, newDeliveryFixture()
	for i := range waiting {
		b.accept(desk.AcceptedCommand{Number: newTicket(i), Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit}})
	}
	r.set(func(desk.AcceptedCommand) error { return fault.New(fault.Internal, "Temporal refuses the request") })
	relaying(t, b, r, func(*dispatch.Relay) {
		time.Sleep(time.Minute)
		synctest.Wait()
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, w := range b.waiting {
			if w.tries == 0 {
				t.Errorf("%s was never tried", w.Number)
			}
		}
	})
}

// The window follows the time that starts and direct commands take.
func TestDirect_measuresStartsAndCommandsUntilTheStepOfTheirTicket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &directFixture{deliveryFixture: newDeliveryFixture(), leases: map[string]bool{}, hold: make(chan struct{})}
		close(f.hold)
		var stepped atomic.Bool
		f.stuck = func(ticket.Number) bool { return !stepped.Load() }
		notified, seen := newFeed(), &observed{}
		d := dispatch.NewDirect(dispatch.NewRelay(&f.backlogFixture, f, notified, seen.observe, quiet), f, running{f}, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		f.accept(desk.AcceptedCommand{Number: newTicket(0), Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit}})
		d.Wake()
		if d.Lease() == "" {
			t.Fatal("there is no lease")
		}
		d.Deliver(noted(2))
		synctest.Wait()
		time.Sleep(30 * time.Millisecond)
		notified.stepped("HM-1")
		synctest.Wait()
		time.Sleep(10 * time.Millisecond)
		notified.stepped(newTicket(0))
		notified.stepped("OTHER")
		synctest.Wait()
		if allowed, start, command := seen.last(); allowed != dispatch.MinWindow || start != 40*time.Millisecond || command != 30*time.Millisecond {
			t.Errorf("%d are allowed, a start took %s and a command %s", allowed, start, command)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}
