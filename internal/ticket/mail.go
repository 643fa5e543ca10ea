package ticket

import "github.com/holesalemart/supportdesk/internal/policy"

// MailKind names a mail that an event owes somebody. The words are rendered elsewhere, when it is sent.
type MailKind string

// To the requester.
const (
	MailReceipt            MailKind = "receipt"             // the ticket was accepted: its number and both promises
	MailAssignment         MailKind = "assignment"          // an agent now has the ticket
	MailReply              MailKind = "reply"               // an agent wrote a public answer
	MailInformationRequest MailKind = "information-request" // an agent asks for something; the ticket waits
	MailProgress           MailKind = "progress"            // an agent tells how far things are
	MailNudge              MailKind = "nudge"               // the ticket still waits for the requester
	MailResolution         MailKind = "resolution"          // resolved; says when silence will close it
	MailClosure            MailKind = "closure"             // closed for good; says how to follow up
	MailReopening          MailKind = "reopening"           // resolved before, open again
	MailPolicyChange       MailKind = "policy-change"       // another version of the policy holds, and promises other dates
)

// To staff.
const (
	MailAssigned      MailKind = "assigned"       // somebody else gave this agent the ticket, or a rule did
	MailHandedOver    MailKind = "handed-over"    // a rule gave this agent's ticket to somebody else
	MailCustomerReply MailKind = "customer-reply" // the requester wrote; to the assignee
	MailReminder      MailKind = "reminder"       // a promise falls due soon
	MailEscalation    MailKind = "escalation"     // a promise was broken; one rung of the ladder
	MailUndelivered   MailKind = "undelivered"    // the mail that asks the requester can't be delivered; the ticket is open again
)

// KindWebhook stands among what a ticket owes for a call of a webhook. It is no mail, and MailKinds lacks it.
const KindWebhook MailKind = "webhook"

// MailKinds lists every kind, requester's first.
func MailKinds() []MailKind {
	return []MailKind{
		MailReceipt, MailAssignment, MailReply, MailInformationRequest, MailProgress, MailNudge, MailResolution,
		MailClosure, MailReopening, MailPolicyChange, MailAssigned, MailHandedOver, MailCustomerReply, MailReminder, MailEscalation,
		MailUndelivered,
	}
}

// ToStaff reports whether a mail of this kind goes to people who work here.
func (k MailKind) ToStaff() bool {
	switch k {
	case MailAssigned, MailHandedOver, MailCustomerReply, MailReminder, MailEscalation, MailUndelivered:
		return true
	default:
		return false
	}
}

// Mail is an effect: a mail owed by one event to one audience. It holds no words and no address. Exactly one of
// Person, Audience and Named is set; an audience and a handle are turned into people when the event is stored.
type Mail struct {
	Kind     MailKind
	Event    int              // the timeline number of the event that owes it
	Person   PersonID         // the recipient
	Audience policy.Audience  // or everybody of this audience
	Named    string           // or whoever of the staff has this handle
	Clock    policy.ClockName // reminders and escalations: which promise
	Rung     int              // escalations: which rung, from 1
	Asks     bool             // the requester, whose silence counts from its delivery
	Resends  int              // number of the bounced mail that it is sent in place of; 0: none
}
