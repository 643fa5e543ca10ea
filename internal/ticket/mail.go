package ticket

import "github.com/holesalemart/supportdesk/internal/policy"

// MailKind is a kind of mail that an event causes. The text is rendered elsewhere, when the mail is sent.
type MailKind string

// To the requester. Participants receive those with a public message of staff, about a resolution and about a closure.
const (
	MailReceipt            MailKind = "receipt"             // the ticket was accepted: its number and both deadlines
	MailAssignment         MailKind = "assignment"          // the ticket was assigned to an agent
	MailReply              MailKind = "reply"               // staff replied
	MailInformationRequest MailKind = "information-request" // staff need information; the ticket waits
	MailProgress           MailKind = "progress"            // a progress update
	MailNudge              MailKind = "nudge"               // the ticket is still waiting for the requester
	MailResolution         MailKind = "resolution"          // resolved; says when the ticket closes without a reply
	MailClosure            MailKind = "closure"             // closed permanently; says how to follow up
	MailReopening          MailKind = "reopening"           // open again after it was resolved
	MailParticipantAdded   MailKind = "participant-added"   // to a new participant
	MailRequesterChanged   MailKind = "requester-changed"   // to a new requester
	MailParticipantReply   MailKind = "participant-reply"   // requester or participant wrote; to the others of them
	MailPolicyChange       MailKind = "policy-change"       // another policy version applies, with other deadlines
)

// To staff.
const (
	MailAssigned      MailKind = "assigned"       // someone else, or a rule, assigned the ticket to this agent
	MailHandedOver    MailKind = "handed-over"    // a rule assigned this agent's ticket to someone else
	MailCustomerReply MailKind = "customer-reply" // the requester wrote; to the assignee
	MailReminder      MailKind = "reminder"       // a deadline is near
	MailEscalation    MailKind = "escalation"     // an escalation step after a breach
	MailUndelivered   MailKind = "undelivered"    // the mail that asks the requester for an answer bounced; the ticket is open again
)

// KindWebhook marks a webhook call among the deliveries of a ticket. It is not a mail, and MailKinds does not list it.
const KindWebhook MailKind = "webhook"

// MailKinds returns every kind of mail, those to the requester first.
func MailKinds() []MailKind {
	return []MailKind{
		MailReceipt, MailAssignment, MailReply, MailInformationRequest, MailProgress, MailNudge, MailResolution,
		MailClosure, MailReopening, MailPolicyChange, MailParticipantAdded, MailRequesterChanged, MailParticipantReply, MailAssigned, MailHandedOver, MailCustomerReply, MailReminder, MailEscalation,
		MailUndelivered,
	}
}

// ToStaff reports whether mails of this kind go to staff.
func (k MailKind) ToStaff() bool {
	switch k {
	case MailAssigned, MailHandedOver, MailCustomerReply, MailReminder, MailEscalation, MailUndelivered:
		return true
	default:
		return false
	}
}

// Mail is a mail that an event causes. It holds neither text nor address. Exactly one of Person, Audience and Named is set;
// audiences and handles are resolved to people when the event is stored.
type Mail struct {
	Kind           MailKind
	Event          int              // number of the event
	Person         PersonID         // the recipient
	Audience       policy.Audience  // or an audience
	Named          string           // or the handle of one of the staff
	Clock          policy.ClockName // reminders and escalations: of the promise
	EscalationStep int              // escalations: number of the step, from 1
	Asks           bool             // it asks the requester for an answer: silence counts from its delivery
	Resends        int              // number of the bounced mail that it replaces; 0: none
}
