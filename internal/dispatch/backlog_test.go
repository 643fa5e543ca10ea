package dispatch_test

import (
	"context"
	"sync"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// backlog keeps what is undelivered in memory, oldest first.
type backlog struct {
	mu      sync.Mutex
	waiting []desk.Delivery
	rounds  int   // how often it was asked
	away    error // what it fails with
}

func (b *backlog) add(n ticket.Number, seqs ...int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, seq := range seqs {
		b.waiting = append(b.waiting, desk.Delivery{Number: n, Command: ticket.Command{Seq: seq, Verb: ticket.VerbNote}})
	}
}

func (b *backlog) left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}

func (b *backlog) asked() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rounds
}

func (b *backlog) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.away = err
}

func (b *backlog) Undelivered(
	ctx context.Context, limit int, deliver func(context.Context, []desk.Delivery) ([]desk.Delivery, error),
) (int, error) {
	b.mu.Lock()
	b.rounds++
	handed, away := append([]desk.Delivery(nil), b.waiting[:min(limit, len(b.waiting))]...), b.away
	b.mu.Unlock()
	if away != nil || len(handed) == 0 {
		return 0, away
	}
	done, err := deliver(ctx, handed)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range done {
		for i, w := range b.waiting {
			if w.Number == d.Number && w.Command.Seq == d.Command.Seq {
				b.waiting = append(b.waiting[:i:i], b.waiting[i+1:]...)
				break
			}
		}
	}
	return len(handed), err
}
