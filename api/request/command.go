package request

import (
	"bytes"
	"context"
	"crypto/sha256"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// NewIdempotencyKey returns the idempotency key of a request, with a fingerprint of the parts that must be equal when it is
// repeated.
func NewIdempotencyKey(key string, parts ...[]byte) desk.IdempotencyKey {
	hash := sha256.Sum256(bytes.Join(parts, []byte("\n")))
	return desk.IdempotencyKey{Key: key, Fingerprint: hash[:]}
}

// State is the state of a command.
type State int

// The states. A failure after acceptance leaves a command Pending, because an error would suggest to repeat it.
const (
	Failed  State = iota // not accepted; see Err
	Pending              // accepted; the outcome is not known yet
	Refused              // see Outcome
	Granted
)

// Answer is the result of a command, which the API and the pages render.
type Answer struct {
	State    State
	Accepted desk.Accepted
	Outcome  ticket.Outcome
	Err      error
}

// Ask requests a command and waits for its outcome.
func Ask(ctx context.Context, d Commander, by desk.Person, r desk.Request) Answer {
	accepted, outcome, decided, err := d.Command(ctx, by, r)
	a := Answer{State: Granted, Accepted: accepted, Outcome: outcome, Err: err}
	switch {
	case err != nil && accepted.Seq == 0:
		a.State = Failed
	case err != nil || !decided:
		a.State = Pending
	case outcome.Refused:
		a.State = Refused
	}
	return a
}
