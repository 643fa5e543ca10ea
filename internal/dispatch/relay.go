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
	batch    = 64                     // commands taken from the backlog at once
	parallel = 8                      // tickets told at once
	window   = 64                     // workflows started that have taken no step yet
	glance   = 100 * time.Millisecond // between looks at a full window
	attempt  = 10 * time.Second       // for one command
	sweep    = 2 * time.Second        // how often to look for what another replica left behind when it died
	maxPause = 5 * time.Second        // between tries while Temporal or PostgreSQL is away
)

// backlog hands out commands that are accepted and undelivered, oldest first, each to one replica at a time, and
// marks as delivered those that deliver gives back. What else it handed out it holds back for a while, with its
// ticket's later commands; for no time when deliver fails. It returns how many it handed out, of which at most
// openings were submissions, but for those tried before, which any room lets in. Untaken gives those of some tickets that no step has taken yet.
type backlog interface {
	Undelivered(ctx context.Context, limit, openings int, deliver func(context.Context, []desk.Delivery) ([]desk.Delivery, error)) (int, error)
	Untaken(ctx context.Context, some []ticket.Number) ([]ticket.Number, error)
}

type deliverer interface {
	Deliver(context.Context, desk.Delivery) error
}

// Relay delivers accepted commands to workflows: at once when Temporal answers, later when it doesn't, a ticket's
// own in order. New tickets are started no faster than they are taken: a rush of them waits in PostgreSQL, where the
// commands of older tickets overtake it, and not in Temporal's queue, where they would stand behind it. Whoever accepts
// a command calls Wake; Run does the rest.
type Relay struct {
	started   []ticket.Number // by this relay, and not taken when it last looked; for Run's goroutine
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
		n, err := r.round(ctx)
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
		// After the last of a batch there may be what waited for its ticket's first.
		if n == 0 && !r.idle(ctx) {
			return nil
		}
	}
}

// round delivers a batch and gives its size.
func (r *Relay) round(ctx context.Context) (int, error) {
	if len(r.started) > 0 {
		untaken, err := r.backlog.Untaken(ctx, r.started)
		if err != nil {
			return 0, err
		}
		r.started = untaken
	}
	return r.backlog.Undelivered(ctx, batch, max(window-len(r.started), 0), r.deliver)
}

// idle waits until there may be something to do; false when ctx has ended.
func (r *Relay) idle(ctx context.Context) bool {
	wait := sweep
	if len(r.started) >= window {
		wait = glance
	}
	timer := time.NewTimer(wait)
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
// ticket that can't be told holds up no other. An error says that Temporal itself is away: nothing was told, and not
// because Temporal refused it. A few such answers are enough to leave the rest for later.
func (r *Relay) deliver(ctx context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
	var order []ticket.Number
	byTicket := map[ticket.Number][]desk.Delivery{}
	for _, d := range all {
		if len(byTicket[d.Number]) == 0 {
			order = append(order, d.Number)
		}
		byTicket[d.Number] = append(byTicket[d.Number], d)
	}
	var t tally
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, number := range order {
		group.Go(func() error {
			if !t.hopeless() {
				t.add(r.tell(ctx, byTicket[number]))
			}
			return nil
		})
	}
	_ = group.Wait() // none of them gives one
	for _, d := range t.told {
		if d.Command.Verb == ticket.VerbSubmit {
			r.started = append(r.started, d.Number)
		}
	}
	if len(t.told) > 0 || len(t.unavailable) == 0 {
		for _, err := range t.unavailable {
			r.log.Warn("a ticket's commands wait to be delivered", "error", err)
		}
		return t.told, nil
	}
	return nil, t.unavailable[0]
}

// tell stops at the first command that can't be told. It gives an error if a later try may succeed.
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

// tally is what has become of a batch so far.
type tally struct {
	mu          sync.Mutex
	told        []desk.Delivery
	unavailable []error
}

func (t *tally) add(told []desk.Delivery, unavailable error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = append(t.told, told...)
	if unavailable != nil {
		t.unavailable = append(t.unavailable, unavailable)
	}
}

// hopeless reports whether Temporal seems to be away.
func (t *tally) hopeless() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.told) == 0 && len(t.unavailable) >= parallel
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
