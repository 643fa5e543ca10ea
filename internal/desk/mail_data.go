package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Mailbox is a person's name and address, as they appear in a mail's header.
type Mailbox struct {
	Name    string // may be empty
	Address string // addr-spec, such as agent@example.com
}

// DeliveryStatus says what became of a mail, or of a call of a webhook.
type DeliveryStatus string

// The states. All but owed are final.
const (
	DeliveryOwed    DeliveryStatus = "owed"
	DeliverySent    DeliveryStatus = "sent"
	DeliveryBounced DeliveryStatus = "bounced"
	DeliveryFailed  DeliveryStatus = "failed" // of a webhook: given up
)

// MailData is everything that one mail's words are made from. It is loaded when the mail is sent and kept nowhere.
type MailData struct {
	Number   ticket.Number
	N        int   // the mail's number within its ticket, from 1; with Number and Epoch it makes the Message-ID
	Epoch    int64 // of the database when the mail was numbered
	Kind     ticket.MailKind
	To       Mailbox
	Token    string // of the link that opens the conversation to the requester, or the escalation to staff; empty in their other mails
	Disabled bool   // the recipient is let in no more since the mail was owed: nothing may be sent to them
	Instead  string // of whom the mail was for, who can't be written to: name or handle; empty when it was for whoever gets it
	Previous int    // number of the last mail of this ticket to the same person, 0 when this is the first

	PreviousEpoch, RootEpoch int64 // those of mail Previous and of mail 1

	Subject  string // the ticket's
	Body     string // the message that the event carries, plain text; empty when it carries none
	Author   string // display name of who acted; empty when the desk acted by itself
	At       time.Time
	Sent     time.Time    // what lies between At and this has passed since
	Cause    ticket.Cause // closure and resolution: who or what ended it
	Assignee string       // display name; empty when unassigned
	Status   ticket.Status
	Priority policy.Priority

	// What is owed, to a requester as they read it: see Promised.ForRequester. A deadline is due, or passed without what
	// was promised, or is expected once an emergency that stops the clock ends as planned; else it is zero.
	FirstResponseDue, FirstResponseLate time.Time
	ResolutionDue, ResolutionLate       time.Time
	Expected                            policy.Deadlines

	Silence time.Duration // nudge, information request, resolution: how long after its delivery silence ends the ticket; zero when never

	Clock          policy.ClockName // reminder and escalation: which promise
	DueAt          time.Time        // and when it falls or fell due
	Since          time.Time        // escalation: the ladder counts from here, later than DueAt by every emergency in between
	EscalationStep int              // escalation: which rung, from 1

	Policy *policy.Policy // in force for this ticket: zone, contact, privacy link, name

	Notices []Notice // of emergencies, when it is sent
}
