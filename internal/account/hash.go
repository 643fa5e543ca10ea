package account

import (
	"context"
	"fmt"
	"runtime"
	"strings"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// cost is the second choice of OWASP's: 19 MiB (in KiB here), two passes, one thread.
var cost = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// maxQueue is how many may wait for their turn to be hashed. Somebody waiting costs next to nothing, but should not
// wait for longer than a page may take.
const maxQueue = 100

var errBusy = fault.New(fault.Unavailable, "too many people are signing in right now; try again in a moment")

// dummy is a hash at today's cost of something unknown.
var dummy = fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", cost.Memory, cost.Iterations, cost.Parallelism,
	strings.Repeat("A", 22), strings.Repeat("A", 43)) // zeros of 16 and 32 bytes

// hasher hashes passwords, as many at once as there are processors: more would only take more memory.
type hasher struct {
	queue, turns chan struct{}
}

func newHasher() *hasher {
	turns := runtime.GOMAXPROCS(0)
	return &hasher{queue: make(chan struct{}, turns+maxQueue), turns: make(chan struct{}, turns)}
}

// turn waits for one. Whoever has it calls done.
func (h *hasher) turn(ctx context.Context) (done func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, errBusy
	}
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

// hash gives a password's hash in PHC's format, salted anew.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	done, err := h.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return argon2id.CreateHash(plain(password), cost)
}

// matches reports whether a hash is that of a password, and whether it was made at another cost than today's. An empty
// hash matches nothing, and takes as long to say so.
func (h *hasher) matches(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	done, err := h.turn(ctx)
	if err != nil {
		return false, false, err
	}
	defer done()
	nobody := hash == ""
	if nobody {
		hash = dummy
	}
	if err := readable(hash); err != nil {
		return false, false, err
	}
	match, made, err := argon2id.CheckHash(plain(password), hash)
	if err != nil {
		return false, false, errUnreadable
	}
	made.SaltLength = cost.SaltLength // a hash is not stale for its salt
	return match && !nobody, *made != *cost, nil
}

// plain makes the same password of the same characters, however a keyboard composes them (NIST SP 800-63B, 3.1.1.2).
func plain(password string) string { return norm.NFKC.String(password) }

var errUnreadable = fault.New(fault.Internal, "a stored password's hash can't be read")

// readable refuses what the library lets in: no passes or no threads, on which argon2 panics, and a sum so short that
// anything might match it.
func readable(hash string) error {
	p, _, sum, err := argon2id.DecodeHash(hash)
	if err != nil || p.Iterations == 0 || p.Parallelism == 0 || len(sum) < 16 {
		return errUnreadable
	}
	return nil
}
