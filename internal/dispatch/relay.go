package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	batch    = 64               // commands taken from the backlog at once
	parallel = 8                // tickets told at once
	attempt  = 10 * time.Second // for one command
	sweep    = 2 * time.Second  // how often to look for what another replica left behind when it died
	maxPause = 5 * time.Second  // between tries while Temporal or PostgreSQL is away
)

// backlog hands out commands that are accepted and undelivered, oldest first, each to one replica at a time, and
// marks as delivered those that deliver gives back. It returns how many it handed out.
type backlog interface {
	Undelivered(ctx context.Context, limit int, deliver func(context.Context, []desk.Delivery) ([]desk.Delivery, error)) (int, error)
}

type deliverer interface {
	Deliver(context.Context, desk.Delivery) error
}

// Relay delivers accepted commands to workflows: at once when Temporal answers, later when it doesn't, a ticket's
// own in order. Whoever accepts one calls Wake; Run does the rest.
type Relay struct {
	backlog   backlog
	deliverer deliverer
	log       *slog.Logger
	wake      chan struct{}
}

// NewRelay makes a relay between a backlog and a deliverer.
func NewRelay(b backlog, d deliverer, log *slog.Logger) *Relay {
	return &Relay{backlog: b, deliverer: d, log: log, wake: make(chan struct{}, 1)}
}

// Wake tells the relay that there is something to deliver. It never blocks.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default: // it has been told
	}
}

// Run delivers until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for {
		told := 0
		n, err := r.backlog.Undelivered(ctx, batch, func(ctx context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
			done, err := r.deliver(ctx, all)
			told = len(done)
			return done, err
		})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if pause == 0 {
				r.log.Warn("commands wait to be delivered", "error", err)
			}
			pause = min(max(2*pause, 100*time.Millisecond), maxPause)
			if !sleep(ctx, pause) {
				return nil
			}
			continue
		case pause > 0:
			r.log.Info("commands are delivered again")
		}
		pause = 0
		// A full batch of which nothing could be told must not be tried again without a pause.
		if (n < batch || told == 0) && !r.idle(ctx) {
			return nil
		}
	}
}

// idle waits until there may be something to do; false when ctx has ended.
func (r *Relay) idle(ctx context.Context) bool {
	timer := time.NewTimer(sweep)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-r.wake:
	case <-timer.C:
	}
	return true
}

// deliver tells each ticket of its commands in order, several tickets at once, and gives back what was told. One
// ticket that can't be told holds up no other; an error says that Temporal itself is away.
func (r *Relay) deliver(ctx context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
	var order []ticket.Number
	byTicket := map[ticket.Number][]desk.Delivery{}
	for _, d := range all {
		if len(byTicket[d.Number]) == 0 {
			order = append(order, d.Number)
		}
		byTicket[d.Number] = append(byTicket[d.Number], d)
	}
	var mu sync.Mutex
	var done []desk.Delivery
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for _, number := range order {
		group.Go(func() error {
			told, err := r.tell(groupCtx, byTicket[number])
			mu.Lock()
			done = append(done, told...)
			mu.Unlock()
			return err
		})
	}
	err := group.Wait()
	return done, err
}

func (r *Relay) tell(ctx context.Context, commands []desk.Delivery) ([]desk.Delivery, error) {
	for i, c := range commands {
		attemptCtx, cancel := context.WithTimeout(ctx, attempt)
		err := r.deliverer.Deliver(attemptCtx, c)
		cancel()
		switch {
		case err == nil:
		case fault.KindOf(err) == fault.Unavailable:
			return commands[:i], err
		default:
			r.log.Error("command can't be delivered", "number", c.Number, "seq", c.Command.Seq, "error", err)
			return commands[:i], nil
		}
	}
	return commands, nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
