package account

import "context"

// Hasher exposes the hasher to tests.
type Hasher struct{ *hasher }

// NewHasher returns a hasher configured as the service's.
func NewHasher() Hasher { return Hasher{newHasher()} }

// Acquire waits for a slot without hashing.
func (h Hasher) Acquire(ctx context.Context) (done func(), err error) { return h.acquire(ctx) }

// Queued returns the number of calls that hold a slot or wait for one.
func (h Hasher) Queued() int { return len(h.queue) }

// Capacity returns the number of slots and of places in the queue.
func (h Hasher) Capacity() (slots, waiting int) { return cap(h.slots), cap(h.queue) - cap(h.slots) }

// Matches checks a password against a hash.
func (h Hasher) Matches(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	return h.matches(ctx, password, hash)
}
