package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Verb names what a command asks for. All but submit are also the names of the workflow's signals.
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

// Command is one numbered thing asked of a ticket. Its words are stored beside it, under Message.
type Command struct {
	Seq       int64 // within the ticket, from 1 without a gap; the submission is 1
	Verb      Verb
	By        Actor
	At        time.Time // acceptance: a whole second, UTC, never before the command ahead of it
	Message   int64     // ID of the words; 0 without any
	Assignee  PersonID  // assign: who gets it
	Handle    string    // assign: their handle; a reply that takes the ticket: the actor's
	Guarded   bool      // assign: only if Expected still has the ticket
	Expected  PersonID  // empty: nobody
	Priority  policy.Priority
	Category  string
	Emergency string         // emergency verbs: which one
	Extension time.Duration  // emergency-extend: how much longer the targets become
	Policy    int64          // adopt-policy: which version
	Adopt     *policy.Policy // adopt-policy: what that version says; nil: there is none
	Resend    *BouncedMail   // resend-mail: which mail; nil: there is none
	Until     time.Time      // snooze: when the ticket wakes
	Seen      int            // the last entry of the timeline that the writer had seen; 0: they did not say
	Malformed bool           // it came by hand and can't be read: it is refused
	Repeats   int64          // it came by hand, and an earlier command has the same key: it is refused; 0: none

	Unrecordable bool // what would come of it can't be recorded: it is refused
}
