package desk

import "time"

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

// MailContents is what is shown of an incoming mail. Everything in it was written by its sender and may be false.
type MailContents struct {
	From, To, Cc []Mailbox
	Date         time.Time // as the sender wrote it; zero: none
	Headers      string    // as they came, in valid UTF-8; truncated if they are long
	Text         string
	HTML         string // sanitized, to be shown by markup.Mail; empty: none
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
