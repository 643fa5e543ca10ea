package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Mailbox is a person's name and address for a mail's header.
type Mailbox struct {
	Name    string // may be empty
	Address string // addr-spec, such as agent@example.com
}

// DeliveryStatus is the status of a mail or of a webhook call.
type DeliveryStatus string

// The delivery statuses. All but DeliveryOwed are final.
const (
	DeliveryOwed    DeliveryStatus = "owed"
	DeliverySent    DeliveryStatus = "sent"
	DeliveryBounced DeliveryStatus = "bounced"
	DeliveryFailed  DeliveryStatus = "failed" // webhooks only: given up
)

// MailData is the data of one mail about a ticket. It is loaded when the mail is sent and not stored.
type MailData struct {
	Number      ticket.Number
	N           int   // the mail's number within its ticket, from 1; the Message-ID consists of Number, N and Epoch
	Epoch       int64 // of the database when the mail was stored
	Kind        ticket.MailKind
	To          Mailbox
	Token       string // of a customer's link to the conversation, or of the link in an escalation; empty in other mails to staff
	Participant bool   // To is a participant
	Alone       bool   // the event's message is for the requester alone, or from a customer for staff alone
	Shared      bool   // the ticket has participants beside its requester
	Disabled    bool   // the recipient's account has been disabled since: nothing may be sent to them
	Instead     string // name of the original recipient, who is disabled, or a handle that no one has; empty: To is the original recipient
	MAC         string // part of the Message-ID that proves that it was made here; empty: the mail was stored before there was one

	// Thread are the earlier mails of the conversation that the recipient has, the oldest first: those to them and those that they
	// wrote. The Message-ID of a mail to someone else would prove that the recipient has that mail.
	Thread []ThreadMail

	// ReplyToken and PublicReplyToken are the tokens of the addresses at which the recipient replies. What staff write to the
	// second goes to the requester. The second is empty in mails to others.
	ReplyToken, PublicReplyToken string

	Subject   string       // the ticket's
	Body      string       // the event's message; empty: it has none
	Format    Format       // of Body
	Files     []MailFile   // of the event's message
	LeftOut   []LeftOut    // what is not in the event's message of the email that it was
	Author    string       // display name of the event's author; empty: a due event
	Signature string       // of the author, plain text; may be empty
	Quoted    Quoted       // the message that the event's answers
	At        time.Time    // of the event
	Sent      time.Time    // when the mail is sent
	Cause     ticket.Cause // closure and resolution
	Assignee  string       // display name; empty: unassigned
	Status    ticket.Status
	Priority  policy.Priority

	// The deadlines of promises not met, to a requester as returned by Promised.ForRequester. Each is zero unless it lies
	// ahead (Due), has passed (Late), or follows from the planned end of an emergency that pauses the clock (Expected).
	FirstResponseDue, FirstResponseLate time.Time
	ResolutionDue, ResolutionLate       time.Time
	Expected                            policy.Deadlines

	Silence time.Duration // nudge, information request, resolution: time from delivery to resolution or closure by silence; zero: never

	Clock          policy.ClockName // reminder and escalation
	DueAt          time.Time        // reminder and escalation: the deadline of Clock
	Since          time.Time        // escalation: start of its steps; later than DueAt by the emergencies in between
	EscalationStep int              // escalation: the step, from 1

	Policy *policy.Policy // in force for this ticket: zone, contact, privacy link, name

	Notices []Notice // of emergencies, at Sent
}

// ReplyTo is what the address says at which a person replies to a mail.
type ReplyTo struct {
	Number ticket.Number
	Person ticket.PersonID
	Public bool // what staff write to it goes to the requester; otherwise it becomes a note
	Alone  bool // the mail is about a message that not all of the ticket see
}

// Quoted is the latest message of a customer before an answer of staff. It is zero if there is none.
type Quoted struct {
	Body    string    `json:"body"`
	Format  Format    `json:"format"`  // of Body
	Forward bool      `json:"forward"` // it is a mail that forwards another one
	Author  string    `json:"author"`  // display name
	At      time.Time `json:"at"`
	Own     bool      `json:"own"` // the recipient wrote it
}

// ThreadMail is an earlier mail of a conversation: a mail about the ticket or, if ID is set, an incoming one.
type ThreadMail struct {
	N      int    `json:"n"`
	Epoch  int64  `json:"epoch"`
	Signed bool   `json:"signed"`
	MAC    string `json:"-"`
	ID     string `json:"id"` // Message-ID without angle brackets
}

// MailFile is a file of the message that a mail is about. A mail to the requester about a message of someone else has either
// its content or a link to it; any other names it only.
type MailFile struct {
	File
	Content []byte // to be attached; nil: it is not
	Token   string // of the link to the file; empty: there is none
}

// WebhookCall is the data of one call of a webhook. It has no text that people wrote.
type WebhookCall struct {
	Number  ticket.Number
	N       int    // its number among the ticket's deliveries
	Event   int    // number of the event that caused it
	Epoch   int64  // of the database when the event was recorded
	Webhook string // name in the policy

	Clock          policy.ClockName
	EscalationStep int
	Priority       policy.Priority
	Breached       time.Time // the deadline that passed
	Due            time.Time // when the escalation step was due
	Fired          time.Time // when it fired; later than Due if no worker ran
}

// WebhookDelivery is a call of a webhook with its delivery status.
type WebhookDelivery struct {
	WebhookCall
	Status   DeliveryStatus // owed, sent or failed
	Owed     time.Time
	Deferred time.Time // of the first failed attempt; zero: none
	Tries    int       // failed attempts
	Reason   string    // of the last failed attempt
	Settled  time.Time // when it was sent or given up; zero: still owed
}
