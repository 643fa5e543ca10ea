package dispatch_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// backlogFixture is a backlog in memory that passes commands as the store does.
type backlogFixture struct {
	mu      sync.Mutex
	waiting []waiting
	rounds  int                      // how often it was asked
	away    error                    // what it fails with
	stuck   func(ticket.Number) bool // whose workflow takes no step; nil: none
	leader  string                   // who has the lease; empty: the first who asks
}

func (b *backlogFixture) Lease(_ context.Context, _, holder string, _ time.Duration) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.leader == "" {
		b.leader = holder
	}
	return b.leader == holder, nil
}

type waiting struct {
	desk.AcceptedCommand
	tries     int
	notBefore time.Time
}

func (b *backlogFixture) accept(all ...desk.AcceptedCommand) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range all {
		b.waiting = append(b.waiting, waiting{AcceptedCommand: d})
	}
}

func (b *backlogFixture) add(n ticket.Number, seqs ...int64) {
	for _, seq := range seqs {
		b.accept(desk.AcceptedCommand{Number: n, Command: ticket.Command{Seq: seq, Verb: ticket.VerbNote}})
	}
}

func (b *backlogFixture) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func (b *backlogFixture) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rounds
}

func (b *backlogFixture) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = err
}

func (b *backlogFixture) Undelivered(
	ctx context.Context, limit, openings int, deliver func(context.Context, []desk.AcceptedCommand) ([]desk.AcceptedCommand, error),
) (int, error) {
	b.mu.Lock()
	b.rounds++
	handed, away := b.due(limit, openings), b.away
	b.mu.Unlock()
	if away != nil || len(handed) == 0 {
		return 0, away
	}
	done, err := deliver(ctx, handed)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(handed, done, err == nil)
	return len(handed), err
}

// due returns what is not held back, by its own failure or that of an earlier one of its ticket.
func (b *backlogFixture) due(limit, openings int) (all []desk.AcceptedCommand) {
	held := map[ticket.Number]bool{}
	for _, w := range b.waiting {
		opening := w.Command.Verb == ticket.VerbSubmit
		if !held[w.Number] && !w.notBefore.After(time.Now()) && len(all) < limit && (!opening || openings > 0) {
			all = append(all, w.AcceptedCommand)
			if opening {
				openings--
			}
		}
		held[w.Number] = held[w.Number] || w.tries > 0
	}
	return all
}

func (b *backlogFixture) settle(handed, done []desk.AcceptedCommand, blame bool) {
	stuck := map[ticket.Number]bool{}
	for _, h := range handed {
		same := func(d desk.AcceptedCommand) bool { return d.Number == h.Number && d.Command.Seq == h.Command.Seq }
		i := slices.IndexFunc(b.waiting, func(w waiting) bool { return same(w.AcceptedCommand) })
		switch w := &b.waiting[i]; {
		case slices.ContainsFunc(done, same):
			b.waiting = slices.Delete(b.waiting, i, i+1)
		case !stuck[h.Number]:
			stuck[h.Number] = true
			if blame {
				w.notBefore = time.Now().Add(min(time.Second<<min(w.tries, 20), 10*time.Minute))
			}
			w.tries++
		}
	}
}

// Untaken returns the tickets whose workflow the test has not let take its first step.
func (b *backlogFixture) Untaken(_ context.Context, some []ticket.Number) ([]ticket.Number, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stuck == nil {
		return nil, b.away
	}
	return slices.DeleteFunc(slices.Clone(some), func(n ticket.Number) bool { return !b.stuck(n) }), b.away
}

// noChanges notifies of nothing, as if every notification were lost.
type noChanges struct{}

func (noChanges) Subscribe(ticket.Number) (<-chan desk.Change, func()) { return nil, func() {} }
