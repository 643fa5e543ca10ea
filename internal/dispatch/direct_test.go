package dispatch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// directFixture signals, and records what became of leased commands. What is released goes to the relay's backlog.
type directFixture struct {
	backlogFixture
	*deliveryFixture // of the relay

	mu       sync.Mutex
	signaled []int64
	settled  []int64
	leases   map[string]bool
	fails    error // of a signal
	hold     chan struct{}
	settles  func() error // what SettleLeased does first; nil: nothing
}

// running signals workflows that run.
type running struct{ *directFixture }

func (r running) Deliver(ctx context.Context, c desk.AcceptedCommand) error {
	f := r.directFixture
	select {
	case <-f.hold:
	case <-ctx.Done():
		return ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails == nil {
		f.signaled = append(f.signaled, c.Command.Seq)
	}
	return f.fails
}

func (f *directFixture) SettleLeased(_ context.Context, lease string, delivered, released []desk.AcceptedCommand) error {
	if f.settles != nil {
		if err := f.settles(); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.leases[lease] = true
	for _, c := range delivered {
		f.settled = append(f.settled, c.Command.Seq)
	}
	f.accept(released...)
	return nil
}

// counts returns how many commands were signaled and recorded as delivered, and how many the relay delivered.
func (f *directFixture) counts() (signaled, settled, relayed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deliveryFixture.mu.Lock()
	defer f.deliveryFixture.mu.Unlock()
	for _, all := range f.delivered {
		relayed += len(all)
	}
	return len(f.signaled), len(f.settled), relayed
}

func direct(t *testing.T, f *directFixture, do func(*dispatch.Direct)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f.deliveryFixture, f.leases, f.hold = newDeliveryFixture(), map[string]bool{}, make(chan struct{})
		d := dispatch.NewDirect(dispatch.NewRelay(&f.backlogFixture, f, noChanges{}, nil, quiet), f, running{f}, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		do(d)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func noted(seq int64) desk.AcceptedCommand {
	return desk.AcceptedCommand{Number: "HM-1", Command: ticket.Command{Seq: seq, Verb: ticket.VerbNote}}
}

func TestDirect_deliversWhatWasAcceptedUnderItsLeaseAndRecordsIt(t *testing.T) {
	f := &directFixture{}
	direct(t, f, func(d *dispatch.Direct) {
		close(f.hold)
		asked := f.asked()
		lease := d.Lease()
		d.Deliver(noted(2))
		synctest.Wait()
		if signaled, settled, relayed := f.counts(); signaled != 1 || settled != 0 || relayed != 0 {
			t.Errorf("at once: %d signaled, %d recorded, %d relayed", signaled, settled, relayed)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if signaled, settled, relayed := f.counts(); signaled != 1 || settled != 1 || relayed != 0 || !f.leases[lease] || len(f.leases) != 1 {
			t.Errorf("later: %d signaled, %d recorded, %d relayed, under %v instead of %q", signaled, settled, relayed, f.leases, lease)
		}
		if f.asked() != asked {
			t.Error("the relay looked for commands")
		}
	})
}

// A workflow that does not run, or a Temporal that is unavailable, leaves the command to the relay.
func TestDirect_leavesToTheRelayWhatItCannotDeliver(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		pause bool
	}{
		"no workflow":    {err: fault.New(fault.NotFound, "there is none")},
		"no Temporal":    {err: fault.New(fault.Unavailable, "it is away"), pause: true},
		"a bad response": {err: errors.New("what")},
	} {
		t.Run(name, func(t *testing.T) {
			f := &directFixture{fails: c.err}
			direct(t, f, func(d *dispatch.Direct) {
				close(f.hold)
				d.Lease()
				d.Deliver(noted(2))
				synctest.Wait()
				if _, settled, relayed := f.counts(); settled != 0 || relayed != 1 {
					t.Errorf("%d recorded, %d relayed", settled, relayed)
				}
				if paused := d.Lease() == ""; paused != c.pause {
					t.Errorf("paused: %v", paused)
				}
				time.Sleep(2 * time.Second)
				if d.Lease() == "" {
					t.Error("it is paused for good")
				}
			})
		})
	}
}

func TestDirect_endsOnlyWhenAllIsDeliveredAndRecorded(t *testing.T) {
	f := &directFixture{}
	direct(t, f, func(d *dispatch.Direct) {
		d.Lease()
		d.Deliver(noted(2))
		go func() {
			time.Sleep(100 * time.Millisecond)
			close(f.hold)
		}()
	})
	if signaled, settled, _ := f.counts(); signaled != 1 || settled != 1 {
		t.Errorf("%d signaled, %d recorded", signaled, settled)
	}
}

func TestDirect_hasABoundedNumberOfLeases(t *testing.T) {
	f := &directFixture{}
	direct(t, f, func(d *dispatch.Direct) {
		n := 0
		for d.Lease() != "" {
			if n++; n > 1000 {
				t.Fatal("there is no bound")
			}
		}
		d.Cancel()
		if d.Lease() == "" {
			t.Error("a lease that was cancelled is not free")
		}
		d.Deliver(noted(2)) // its delivery fails after a time, as nothing answers
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if _, _, relayed := f.counts(); relayed != 1 {
			t.Errorf("%d relayed", relayed)
		}
		if d.Lease() == "" {
			t.Error("the lease of a delivery that failed is not free")
		}
	})
}

// What is delivered while a recording is under way is recorded, too, although the process is asked to end meanwhile.
func TestDirect_endsOnlyWhenWhatCameDuringARecordingIsRecorded(t *testing.T) {
	f := &directFixture{}
	direct(t, f, func(d *dispatch.Direct) {
		recording, goOn := make(chan bool), make(chan bool)
		close(f.hold)
		first := true
		f.settles = func() error {
			if first {
				first = false
				recording <- true
				<-goOn
			}
			return nil
		}
		d.Lease()
		d.Deliver(noted(2))
		<-recording
		d.Lease()
		d.Deliver(noted(3))
		go func() {
			time.Sleep(time.Second) // after ctx has ended
			goOn <- true
		}()
	})
	if _, settled, _ := f.counts(); settled != 2 {
		t.Errorf("%d recorded, want 2", settled)
	}
}

// A recording that fails leaves its commands to the relay, once their leases expire, and the next one is tried.
func TestDirect_goesOnAfterARecordingThatFailed(t *testing.T) {
	f := &directFixture{}
	direct(t, f, func(d *dispatch.Direct) {
		close(f.hold)
		fails := true
		f.settles = func() error {
			if fails {
				fails = false
				return fault.New(fault.Unavailable, "PostgreSQL is away")
			}
			return nil
		}
		for seq := int64(2); seq < 4; seq++ {
			d.Lease()
			d.Deliver(noted(seq))
			time.Sleep(time.Second)
		}
		synctest.Wait()
		if _, settled, _ := f.counts(); settled != 1 {
			t.Errorf("%d recorded, want the second", settled)
		}
	})
}

// Once it has ended, commands are left to the relay of another process.
func TestDirect_hasNoLeaseOnceItEnds(t *testing.T) {
	f := &directFixture{}
	var ended *dispatch.Direct
	direct(t, f, func(d *dispatch.Direct) { ended = d })
	if ended.Lease() != "" {
		t.Error("there is a lease")
	}
}
