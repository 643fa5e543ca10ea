package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// History is what staff may know of a ticket besides its timeline.
type History struct {
	Commands []CommandRecord   // in order
	Mails    []Posted          // in order
	Calls    []WebhookDelivery // of webhooks, in order
}

// CommandRecord is a command that was accepted, and what became of it.
type CommandRecord struct {
	Seq      int64
	Verb     ticket.Verb
	By       Ref // zero but for the role: a hand in Temporal UI
	At       time.Time
	Agent    *Ref            // assign: to whom; nil otherwise
	Priority policy.Priority // submit, reclassify; may be empty
	Category string          // likewise
	Decided  bool
	Outcome  ticket.Outcome // once decided
	Taken    time.Time      // when it was decided; zero before
}

// Posted is a mail that the ticket owed, and what became of it.
type Posted struct {
	N        int
	Kind     ticket.MailKind
	To       Ref
	Status   DeliveryStatus
	Owed     time.Time // when what it tells of happened
	Event    int       // number of the event that owes it
	Settled  time.Time // when it was sent or given up; zero before
	Deferred time.Time // when a mail server put it off first; zero: never
	Reason   string    // of a bounce: a mail server's own words, cut to length
	Resends  int       // number of the bounced mail that it was sent in place of; 0: none
	Resent   bool      // bounced, and sent again by a mail that has not bounced
	Address  string    // where it was sent instead of the recipient's own address; empty: it was not
}
