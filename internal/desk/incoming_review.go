package desk

import "time"

// Reasons for which a mail is in quarantine or only recorded, besides the kinds of mails that machines write.
const (
	ReasonThreat     = "threat"
	ReasonNoSender   = "no-sender"
	ReasonForged     = "sender-not-authenticated"
	ReasonAmbiguous  = "sender-ambiguous"
	ReasonBlocked    = "sender-blocked"
	ReasonOwn        = "own-address"
	ReasonEmpty      = "empty"
	ReasonRefused    = "refused"
	ReasonUnreadable = "unreadable" // it can't be read
	ReasonCrashed    = "crashed"    // the attempts to process it did not end, or failed with a defect
	ReasonSeveral    = "several-tickets"

	ReasonUnconfirmed = "sender-unconfirmed" // with a proof of someone else, in the name of a person whom nothing confirms
	ReasonNotStaff    = "answer-to-staff"    // answers a mail to staff, and is of neither staff nor the ticket

	ReasonStaff           = "staff"                    // something of staff, which a person may judge
	ReasonStaffUnproven   = "staff-unproven"           // from staff, in answer to no email that was sent to them, and not authenticated
	ReasonStaffOther      = "staff-address-of-another" // from staff, to the address at which someone else answers the requester
	ReasonStaffClosed     = "staff-ticket-closed"      // from staff, to a closed ticket
	ReasonStaffNoCustomer = "staff-no-customer"        // from staff, and forwards no email of a customer
	ReasonStaffNote       = "staff-note-refused"       // forwards an email that has become a ticket, which did not accept the note
	ReasonStaffQuotation  = "staff-quotation"          // a reply of staff with something that may be for staff alone
)

// final says why releasing a mail that is there for a reason changes nothing, and what to do instead.
var final = map[string]string{
	ReasonNoSender:        "It has no valid sender to whom a ticket could belong.",
	ReasonOwn:             "It was sent from an address of this desk.",
	ReasonUnreadable:      "It can’t be read.",
	ReasonNotStaff:        "What emails to staff are answered with is for staff alone. If it belongs to the ticket, write a note on the ticket’s page.",
	ReasonEmpty:           "It contains nothing that could be a message.",
	ReasonStaffOther:      "It was sent to the address at which someone else answers the requester. Write the reply on the ticket’s page instead.",
	ReasonStaffClosed:     "The ticket is closed, and a closed ticket gets no more messages from staff.",
	ReasonStaffNoCustomer: "Emails from staff become notes or replies only if they answer an email from this desk, and tickets only if they forward an email of a customer. Write on the website instead.",
	ReasonStaffNote:       "The customer’s email is on the ticket. If the note still matters, copy it to where it helps.",
	ReasonStaffQuotation:  "Write the reply on the ticket’s page instead.",
}

// IncomingFilter selects incoming mails, the newest first.
type IncomingFilter struct {
	Status IncomingStatus
	Before int64 // ID of the last mail of the previous page; 0: start with the newest
	Limit  int
}

// IncomingStatuses returns the statuses by which mails are listed: those that staff decide about, first.
func IncomingStatuses() []IncomingStatus {
	return []IncomingStatus{IncomingQuarantined, IncomingRecorded, IncomingAccepted, IncomingReceived, IncomingDuplicate, IncomingDeleted}
}

// Decidable reports whether staff may release or delete the mail.
func (m IncomingMail) Decidable() bool {
	return m.Status == IncomingQuarantined || m.Status == IncomingRecorded
}

// MayRelease reports whether a member of staff may release the mail. In one that can't be processed nothing may have been looked
// for, so that it is for supervisors, like one in which something was found.
func (m IncomingMail) MayRelease(by Person) bool {
	return m.Decidable() && m.Final() == "" && (by.Role.Commands() || m.Reason != ReasonThreat && m.Reason != ReasonCrashed)
}

// MayDelete reports whether the content of the mail may be deleted: no ticket shows a part of it.
func (m IncomingMail) MayDelete() bool { return m.Decidable() && m.Reason != ReasonStaffNote }

// Final returns why releasing the mail would change nothing, in sentences for staff. It is empty if releasing it may help.
func (m IncomingMail) Final() string { return final[m.Reason] }

// MailContents is what is shown of an incoming mail. Everything in it was written by its sender and may be false.
type MailContents struct {
	Subject      string
	From, To, Cc []Mailbox
	Date         time.Time // as the sender wrote it; zero: none
	Headers      string    // as they came, in valid UTF-8; truncated if they are long
	Text         string
	HTML         string // sanitized, to be shown by markup.Mail; empty: none
	Forward      bool   // it forwards another mail, as its subject says
	Files        []IncomingFile
	MoreFiles    int      // that are not listed
	Problems     []string // how malformed parts were read, or why the mail can't be
	Traits       MailTraits
}

// IncomingFile is a file of an incoming mail.
type IncomingFile struct {
	Name string // cleaned
	Type string // as the sender declared it
	Size int64  // in bytes
}

// BlockedSender is an entry of the blocklist.
type BlockedSender struct {
	Sender string // an address, or a domain with an @ before it
	By     Ref
	At     time.Time
}
