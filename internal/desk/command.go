package desk

import (
	"bytes"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of what people may type, in characters for a subject and bytes for a body.
const (
	MaxSubject = 200
	MaxBody    = 64 << 10
)

// Submission is a new ticket as its requester typed it. Its fields have been checked.
type Submission struct {
	Number         ticket.Number
	Subject        string
	Body           string
	Category       string
	Priority       policy.Priority
	Order          string        // the shop's order number, may be empty
	Follows        ticket.Number // the closed ticket that this one follows up, may be empty
	IdempotencyKey IdempotencyKey
}

// Request is a command to a ticket as somebody typed it.
type Request struct {
	Number         ticket.Number
	Verb           ticket.Verb
	Body           string          // the words; empty where the verb has none
	Agent          string          // assign: a handle or an ID; empty: whoever asks
	Expected       *string         // assign: who has the ticket, as far as whoever asks knows: a handle or an ID, empty: nobody; nil: they don't mind
	Priority       policy.Priority // reclassify, may be empty
	Category       string          // likewise
	Until          time.Time       // snooze
	Mail           int             // resend-mail: its number within the ticket
	Address        string          // likewise, the requester's mails only: where to, this time; empty: the account's address
	Seen           int             // the last entry of the timeline that the writer had seen; 0: they don't say
	IdempotencyKey IdempotencyKey
}

// IdempotencyKey makes a repeated request be accepted once: the same key from the same person with the same fingerprint gives
// the first answer again, with another fingerprint it is a Conflict.
type IdempotencyKey struct {
	Key         string // empty: the request is not protected
	Fingerprint []byte // SHA-256 of the request
}

// CodeKeyReused is the code of a Conflict: an idempotency key came with another request than the first time.
const CodeKeyReused = "idempotency-key-reused"

// ErrKeyReused is read by people, too: the form that they sent again keeps its key.
var ErrKeyReused error = fault.NewConflict(CodeKeyReused,
	"this was sent before with other content, which was accepted; see what became of it, and send this anew if it is still needed")

// Repeats returns ErrKeyReused unless the first request under the key had the same fingerprint.
func (o IdempotencyKey) Repeats(first []byte) error {
	if !bytes.Equal(first, o.Fingerprint) {
		return ErrKeyReused
	}
	return nil
}

// Accepted is what acceptance fixed: from here on the command is kept, in this place and at this instant.
type Accepted struct {
	Number   ticket.Number
	Seq      int64
	At       time.Time // a whole second, UTC
	Policy   int64     // the ticket's version
	Again    bool      // accepted before, under the same key
	Schedule int64     // of a submission: revision of the gate that it was accepted under; 0 when it was accepted before

	Priority policy.Priority // of a submission, as it was accepted the first time
	Category string          // likewise
}

// MaxBulk is how many tickets one bulk command may name.
const MaxBulk = 100

// Result is what became of a bulk command on one ticket.
type Result struct {
	Number  ticket.Number
	Seq     int64          // of the command; 0: it was not accepted, and Err says why
	Decided bool           // false with Seq: accepted, and decided later
	Outcome ticket.Outcome // once decided; a refusal has its reason in it
	Err     error          // a fault: NotFound, a Conflict for a closed ticket, … ; beside Seq: the outcome can't be learned
}

// Done reports whether the command was granted.
func (r Result) Done() bool { return r.Decided && !r.Outcome.Refused && r.Err == nil }

// Receipt answers a submission. What it promises accounts for the emergencies that the ticket was accepted in.
type Receipt struct {
	Accepted
	Promises    policy.Deadlines   // as they stood at that instant; zero while an emergency stops the clocks
	Expected    policy.Deadlines   // if every emergency begins and ends as planned; zero: one has no end yet
	ResumesAt   time.Time          // when the clocks run again, as planned; zero: they run, or nothing is planned
	Emergencies []ticket.Emergency // in force at that instant
}

// PendingCommand is what somebody asked of a ticket and no step has taken yet: it is kept, and not on the timeline.
type PendingCommand struct {
	Seq  int64 // of the command, within the ticket
	Verb ticket.Verb
	At   time.Time // of acceptance
	Body string    // plain text, empty without any
}
