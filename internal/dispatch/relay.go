package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	batch    = 64                     // commands taken from the backlog at once
	parallel = 8                      // tickets told at once
	window   = 64                     // workflows started that have taken no step yet
	glance   = 100 * time.Millisecond // between looks at a full window
	attempt  = 10 * time.Second       // for one command
	sweep    = 2 * time.Second        // how often to look for what another replica left behind when it died
	minPause = 100 * time.Millisecond // between tries while Temporal or PostgreSQL is away, at first
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
	loop      *loop.Loop
}

// NewRelay makes a relay between a backlog and a deliverer.
func NewRelay(b backlog, d deliverer, log *slog.Logger) *Relay {
	return &Relay{backlog: b, deliverer: d, log: log, loop: loop.New(loop.Options{
		First: minPause, Max: maxPause, Log: log,
		Failing: "commands wait to be delivered", Recovered: "commands are delivered again",
	})}
}

// Wake has the relay deliver at once. It never blocks.
func (r *Relay) Wake() { r.loop.Wake() }

// Run delivers until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	return r.loop.Run(ctx, func(ctx context.Context) (time.Duration, error) {
		n, err := r.round(ctx)
		switch {
		case n > 0: // after the last of a batch there may be what waited for its ticket's first
			return 0, err
		case len(r.started) >= window:
			return glance, err
		default:
			return sweep, err
		}
	})
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
	var mu sync.Mutex
	var told []desk.Delivery
	o := each(ctx, order, parallel, nil, unavailable, func(ctx context.Context, number ticket.Number) error {
		some, err := r.tell(ctx, byTicket[number])
		mu.Lock()
		defer mu.Unlock()
		told = append(told, some...)
		if len(some) > 0 && unavailable(err) {
			r.log.Warn(waitingMessage, "error", err)
		}
		if len(some) > 0 {
			return nil
		}
		return err
	})
	for _, d := range told {
		if d.Command.Verb == ticket.VerbSubmit {
			r.started = append(r.started, d.Number)
		}
	}
	for _, f := range o.failed {
		if !unavailable(f.err) {
			continue
		}
		if len(told) == 0 {
			return nil, f.err
		}
		r.log.Warn(waitingMessage, "error", f.err)
	}
	return told, nil
}

const waitingMessage = "a ticket's commands wait to be delivered"

// tell stops at the first command that can't be told, and returns those before it.
func (r *Relay) tell(ctx context.Context, commands []desk.Delivery) ([]desk.Delivery, error) {
	for i, c := range commands {
		err := within(ctx, c, r.deliverer.Deliver)
		if err != nil && !unavailable(err) {
			r.log.Error("command can't be delivered", "number", c.Number, "seq", c.Command.Seq, "error", err)
		}
		if err != nil {
			return commands[:i], err
		}
	}
	return commands, nil
}
