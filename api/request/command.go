package request

import (
	"bytes"
	"context"
	"crypto/sha256"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// OnceOf is the idempotency key of a request, with the fingerprint of the parts that have to be the same when it is
// repeated.
func OnceOf(key string, parts ...[]byte) desk.IdempotencyKey {
	hash := sha256.Sum256(bytes.Join(parts, []byte("\n")))
	return desk.IdempotencyKey{Key: key, Fingerprint: hash[:]}
}

// State is what became of a command.
type State int

// The states. Whatever fails after acceptance leaves a command pending: an error would invite to repeat it.
const (
	Failed  State = iota // not accepted; see Err
	Pending              // accepted, and not known to be decided
	Refused              // see Outcome
	Granted
)

// Answer is what became of a command, for JSON and pages to render.
type Answer struct {
	State    State
	Accepted desk.Accepted
	Outcome  ticket.Outcome
	Err      error
}

// Ask asks the desk for a command and waits for the outcome.
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
