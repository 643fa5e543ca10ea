// Package batch has work done together for all who wait for it, where it costs about as much for many as for one: a commit. It
// must not know what the work is.
package batch

import (
	"context"
	"slices"
	"sync"
)

// Batcher runs work for one caller immediately, and for those who call while it is running together. It needs no goroutine: the
// first caller to find a run free works for all that wait. Its methods are safe for concurrent use.
type Batcher[T any] struct {
	work func(ctx context.Context, batch []*Item[T])
	most int           // items of a batch
	busy chan struct{} // holds a token for each run

	mu      sync.Mutex
	waiting []*Item[T]
}

// Item is a caller's part of a batch.
type Item[T any] struct {
	Value T
	err   error
	done  chan struct{}
}

// Finish ends the wait of an item's caller, who receives the error. It is called once for every item.
func (i *Item[T]) Finish(err error) {
	i.err = err
	close(i.done)
}

// New returns a Batcher that runs work at most so many times at once, for at most so many items. work finishes each item of its
// batch. Its context has the values of one caller's and never ends, as others wait, too: work bounds its own time.
func New[T any](runs, most int, work func(ctx context.Context, batch []*Item[T])) *Batcher[T] {
	return &Batcher[T]{work: work, most: most, busy: make(chan struct{}, runs)}
}

// Do has a value worked on and returns the error with which it was finished. If ctx ends first, it returns that error, and the
// value may or may not be worked on.
func (b *Batcher[T]) Do(ctx context.Context, value T) error {
	i := &Item[T]{Value: value, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, i)
	b.mu.Unlock()
	busy := b.busy
	for {
		select {
		case <-i.done:
			return i.err
		case busy <- struct{}{}:
			if batch := b.next(); len(batch) > 0 {
				b.work(context.WithoutCancel(ctx), batch)
			}
			<-b.busy
			if !b.waits(i) {
				busy = nil // another caller works on it: there is nothing to do but wait
			}
		case <-ctx.Done():
			b.cancel(i)
			select {
			case <-i.done: // what is known is returned: the caller would repeat what was done
				return i.err
			default:
				return ctx.Err()
			}
		}
	}
}

func (b *Batcher[T]) waits(i *Item[T]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.waiting, i)
}

// next removes and returns those that have waited longest.
func (b *Batcher[T]) next() []*Item[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), b.most)
	batch := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	return batch
}

// cancel removes an item that still waits. One that is being worked on can't be cancelled.
func (b *Batcher[T]) cancel(i *Item[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if at := slices.Index(b.waiting, i); at >= 0 {
		b.waiting = slices.Concat(b.waiting[:at], b.waiting[at+1:])
	}
}

// Waiting returns how many items wait for a run.
func (b *Batcher[T]) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting)
}
