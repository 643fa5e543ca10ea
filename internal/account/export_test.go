package account

import "context"

// Hasher lets tests take turns at hashing without hashing.
type Hasher struct{ *hasher }

// NewHasher makes one as the service has it.
func NewHasher() Hasher { return Hasher{newHasher()} }

// Turn waits for one.
func (h Hasher) Turn(ctx context.Context) (done func(), err error) { return h.turn(ctx) }

// Inside counts those who have a turn or wait for one.
func (h Hasher) Inside() int { return len(h.queue) }

// Room is how many are hashed at once, and how many may wait beside them.
func (h Hasher) Room() (turns, waiting int) { return cap(h.turns), cap(h.queue) - cap(h.turns) }

// Matches checks a password.
func (h Hasher) Matches(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	return h.matches(ctx, password, hash)
}
