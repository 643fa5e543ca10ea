package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Verb is what a command asks for. Each verb but submit is also the name of a signal of the ticket workflow.
type Verb string

// The verbs.
const (
	VerbSubmit             Verb = "submit"
	VerbAssign             Verb = "assign"
	VerbCustomerReply      Verb = "customer-reply"
	VerbAgentReply         Verb = "agent-reply"
	VerbRequestInformation Verb = "request-information"
	VerbProgressUpdate     Verb = "progress-update"
	VerbNote               Verb = "note"
	VerbReclassify         Verb = "reclassify"
	VerbResolve            Verb = "resolve"
	VerbClose              Verb = "close"
	VerbReopen             Verb = "reopen"
	VerbWithdraw           Verb = "withdraw"
	VerbAcknowledge        Verb = "acknowledge-escalation"
	VerbEmergencyPause     Verb = "emergency-pause"
	VerbEmergencyExtend    Verb = "emergency-extend"
	VerbEmergencyResume    Verb = "emergency-resume"
	VerbAdoptPolicy        Verb = "adopt-policy"
	VerbResend             Verb = "resend-mail"
	VerbSnooze             Verb = "snooze"
	VerbWake               Verb = "wake"
)

// Command is one request to do something with a ticket. Its text is stored separately, under Message.
type Command struct {
	Seq       int64 // number within the ticket, from 1 without gaps; the submission is 1
	Verb      Verb
	By        Actor
	At        time.Time // when it was accepted: whole seconds, UTC, not before the previous command
	Message   int64     // ID of the text; 0: none
	Assignee  PersonID  // assign: the new assignee
	Handle    string    // assign: their handle; a reply that assigns the ticket: the actor's
	Guarded   bool      // assign: refuse unless Expected is the assignee
	Expected  PersonID  // empty: none
	Priority  policy.Priority
	Category  string
	Emergency string         // emergency verbs: ID or name
	Extension time.Duration  // emergency-extend: by how much targets are extended; whole seconds
	Policy    int64          // adopt-policy: the version
	Adopt     *policy.Policy // adopt-policy: that version's document; nil: it does not exist
	Resend    *BouncedMail   // resend-mail: the mail; nil: it does not exist
	Until     time.Time      // snooze: when the ticket wakes
	Seen      int            // number of the last timeline entry that the sender had seen; 0: unknown
	Malformed bool           // a manual command that is malformed, and so refused
	Repeats   int64          // number of an earlier manual command with the same key, for which it is refused; 0: none

	Unrecordable bool // PostgreSQL refuses the result, so the command is refused
}
