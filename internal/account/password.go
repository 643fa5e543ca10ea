package account

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
	"golang.org/x/text/unicode/norm"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Length limits of a password, in characters. NIST SP 800-63B-4, 3.1.1.2, asks for 15, or 8 with a second factor; here
// every account depends on a mailbox as well.
const (
	MinPassword = 12
	MaxPassword = 128
	minDistinct = 5 // distinct characters
)

// common are the first choices when 12 characters are required.
var common = map[string]bool{
	"password1234": true, "password12345": true, "password123456": true, "passwordpassword": true, "passw0rd1234": true,
	"123456789012": true, "1234567890123": true, "12345678901234": true, "123456789012345": true, "1234567890ab": true,
	"qwertyuiop12": true, "qwertyuiop123": true, "qwertyuiopas": true, "qwertyuiopasdf": true, "qwerty123456": true,
	"qwertyqwerty": true, "asdfghjkl123": true, "abcdefghijkl": true, "abcdefghijklmn": true, "abc123abc123": true,
	"iloveyou1234": true, "letmeinletmein": true, "welcome12345": true, "administrator": true, "administrator1": true,
	"changemechangeme": true, "changeme1234": true, "correcthorsebatterystaple": true, "supportdesk123": true,
}

// validatePassword returns an Invalid fault for the field password if the password is too short, too long or easily
// guessed. There are no rules about kinds of characters.
func validatePassword(password string, owner desk.Person) error {
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(owner.Address, "@")
	length := utf8.RuneCountInString(password)
	distinct := map[rune]bool{}
	for _, r := range lower {
		distinct[r] = true
	}
	switch {
	case !utf8.ValidString(password):
		return fault.Field("password", "is not UTF-8")
	case length < MinPassword:
		return fault.Field("password", "must have %d characters or more", MinPassword)
	case length > MaxPassword:
		return fault.Field("password", "must have %d characters or fewer", MaxPassword)
	case strings.EqualFold(password, owner.Address), strings.EqualFold(password, local), strings.EqualFold(password, owner.Name):
		return fault.Field("password", "must not be your name or your address")
	case common[lower], len(distinct) < minDistinct:
		return fault.Field("password", "is too easy to guess")
	}
	return nil
}

// hashForLink is hashNew for a link. It is limited, because a link whose address has been taken in the meantime is
// never used up and would let an attacker cause hashing forever.
func (s *Service) hashForLink(ctx context.Context, l Link, password string) (string, error) {
	if err := validatePassword(password, l.Person); err != nil {
		return "", err
	}
	if _, err := s.limit(ctx, passwordsPerLink, l.ID); err != nil {
		return "", err
	}
	return s.hasher.hash(ctx, password)
}

// hashNew validates a new password and returns its hash.
func (s *Service) hashNew(ctx context.Context, password string, owner desk.Person) (string, error) {
	if err := validatePassword(password, owner); err != nil {
		return "", err
	}
	return s.hasher.hash(ctx, password)
}

// cost is the second configuration that OWASP recommends: 19 MiB (in KiB here), two passes, one thread.
var cost = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// maxQueue bounds the calls that wait for a slot. Waiting costs little, but must not outlast the page's time-out.
const maxQueue = 100

var errBusy = fault.New(fault.Unavailable, "too many people are signing in right now; try again in a moment")

// dummyHash is a hash of the current cost that no password is known for.
var dummyHash = fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", cost.Memory, cost.Iterations, cost.Parallelism,
	strings.Repeat("A", 22), strings.Repeat("A", 43)) // zeros of 16 and 32 bytes

// hasher hashes passwords, at most one for each processor at a time: more would take memory and save no time.
type hasher struct {
	queue, slots chan struct{}
}

func newHasher() *hasher {
	slots := runtime.GOMAXPROCS(0)
	return &hasher{queue: make(chan struct{}, slots+maxQueue), slots: make(chan struct{}, slots)}
}

// acquire waits for a slot. The caller must call done to release it.
func (h *hasher) acquire(ctx context.Context) (done func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, errBusy
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

// hash returns the hash of a password with a new salt, in the PHC string format.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	done, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	return argon2id.CreateHash(normalize(password), cost)
}

// matches reports whether a hash is of the password, and whether it was made at a cost other than the current one. An
// empty hash matches no password and takes as long.
func (h *hasher) matches(ctx context.Context, password, hash string) (ok, stale bool, err error) {
	done, err := h.acquire(ctx)
	if err != nil {
		return false, false, err
	}
	defer done()
	empty := hash == ""
	if empty {
		hash = dummyHash
	}
	if err := checkFormat(hash); err != nil {
		return false, false, err
	}
	match, params, err := argon2id.CheckHash(normalize(password), hash)
	if err != nil {
		return false, false, errHashFormat
	}
	params.SaltLength = cost.SaltLength // a hash is not stale because of its salt
	return match && !empty, *params != *cost, nil
}

// normalize returns one form of a password however a keyboard composes its characters (NIST SP 800-63B, 3.1.1.2).
func normalize(password string) string { return norm.NFKC.String(password) }

var errHashFormat = fault.New(fault.Internal, "a stored password hash has an invalid format")

// checkFormat rejects what the library accepts: no passes or no threads, on which argon2 panics, and a sum short enough
// to match by chance.
func checkFormat(hash string) error {
	p, _, sum, err := argon2id.DecodeHash(hash)
	if err != nil || p.Iterations == 0 || p.Parallelism == 0 || len(sum) < 16 {
		return errHashFormat
	}
	return nil
}
