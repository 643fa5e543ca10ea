package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// History is the processing history of a ticket, which staff see beside its timeline.
type History struct {
	Commands []CommandRecord   // in order
	Mails    []Posted          // in order
	Calls    []WebhookDelivery // of webhooks, in order
}

// CommandRecord is an accepted command and its outcome.
type CommandRecord struct {
	Seq      int64
	Verb     ticket.Verb
	By       Ref // only the role is set: a manual command from Temporal UI
	At       time.Time
	Agent    *Ref            // assign: the new assignee; nil otherwise
	Priority policy.Priority // submit, reclassify; may be empty
	Category string          // likewise
	Decided  bool
	Outcome  ticket.Outcome // once decided
	Taken    time.Time      // when it was decided; zero: not yet
}

// Posted is a mail about a ticket with its delivery status.
type Posted struct {
	N        int
	Kind     ticket.MailKind
	To       Ref
	Status   DeliveryStatus
	Owed     time.Time // time of Event
	Event    int       // number of the event that caused it
	Settled  time.Time // when it was sent or given up; zero: not yet
	Deferred time.Time // when a mail server first deferred it; zero: never
	Reason   string    // of a bounce: the mail server's text, truncated
	Resends  int       // number of the bounced mail that it repeats; 0: none
	Resent   bool      // bounced, and sent again as a mail that has not bounced
	Address  string    // address it was sent to instead of the recipient's own; empty: none
}
