package dispatch_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
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

var quiet = slog.New(slog.DiscardHandler)

// deliveryFixture records deliveries and fails on request.
type deliveryFixture struct {
	mu        sync.Mutex
	delivered map[ticket.Number][]int64
	fails     func(desk.AcceptedCommand) error
}

func newDeliveryFixture() *deliveryFixture {
	return &deliveryFixture{delivered: map[ticket.Number][]int64{}, fails: func(desk.AcceptedCommand) error { return nil }}
}

func (r *deliveryFixture) Deliver(_ context.Context, d desk.AcceptedCommand) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.fails(d); err != nil {
		return err
	}
	r.delivered[d.Number] = append(r.delivered[d.Number], d.Command.Seq)
	return nil
}

func (r *deliveryFixture) set(fails func(desk.AcceptedCommand) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = fails
}

func (r *deliveryFixture) checkDelivered(t *testing.T, n ticket.Number, want ...int64) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.delivered[n], want) {
		t.Errorf("%s received %v, want %v", n, r.delivered[n], want)
	}
}

// relaying runs a relay in a bubble of its own time, until f returns.
func relaying(t *testing.T, b *backlogFixture, d interface {
	Deliver(context.Context, desk.AcceptedCommand) error
}, f func(*dispatch.Relay)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		relay := dispatch.NewRelay(b, d, noChanges{}, nil, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- relay.Run(ctx) }()
		synctest.Wait()
		f(relay)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func TestRelay_deliversEachTicketsCommandsInOrderOnce(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	for seq := range int64(20) {
		for n := range 10 {
			b.add(ticket.Number(fmt.Sprint("HM-", n)), seq+1)
		}
	}
	relaying(t, b, r, func(*dispatch.Relay) {
		for n := range 10 {
			r.checkDelivered(t, ticket.Number(fmt.Sprint("HM-", n)), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
		}
	})
}

func TestRelay_deliversAtOnceWhenItIsWoken(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	relaying(t, b, r, func(relay *dispatch.Relay) {
		b.add("HM-A", 1)
		relay.Wake()
		relay.Wake()
		synctest.Wait()
		r.checkDelivered(t, "HM-A", 1)
	})
}

// Many new tickets wait in PostgreSQL until the workers have stepped earlier ones, and delay no commands of others.
func TestRelay_startsNoMoreThanAreTakenAndLetsOlderTicketsOvertake(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	var taking atomic.Bool
	b.stuck = func(ticket.Number) bool { return !taking.Load() }
	const rush = 500
	for i := range rush {
		b.accept(desk.AcceptedCommand{Number: ticket.Number(fmt.Sprint("NEW-", i)), Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit}})
	}
	relaying(t, b, r, func(relay *dispatch.Relay) {
		synctest.Wait()
		started := rush - b.left()
		if started == 0 || started > 64 {
			t.Errorf("%d workflows were started while none took a step", started)
		}
		b.add("OLD", 7)
		relay.Wake()
		synctest.Wait()
		r.checkDelivered(t, "OLD", 7)
		taking.Store(true)
		for b.left() > 0 {
			time.Sleep(time.Second)
		}
	})
}

func TestRelay_findsWhatAnotherReplicaLeftBehind(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	relaying(t, b, r, func(*dispatch.Relay) {
		b.add("HM-A", 1)
		time.Sleep(2 * time.Second) // of the bubble's time
		synctest.Wait()
		r.checkDelivered(t, "HM-A", 1)
	})
}

func TestRelay_keepsTheOrderAcrossAnOutageAndDeliversSoonAfterIt(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	b.add("HM-A", 1, 2, 3)
	b.add("HM-B", 1)
	r.set(func(d desk.AcceptedCommand) error {
		if d.Number == "HM-A" && d.Command.Seq == 1 {
			return nil
		}
		return fault.New(fault.Unavailable, "Temporal is not responding")
	})
	relaying(t, b, r, func(*dispatch.Relay) {
		time.Sleep(time.Hour)
		rounds := b.asked()
		if rounds > 3600/5+20 {
			t.Errorf("tried %d times within an hour", rounds)
		}
		r.checkDelivered(t, "HM-A", 1)
		r.set(func(desk.AcceptedCommand) error { return nil })
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.checkDelivered(t, "HM-A", 1, 2, 3)
		r.checkDelivered(t, "HM-B", 1)
	})
}

func TestRelay_aTicketThatFailsHoldsUpNoOther(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	b.add("HM-A", 1, 2, 3)
	b.add("HM-B", 1, 2)
	r.set(func(d desk.AcceptedCommand) error {
		if d.Number == "HM-A" && d.Command.Seq == 2 {
			return fault.New(fault.Internal, "Temporal refuses the request")
		}
		return nil
	})
	relaying(t, b, r, func(*dispatch.Relay) {
		r.checkDelivered(t, "HM-A", 1)
		r.checkDelivered(t, "HM-B", 1, 2)
		if left := b.left(); left != 2 {
			t.Errorf("%d commands left, want the two that wait for the one refused", left)
		}
	})
}

func TestRelay_deliversCommandsBehindManyRefusedOnes(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	for n := range 1000 {
		b.add(ticket.Number(fmt.Sprint("HM-", n)), 1)
	}
	b.add("HM-GOOD", 1)
	var tries atomic.Int64
	r.set(func(d desk.AcceptedCommand) error {
		if d.Number == "HM-GOOD" {
			return nil
		}
		tries.Add(1)
		return fault.New(fault.Internal, "Temporal refuses the request")
	})
	relaying(t, b, r, func(*dispatch.Relay) {
		r.checkDelivered(t, "HM-GOOD", 1) // at once: it has waited for no pause
		time.Sleep(time.Hour)
		if n := tries.Load(); n > 1000*(10+6+1) {
			t.Errorf("tried %d times within an hour", n)
		}
	})
}

// A ticket that receives too many signals is Unavailable by itself: others are delivered.
func TestRelay_aBusyTicketHoldsUpNoOther(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	for seq := range int64(200) {
		b.add("HM-BUSY", seq+1)
	}
	b.add("HM-A", 1)
	r.set(func(d desk.AcceptedCommand) error {
		if d.Number == "HM-BUSY" {
			return fault.New(fault.Unavailable, "the workflow is busy")
		}
		return nil
	})
	relaying(t, b, r, func(relay *dispatch.Relay) {
		time.Sleep(time.Second)
		r.checkDelivered(t, "HM-A", 1)
		b.add("HM-B", 1)
		relay.Wake()
		time.Sleep(5 * time.Second)
		r.checkDelivered(t, "HM-B", 1)
	})
}

func TestRelay_leavesARoundWhenAFewTicketsFindTemporalUnavailable(t *testing.T) {
	b := &backlogFixture{}
	for n := range 64 {
		b.add(ticket.Number(fmt.Sprint("HM-", n)), 1)
	}
	var calls atomic.Int64
	away := deliverFunc(func(ctx context.Context) error {
		calls.Add(1)
		<-ctx.Done()
		return fault.Wrap(ctx.Err(), fault.Unavailable, "Temporal is not responding")
	})
	relaying(t, b, away, func(*dispatch.Relay) {
		time.Sleep(10*time.Second + 50*time.Millisecond) // one attempt, and no pause yet
		synctest.Wait()
		if n := calls.Load(); n > 16 || b.asked() != 1 {
			t.Errorf("%d tickets were tried in %d rounds", n, b.asked())
		}
		time.Sleep(11 * time.Second) // of those tried meanwhile, and a pause
		synctest.Wait()
		if b.asked() < 2 {
			t.Errorf("the round goes on, with %d tickets tried", calls.Load())
		}
	})
}

type deliverFunc func(context.Context) error

func (f deliverFunc) Deliver(ctx context.Context, _ desk.AcceptedCommand) error { return f(ctx) }

func TestRelay_outlivesABacklogThatIsAway(t *testing.T) {
	b, r := &backlogFixture{}, newDeliveryFixture()
	b.fail(fault.New(fault.Unavailable, "PostgreSQL does not answer"))
	b.add("HM-A", 1)
	relaying(t, b, r, func(*dispatch.Relay) {
		time.Sleep(time.Minute)
		r.checkDelivered(t, "HM-A")
		b.fail(nil)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		r.checkDelivered(t, "HM-A", 1)
	})
}

func TestRelay_givesUpOnACallThatHangs(t *testing.T) {
	b := &backlogFixture{}
	b.add("HM-A", 1)
	relaying(t, b, hanging{}, func(*dispatch.Relay) {
		time.Sleep(time.Minute)
		if rounds := b.asked(); rounds < 3 {
			t.Errorf("tried %d times within a minute", rounds)
		}
	})
}

type hanging struct{}

func (hanging) Deliver(ctx context.Context, _ desk.AcceptedCommand) error {
	<-ctx.Done()
	return fault.Wrap(ctx.Err(), fault.Unavailable, "Temporal is not responding")
}

// Temporal is killed while commands come in, and is back later: they arrive in order, once.
func TestRelay_deliversWhenTemporalIsBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := &backlogFixture{}
	relay := dispatch.NewRelay(b, dispatch.New(s.Temporal.Client, dispatch.Pages{}), noChanges{}, nil, quiet)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- relay.Run(ctx) }()
	accept := func(c ticket.Command) {
		b.accept(desk.AcceptedCommand{Number: number, Command: c})
		relay.Wake()
	}
	s.Work()
	accept(s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	s.Server.Kill()
	for range 5 {
		accept(s.Accept(number, note))
	}
	rounds := b.asked()
	s.Await("a try that fails", func() bool { return b.asked() > rounds })
	if left := b.left(); left != 5 {
		t.Errorf("%d commands wait, want 5", left)
	}
	s.Server.Restart()
	s.Await("every command", func() bool { return s.State(number).Command == 6 })
	s.Await("the relay's record of it", func() bool { return b.left() == 0 })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("run: %v", err)
	}
	if events := s.Events(number); len(events) != 6 {
		t.Errorf("%d events of 6 commands", len(events))
	}
}
