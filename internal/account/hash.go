package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// What a hash costs: the second choice of OWASP's, 19 MiB (in KiB here), two passes, one thread.
const (
	hashMemory  = 19 * 1024
	hashPasses  = 2
	hashThreads = 1
	saltLength  = 16
	hashLength  = 32
)

// maxQueue is how many may wait for their turn to be hashed. Somebody waiting costs next to nothing, but should not
// wait for longer than a page may take.
const maxQueue = 100

var errBusy = fault.New(fault.Unavailable, "too many people are signing in right now; try again in a moment")

// hasher hashes passwords, as many at once as there are processors: more would only take more memory.
type hasher struct {
	queue, turns chan struct{}
	dummy        string // a hash of something that nobody knows
}

func newHasher() *hasher {
	turns := runtime.GOMAXPROCS(0)
	h := &hasher{queue: make(chan struct{}, turns+maxQueue), turns: make(chan struct{}, turns)}
	h.dummy = write(hashMemory, hashPasses, hashThreads, make([]byte, saltLength), make([]byte, hashLength))
	return h
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
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails since Go 1.24
	sum := argon2.IDKey(plain(password), salt, hashPasses, hashMemory, hashThreads, hashLength)
	return write(hashMemory, hashPasses, hashThreads, salt, sum), nil
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
		hash = h.dummy
	}
	memory, passes, threads, salt, sum, err := read(hash)
	if err != nil {
		return false, false, err
	}
	got := argon2.IDKey(plain(password), salt, passes, memory, threads, uint32(len(sum)))
	ok = subtle.ConstantTimeCompare(got, sum) == 1 && !nobody
	return ok, memory != hashMemory || passes != hashPasses || threads != hashThreads || len(sum) != hashLength, nil
}

// plain makes the same password of the same characters, however a keyboard composes them (NIST SP 800-63B, 3.1.1.2).
func plain(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }

func write(memory, passes uint32, threads uint8, salt, sum []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, memory, passes, threads, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

func read(hash string) (memory, passes uint32, threads uint8, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	bad := fault.New(fault.Internal, "a stored password's hash can't be read")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return 0, 0, 0, nil, nil, bad
	}
	if _, err = fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil || passes == 0 || threads == 0 {
		return 0, 0, 0, nil, nil, bad
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return 0, 0, 0, nil, nil, bad
	}
	if sum, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(sum) < 16 {
		return 0, 0, 0, nil, nil, bad
	}
	return memory, passes, threads, salt, sum, nil
}
