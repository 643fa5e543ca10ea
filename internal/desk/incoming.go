package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MailSource is the way by which a mail arrived.
type MailSource string

// The sources.
const (
	SourceLMTP MailSource = "lmtp"
	SourceSMTP MailSource = "smtp"
	SourceIMAP MailSource = "imap"
	SourceHTTP MailSource = "http"
)

// Envelope is what is known of an incoming mail besides its content.
type Envelope struct {
	Source     MailSource
	Mailbox    string   // IMAP: the mailbox that it was read from; HTTP: the relay's name; empty otherwise
	Client     string   // network address of the SMTP client; empty: unknown
	Helo       string   // name by which the client introduced itself
	ReturnPath string   // envelope sender; empty: none, as in bounces
	Recipients []string // envelope recipients
}

// IncomingStatus is the status of an incoming mail.
type IncomingStatus string

// The statuses. A mail leaves IncomingReceived once it has been processed.
const (
	IncomingReceived    IncomingStatus = "received"    // stored, not yet processed
	IncomingAccepted    IncomingStatus = "accepted"    // became a ticket or a message
	IncomingRecorded    IncomingStatus = "recorded"    // written by a machine, or from a blocked sender: stored and not answered
	IncomingQuarantined IncomingStatus = "quarantined" // staff decide
	IncomingDuplicate   IncomingStatus = "duplicate"   // has the content of an earlier mail
	IncomingDeleted     IncomingStatus = "deleted"     // staff deleted it from the quarantine
)

// IncomingMail is a stored mail. Its content is the blob.
type IncomingMail struct {
	ID int64
	Envelope
	Blob        string // key in the blob store
	Size        int64  // bytes
	Fingerprint []byte // SHA-256 of the content without the headers that each transport adds
	Received    time.Time
	Status      IncomingStatus
	Attempts    int // number of attempts to process it that did not end, this one included

	Sender  string        // address in From, once read
	Subject string        // once read
	Reason  string        // quarantined, recorded: why, a stable code
	Detail  string        // the same for staff
	Ticket  ticket.Number // accepted: the ticket
}

// IncomingResult is the result of processing a mail.
type IncomingResult struct {
	Status  IncomingStatus
	Sender  string
	Subject string
	Reason  string
	Detail  string
	Ticket  ticket.Number
}
