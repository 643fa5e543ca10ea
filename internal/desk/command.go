package desk

import (
	"bytes"
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of input: characters of a subject, bytes of a body.
const (
	MaxSubject = 200
	MaxBody    = 64 << 10
)

// Format is what a message is written in.
type Format string

// The formats.
const (
	FormatText     Format = "text" // plain text
	FormatMarkdown Format = "markdown"
)

// Formats returns all formats.
func Formats() []Format { return []Format{FormatText, FormatMarkdown} }

// OrText returns the format, and plain text if there is none.
func (f Format) OrText() Format { return cmp.Or(f, FormatText) }

// Submission is a request for a new ticket. Its fields have been checked.
type Submission struct {
	Number         ticket.Number
	Subject        string
	Body           string
	Format         Format // of Body
	Category       string
	Priority       policy.Priority
	Order          string        // order number in the shop, may be empty
	Requester      Whom          // of staff's submissions: for whom; empty: the author
	Follows        ticket.Number // the closed ticket of which this is a follow-up, may be empty
	Files          []FileID      // uploaded before, in order
	Channel        Channel       // empty: page or API, by the person; staff may name one of EnteredChannels
	Incoming       int64         // ID of the incoming mail that it was; 0: none
	HTML           string        // of that mail, sanitized; may be empty
	LeftOut        []LeftOut     // what of that mail is not in the message
	Forward        bool          // that mail forwards another one, which its text contains
	Quiet          bool          // nothing automatic is sent in answer to it
	Arrived        time.Time     // when it arrived, if that was before it is accepted: it counts from then; zero: now
	IdempotencyKey IdempotencyKey
}

// Request is a request for a command on a ticket.
type Request struct {
	Number         ticket.Number
	Verb           ticket.Verb
	Body           string          // the message; empty where the verb has none, or if there are only files
	Format         Format          // of Body
	Files          []FileID        // of the message, uploaded before, in order
	Alone          bool            // its message is for the requester alone, not for the participants; a customer's, by email only: for staff alone
	Whom           Whom            // add-participant, remove-participant, change-requester
	Agent          string          // assign: a handle or an ID; empty: the person who asks
	Expected       *string         // assign: the assignee known to the client, a handle or an ID, empty for none; nil: any
	Priority       policy.Priority // reclassify, may be empty
	Category       string          // likewise
	Until          time.Time       // snooze
	Mail           int             // resend-mail: its number within the ticket
	Address        string          // resend-mail, to the requester only: another address; empty: the account's
	Channel        Channel         // of the message; empty: page or API, by the person
	Incoming       int64           // ID of the incoming mail that it was; 0: none
	HTML           string          // of that mail, sanitized; may be empty
	LeftOut        []LeftOut       // what of that mail is not in the message
	Forward        bool            // that mail forwards another one, which its text contains
	Arrived        time.Time       // when it arrived, if that was before it is accepted: it counts from then; zero: now
	Joins          bool            // customer-reply, by email: someone who is not of the ticket becomes a participant
	Seen           int             // number of the last timeline entry that the writer had seen; 0: unknown
	IdempotencyKey IdempotencyKey

	Lease string // of the relay in this process, which delivers the command; empty: any relay may
}

// Channel is the way by which a message came.
type Channel string

// The channels.
const (
	ChannelPage     Channel = "page"
	ChannelAPI      Channel = "api"
	ChannelEmail    Channel = "email"
	ChannelPhone    Channel = "phone"
	ChannelInPerson Channel = "in-person"
)

// EnteredChannels returns the channels of words that staff enter for a customer.
func EnteredChannels() []Channel { return []Channel{ChannelPhone, ChannelInPerson} }

// ChannelOf returns the channel of a message that a person sends: the given one or, if that is empty, page or API.
func ChannelOf(by Person, given Channel) Channel {
	switch {
	case given != "":
		return given
	case by.Token:
		return ChannelAPI
	}
	return ChannelPage
}

// Whom names a customer, who may not be known yet.
type Whom struct {
	Person string // an ID or an address
	Name   string // of a new contact; may be empty
}

// IdempotencyKey lets a client repeat a request safely. A request with the same key from the same person and the same
// fingerprint returns the first answer again; one with another fingerprint is a Conflict.
type IdempotencyKey struct {
	Key         string // empty: the request is not protected
	Fingerprint []byte // SHA-256 of the request
}

// CodeKeyReused is the code of a Conflict: an idempotency key was used before, with another request.
const CodeKeyReused = "idempotency-key-reused"

// ErrKeyReused is returned for an idempotency key that was used before, with another request. Its message is for people,
// too: a form that is sent again has the key of the first time.
var ErrKeyReused error = fault.NewConflict(CodeKeyReused,
	"this was sent before with different content, which was accepted; check the result, and send this again if it is still needed")

// Repeats returns ErrKeyReused unless the fingerprint equals that of the first request with the key.
func (o IdempotencyKey) Repeats(first []byte) error {
	if !bytes.Equal(first, o.Fingerprint) {
		return ErrKeyReused
	}
	return nil
}

// Accepted is an accepted command. It is stored, and its place among the ticket's commands and its time are fixed.
type Accepted struct {
	Number   ticket.Number
	Seq      int64
	At       time.Time // a whole second, UTC
	Policy   int64     // the ticket's policy version
	Again    bool      // accepted before, with the same key
	Schedule int64     // submissions: revision of the emergency schedule at acceptance; 0 with Again

	Priority policy.Priority // submissions: as first accepted
	Category string          // likewise

	Assignee ticket.PersonID // commands: whom it names
	Handle   string          // of Assignee
	Trace    string          // as AcceptedCommand.Trace
}

// Command returns a command as the relay delivers it, from what was requested.
func (a Accepted) Command(by Person, r Request) AcceptedCommand {
	return AcceptedCommand{Number: a.Number, Actor: by.Handle, Trace: a.Trace, Command: ticket.Command{
		Seq: a.Seq, Verb: r.Verb, By: ticket.Actor{ID: by.ID, Role: by.Role}, At: a.At,
		Priority: r.Priority, Category: r.Category, Assignee: a.Assignee, Handle: a.Handle,
	}}
}

// MaxBulk is the maximum number of tickets in one bulk command.
const MaxBulk = 100

// Result is the result of a bulk command for one ticket.
type Result struct {
	Number  ticket.Number
	Seq     int64          // of the command; 0: it was not accepted, for the reason in Err
	Decided bool           // false with Seq: accepted, and decided later
	Outcome ticket.Outcome // once decided; includes the reason of a refusal
	Err     error          // a fault: NotFound, a Conflict for a closed ticket, … ; with Seq: the outcome is unknown
}

// Done reports whether the command was granted.
func (r Result) Done() bool { return r.Decided && !r.Outcome.Refused && r.Err == nil }

// Receipt is the answer to a submission. Its deadlines account for the emergencies in force at acceptance.
type Receipt struct {
	Accepted
	Promises    policy.Deadlines   // at acceptance; zero while an emergency pauses the clocks
	Expected    policy.Deadlines   // if every emergency starts and ends as planned; zero: one has no planned end
	ResumesAt   time.Time          // planned end of the pause; zero: the clocks run, or no end is planned
	Emergencies []ticket.Emergency // in force at acceptance
}

// PendingCommand is a command that was accepted and not yet decided, so it is not on the timeline.
type PendingCommand struct {
	Seq    int64 // of the command, within the ticket
	Verb   ticket.Verb
	At     time.Time // of acceptance
	Body   string    // empty without any
	Format Format    // of Body
	Files  []File    `db:"-"`
}

// AcceptedCommand is an accepted command of which the relay has not signaled the ticket's workflow yet.
type AcceptedCommand struct {
	Number  ticket.Number
	Command ticket.Command
	Actor   string // handle of the command's author; empty for customers
	Trace   string // W3C traceparent of the span in which it was accepted; empty: none

	Expected *ticket.Digest // of a submitted ticket after its first step; nil: not known
}

// SavedForm is a submitted form that is saved while its author signs in again.
type SavedForm struct {
	Person  ticket.PersonID // the author
	Page    string          // path and query of the page with the form
	Action  string          // path that it was sent to
	Fields  url.Values      // without passwords
	SavedAt time.Time
}

// CommandLine is the source of requests that an operator makes with the program itself.
const CommandLine = "command line"

const maxAgent = 200 // characters

// Origin is the origin of a request, for the log of security events.
type Origin struct {
	Source string // network address, or CommandLine
	Agent  string // the User-Agent header, truncated
}

type originKey struct{}

// WithOrigin returns a context that carries the origin of a request. It removes unprintable characters from agent.
func WithOrigin(ctx context.Context, source, agent string) context.Context {
	printed := []rune(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, agent))
	return context.WithValue(ctx, originKey{}, Origin{Source: source, Agent: string(printed[:min(len(printed), maxAgent)])})
}

// OriginOf returns the origin that a context carries. Without one, there is no HTTP request and its source is CommandLine.
func OriginOf(ctx context.Context) Origin {
	if o, ok := ctx.Value(originKey{}).(Origin); ok {
		return o
	}
	return Origin{Source: CommandLine}
}
