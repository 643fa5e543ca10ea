package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// StepStore holds tickets and records steps of them.
type StepStore interface {
	// StepTx runs fn in a transaction that holds the ticket's lock, and commits it if fn returns nil. It returns a
	// NotFound fault for a ticket that does not exist, and an Unavailable one for a failure worth repeating.
	StepTx(ctx context.Context, n ticket.Number, fn func(LockedTicket, StepTx) error) error
	// Unrecordable reports whether err means that a change is refused and would be refused again. The reason quotes nothing
	// of the change.
	Unrecordable(err error) (reason string, ok bool)
	// Park records that a due event or a transition of a ticket cannot be recorded.
	Park(context.Context, ParkRequest) error
}

// LockedTicket is a locked ticket at the beginning of a step.
type LockedTicket struct {
	State  ticket.State       // a draft before the first step
	Env    ticket.Environment // without rosters
	Last   int64              // number of the last command accepted
	Latest time.Time          // no command accepted and no event recorded has a later instant
	Clock  time.Time          // of the store, a whole second; commands accepted after the lock was taken are not before it
	Passed time.Time          // transitions up to here have been applied; zero: none
	Parked *ticket.Parked
}

// StepTx is the transaction of one step.
type StepTx interface {
	commandStore
	deliveryReader
	recipientReader
	rosterReader

	// Policy returns a NotFound fault for a version that does not exist.
	Policy(ctx context.Context, version int64) (*policy.Policy, error)
	// Write records the changes of the step and commits them. Nothing can follow it.
	Write(context.Context, StepChanges) (WriteResult, error)
}

// commandStore holds a ticket's commands.
type commandStore interface {
	// Commands returns the commands in (after, upTo], in order.
	Commands(ctx context.Context, after, upTo int64) ([]ticket.Command, error)
	AcceptedAt(ctx context.Context, command int64) (time.Time, error)
	// WaitingMail returns when the first incoming mail to the ticket arrived that is not processed yet, a whole second. waits is
	// false if there is none. A mail that can't be processed for long does not count any more.
	WaitingMail(context.Context) (arrived time.Time, waits bool, err error)
	// ManualCommands returns the manual commands with one of some keys, by key.
	ManualCommands(ctx context.Context, keys []string) (map[string]StoredManualCommand, error)
	// AddManualCommands stores commands as accepted at an instant. The transaction remains usable if it fails.
	AddManualCommands(ctx context.Context, commands []ManualCommand, at time.Time) error
}

// deliveryReader reads the deliveries of a ticket.
type deliveryReader interface {
	// FailedDelivery returns an unsent delivery whose failure no event has recorded, and false if there is none. It locks the
	// delivery's status until the transaction ends.
	FailedDelivery(ctx context.Context, n int) (FailedDelivery, bool, error)
	// AskingMail returns the mail of an event that asks the requester for an answer, and false if there is none.
	AskingMail(ctx context.Context, event int) (AskingMail, bool, error)
	// MailToResend returns the mail that a resend command names, and false if there is none.
	MailToResend(ctx context.Context, command int64) (ticket.BouncedMail, bool, error)
}

// recipientReader reads possible recipients of mails.
type recipientReader interface {
	// Disabled returns those of some people whose accounts are disabled.
	Disabled(context.Context, []ticket.PersonID) (map[ticket.PersonID]Disabled, error)
	// Audience returns the supervisors or administrators who are not disabled, always in the same order.
	Audience(context.Context, policy.Audience) ([]ticket.PersonID, error)
	// StaffByHandle returns the staff with one of some handles who are not disabled, by handle in lower case.
	StaffByHandle(ctx context.Context, handles []string) (map[string]ticket.PersonID, error)
}

// rosterReader reads to whom tickets can be assigned.
type rosterReader interface {
	// Staff returns the member of the staff with a handle or an ID, and a NotFound fault if there is none.
	Staff(ctx context.Context, handleOrID string) (ticket.PersonID, error)
	// Roster returns the available members of a group. It locks all rosters against other steps until the transaction ends.
	Roster(ctx context.Context, group string) ([]ticket.Candidate, error)
}

// ManualCommand is a manual command with its number.
type ManualCommand struct {
	ticket.ManualCommand
	Seq      int64
	Assignee ticket.PersonID // named by Agent; empty: none
	Repeats  int64           // number of an earlier command with the same key; 0: none
}

// StoredManualCommand is a stored manual command: its number and the workflow run that received it.
type StoredManualCommand struct {
	Seq int64
	Run string
}

// FailedDelivery is a mail that cannot be delivered, or a webhook that cannot be called.
type FailedDelivery struct {
	Webhook string // empty: it is a mail
	Asks    int    // the event for which the mail asks for an answer; 0: none
}

// AskingMail is a mail that asks the requester for an answer.
type AskingMail struct {
	N       int
	Settled time.Time // when it was sent or given up, a whole second and not before its event; zero: still owed
	Bounced bool
}

// Disabled is a person whose account is disabled. A customer has no handle.
type Disabled struct {
	Role   ticket.Role
	Handle string
}

// ParkRequest asks to record that a due event or a transition of a ticket cannot be recorded. The n-th attempt delays the next
// by n times Delay, at most MaxDelay. A step before that time does not count as an attempt.
type ParkRequest struct {
	Number          ticket.Number
	Reason          string
	Delay, MaxDelay time.Duration
}

// StepChanges are the changes of a step. Without events only Last, Latest, Passed and Unpark can be set.
type StepChanges struct {
	Known  int      // the last delivery that the caller knows of
	Manual []string // keys of the manual commands in the request

	Was, State ticket.State
	Events     []ticket.Event
	Now        time.Time // of the step
	Shown      bool      // an event changes what the requester sees
	Last       int64     // number of the last command; 0: no command was added
	Latest     time.Time // see LockedTicket
	Passed     time.Time // see LockedTicket; zero: unchanged
	Unpark     bool      // nothing is parked any longer

	Mails     []Mail
	Calls     []Call
	Failures  []DeliveryFailure
	Decisions []Decision
	Promises  []PromiseRecord
	Turns     []RotationTurn
}

// WriteResult is what Write returns.
type WriteResult struct {
	Owed   []ticket.Owed          // the first ticket.MaxOwed deliveries after StepChanges.Known that are owed
	Manual []ticket.ManualOutcome // of the decided ones of StepChanges.Manual
}

// Mail is a mail to one person.
type Mail struct {
	ticket.Mail
	N         int
	StandsFor string // handle of the original recipient, if it goes to someone else instead
	Command   int64  // the command that had it sent again; 0: none
}

// Call is a call of a webhook.
type Call struct {
	ticket.WebhookCall
	N int
}

// DeliveryFailure is a delivery that failed, and the event that records it.
type DeliveryFailure struct{ N, Event int }

// Decision is the outcome of one command.
type Decision struct {
	Seq  int64
	Verb ticket.Verb
	ticket.Outcome
}

// PromiseRecord is the SLA record of a promise, to be stored for reports.
type PromiseRecord struct {
	ticket.SLARecord
	Clock   policy.ClockName
	Settled bool           // the charge recorded before stands
	Taken   *time.Duration // from the submission until it was met; nil: not met
	Counted *time.Duration // the part of Taken that the promise's clock counts
}

// RotationTurn records that a rule chose a person from a group.
type RotationTurn struct {
	Group  string
	Person ticket.PersonID
}
