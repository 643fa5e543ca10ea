package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// StepStore is where steps find tickets and record what became of them.
type StepStore interface {
	// StepTx runs fn in a transaction that holds the ticket's lock, and commits it if fn returns nil. It returns a
	// NotFound fault for a ticket that does not exist, and an Unavailable one for a failure worth repeating.
	StepTx(ctx context.Context, n ticket.Number, fn func(Locked, StepTx) error) error
	// Unrecordable reports whether err says that what was to be recorded is refused and would be refused again, and
	// the reason, which quotes nothing of it.
	Unrecordable(err error) (reason string, ok bool)
	// Park notes that something of a ticket cannot be recorded.
	Park(context.Context, Parking) error
}

// Locked is a ticket as its step finds it.
type Locked struct {
	State  ticket.State // a draft before the first step
	Desk   ticket.Desk  // without rosters
	Last   int64        // number of the last command accepted
	Latest time.Time    // no command accepted and no event recorded has a later instant
	Clock  time.Time    // the store's, a whole second: what is accepted after the lock was taken is not before it
	Passed time.Time    // transitions of the emergency schedule up to here have been passed; zero: none
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
	// Write records what the step made of the ticket.
	Write(context.Context, Changes) (Written, error)
}

// commandStore holds a ticket's commands.
type commandStore interface {
	// Commands returns those after one number and up to another, in order.
	Commands(ctx context.Context, after, upTo int64) ([]ticket.Command, error)
	AcceptedAt(ctx context.Context, command int64) (time.Time, error)
	// ManualCommands returns the manual commands that have one of these keys.
	ManualCommands(ctx context.Context, keys []string) (map[string]NumberedManual, error)
	// AddManualCommands stores commands as accepted at an instant. If it fails the transaction stays usable.
	AddManualCommands(ctx context.Context, commands []ManualCommand, at time.Time) error
}

// deliveryReader knows what became of a ticket's mails and webhook calls.
type deliveryReader interface {
	// Undelivered returns a delivery that is not sent and whose failure no event records yet, and false if there is no
	// such delivery. Until the transaction ends its status stays as it is.
	Undelivered(ctx context.Context, n int) (Undelivered, bool, error)
	// AskingMail returns the mail of an event that asks the requester for an answer, and false without one.
	AskingMail(ctx context.Context, event int) (AskingMail, bool, error)
	// MailToResend returns the mail that a resend command names, and false if there is no such mail.
	MailToResend(ctx context.Context, command int64) (ticket.Undelivered, bool, error)
}

// recipientReader knows whom mails can go to.
type recipientReader interface {
	// Disabled returns those of some people whose accounts are disabled.
	Disabled(context.Context, []ticket.PersonID) (map[ticket.PersonID]Disabled, error)
	// Audience returns the people of supervisors or administrators who are not disabled, always in the same order.
	Audience(context.Context, policy.Audience) ([]ticket.PersonID, error)
	// StaffByHandle returns those of the staff who are not disabled and have one of some handles, by handle in lower case.
	StaffByHandle(ctx context.Context, handles []string) (map[string]ticket.PersonID, error)
}

// rosterReader knows who can be given tickets.
type rosterReader interface {
	// Staff returns who of the staff has this handle or ID, and a NotFound fault if there is no such person.
	Staff(ctx context.Context, handleOrID string) (ticket.PersonID, error)
	// Roster returns the members of a group who are present. No other step chooses from any roster before the
	// transaction ends.
	Roster(ctx context.Context, group string) ([]ticket.Candidate, error)
}

// ManualCommand is a command made of a signal by hand.
type ManualCommand struct {
	ticket.ByHand
	Seq      int64
	Assignee ticket.PersonID // whom ByHand.Agent names; empty: no one
	Repeats  int64           // number of an earlier command with the same key; 0: none
}

// NumberedManual is a manual command that is stored: its number, and the workflow's run that heard its signal.
type NumberedManual struct {
	Seq int64
	Run string
}

// Undelivered is a mail that cannot be delivered, or a webhook that cannot be called.
type Undelivered struct {
	Webhook string // empty: it is a mail
	Asks    int    // the event that the mail asks an answer to; 0: it asks for none
}

// AskingMail is a mail that asks the requester for an answer.
type AskingMail struct {
	N       int
	Settled time.Time // a whole second, not before its event; zero: it is still owed
	Bounced bool
}

// Disabled is a person whose account is disabled. A customer has no handle.
type Disabled struct {
	Role   ticket.Role
	Handle string
}

// Parking asks to note that something of a ticket cannot be recorded. The n-th try puts the next one off by n times
// Delay, at most MaxDelay; a step before that time counts as no try.
type Parking struct {
	Number          ticket.Number
	Reason          string
	Delay, MaxDelay time.Duration
}

// Changes is what one step made of a ticket. Without events only Last, Latest, Passed and Unpark can be set.
type Changes struct {
	Known  int      // the last delivery that the caller knows of
	Manual []string // keys of the manual commands that the step was asked for

	Was, State ticket.State
	Events     []ticket.Event
	Now        time.Time // of the step
	Shown      bool      // an event shows the requester something
	Last       int64     // number of the last command; 0: no command was added
	Latest     time.Time // see Locked
	Passed     time.Time // see Locked; zero: as before
	Unpark     bool      // nothing is parked any more

	Mails     []Mail
	Calls     []Call
	Failures  []Failure
	Decisions []Decision
	Promises  []PromiseRecord
	Turns     []Turn
}

// Written is what a step finds once its changes are recorded.
type Written struct {
	Owed   []ticket.Owed          // the first ticket.MaxOwed deliveries after Changes.Known that are owed
	Manual []ticket.ByHandOutcome // of those of Changes.Manual that are decided, now or before
}

// Mail is a mail to one person.
type Mail struct {
	ticket.Mail
	N         int
	StandsFor string // handle of whom the mail was for, if that is someone else; empty: no one
	Command   int64  // that had it sent again; 0: none
}

// Call is a call of a webhook.
type Call struct {
	ticket.Call
	N int
}

// Failure is a delivery that failed, and the event that records it.
type Failure struct{ N, Event int }

// Decision is the outcome of one command.
type Decision struct {
	Seq  int64
	Verb ticket.Verb
	ticket.Outcome
}

// PromiseRecord is a promise as reports count it.
type PromiseRecord struct {
	ticket.Ruling
	Clock   policy.ClockName
	Settled bool           // the charge recorded before stands
	Taken   *time.Duration // from the submission to the delivery; nil: not delivered
	Counted *time.Duration // of Taken, what the promise's own clock counts
}

// Turn says that a choice from a group fell on a person.
type Turn struct {
	Group  string
	Person ticket.PersonID
}
