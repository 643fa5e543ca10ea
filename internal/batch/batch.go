// Package batch has work done together for all who wait for it, where it costs about as much for many as for one: a commit. It
// must not know what the work is.
package batch

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
)

// Batcher runs work for one caller immediately, and for those who call while it is running together. Its methods are safe for
// concurrent use.
type Batcher[T any] struct {
	work func(ctx context.Context, batch []*Item[T])
	runs int // at once
	most int // items of a batch

	mu      sync.Mutex
	all     sync.WaitGroup // of the runs
	running int
	waiting []*Item[T]
}

// Item is a caller's part of a batch.
type Item[T any] struct {
	Value T
	ctx   context.Context
	err   error
	done  chan struct{}
}

// Finish ends the wait of an item's caller, who receives the error. It is called once for every item.
func (i *Item[T]) Finish(err error) {
	i.err = err
	close(i.done)
}

// New returns a Batcher that runs work at most so many times at once, for at most so many items. work finishes each item of its
// batch; those that it leaves because it panics get an error. Its context has the values of one caller's and never ends, as
// others wait, too: work bounds its own time.
func New[T any](runs, most int, work func(ctx context.Context, batch []*Item[T])) *Batcher[T] {
	return &Batcher[T]{work: work, runs: runs, most: most}
}

// Do has a value worked on and returns the error with which it was finished. If ctx ends first, it returns that error, and the
// value may or may not be worked on.
func (b *Batcher[T]) Do(ctx context.Context, value T) error {
	i := &Item[T]{Value: value, ctx: ctx, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, i)
	if b.running < b.runs {
		b.running++
		b.all.Go(b.run) // not by the caller, whose time may be shorter than the work's
	}
	b.mu.Unlock()
	select {
	case <-i.done:
		return i.err
	case <-ctx.Done():
	}
	b.cancel(i)
	select {
	case <-i.done: // what is known is returned: the caller would repeat what was done
		return i.err
	default:
		return ctx.Err()
	}
}

// Close waits until all work has ended, also that of callers whose context ended earlier. Do is not called any more.
func (b *Batcher[T]) Close() { b.all.Wait() }

// run works until none waits.
func (b *Batcher[T]) run() {
	for batch := b.next(); batch != nil; batch = b.next() {
		b.workOn(batch)
	}
}

func (b *Batcher[T]) workOn(batch []*Item[T]) {
	defer func() {
		if p := recover(); p != nil { // as of a request's own goroutine, it must not end the process
			err := fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			for _, i := range batch {
				if !i.finished() {
					i.Finish(err)
				}
			}
		}
	}()
	b.work(context.WithoutCancel(batch[0].ctx), batch)
}

func (i *Item[T]) finished() bool {
	select {
	case <-i.done:
		return true
	default:
		return false
	}
}

// next removes and returns those that have waited longest. If there are none, the run has ended.
func (b *Batcher[T]) next() []*Item[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), b.most)
	if n == 0 {
		b.running--
		return nil
	}
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
