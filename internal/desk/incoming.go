package desk

import (
	"net/netip"
	"slices"
	"strings"
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

// Server returns the address of the server that delivered a mail. It is the zero address if that is not known: a mail server
// that delivers by LMTP has received the mail from another one.
func (e Envelope) Server() netip.Addr {
	if e.Source != SourceSMTP {
		return netip.Addr{}
	}
	address, _ := netip.ParseAddr(e.Client)
	return address
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
	Blob        string   // key in the blob store
	Size        int64    // bytes
	Fingerprint []byte   // SHA-256 of the content without the headers that each transport adds
	Answers     []string // while it is being stored: addresses and Message-IDs in its header that may be of a ticket
	Received    time.Time
	Status      IncomingStatus
	Attempts    int // number of attempts to process it that did not end, this one included

	Sender  string        // address in From, once read
	Subject string        // once read
	Reason  string        // quarantined, recorded: why, a stable code
	Detail  string        // the same for staff
	Ticket  ticket.Number // accepted: the ticket

	SettledBy Ref       // staff who released or deleted it; zero: none
	Settled   time.Time // when they did

	Trust       Trust  // whether the sender is believed; empty: not read yet
	TrustDetail string // for staff

	Trace string // in which it is processed, as in desk.AcceptedCommand; empty: none
}

// Released reports whether staff have decided that a person wrote the mail and that its sender is believed.
func (m IncomingMail) Released() bool { return m.SettledBy.ID != "" && m.Status != IncomingDeleted }

// ReleasedSince reports whether staff have released the mail after an instant.
func (m IncomingMail) ReleasedSince(t time.Time) bool { return m.Released() && m.Settled.After(t) }

// IncomingResult is the result of processing a mail.
type IncomingResult struct {
	Status IncomingStatus
	Reason string        // quarantined, recorded: why, a stable code
	Detail string        // the same for staff
	Ticket ticket.Number // accepted: the ticket; recorded: the ticket that it is about, if it is known

	// Author is the member of staff who is proven to have sent a mail that is quarantined, and is notified; empty: there is none.
	Author ticket.PersonID
}

// Quarantined returns the result for a mail that staff decide about.
func Quarantined(reason, detail string) IncomingResult {
	return IncomingResult{Status: IncomingQuarantined, Reason: reason, Detail: detail}
}

// Trust is whether the sender that a mail names is believed.
type Trust string

// The levels of trust.
const (
	TrustPass      Trust = "pass"      // proven by the sender's domain
	TrustFail      Trust = "fail"      // the mail fails what the sender's domain publishes about its mails
	TrustUnknown   Trust = "unknown"   // the domain publishes nothing about its mails
	TrustAmbiguous Trust = "ambiguous" // mail programs may show different senders, or there are several
)

// MailTraits is what an incoming mail is, whatever it says.
type MailTraits struct {
	Encrypted bool           // S/MIME or PGP: the words can't be read
	Signed    bool           // S/MIME or PGP: there is a signature, which was not verified
	Calendar  CalendarMethod // what its calendar asks for; empty: nothing
}

// CalendarMethod is what a calendar in a mail asks its recipient for.
type CalendarMethod string

// The methods that concern a recipient, by their names in iTIP.
const (
	CalendarRequest CalendarMethod = "request" // an invitation
	CalendarCancel  CalendarMethod = "cancel"
	CalendarReply   CalendarMethod = "reply"   // the answer to an invitation
	CalendarCounter CalendarMethod = "counter" // the proposal of another time
)

// CalendarMethods returns all of them.
func CalendarMethods() []CalendarMethod {
	return []CalendarMethod{CalendarRequest, CalendarCancel, CalendarReply, CalendarCounter}
}

// IncomingKind classifies an incoming mail by who wrote it.
type IncomingKind string

// The kinds.
const (
	KindPerson    IncomingKind = "person"
	KindAutoReply IncomingKind = "auto-reply"
	KindBounce    IncomingKind = "bounce"
	KindComplaint IncomingKind = "complaint" // a spam report
	KindList      IncomingKind = "list"      // a mailing list or a newsletter
	KindLoop      IncomingKind = "loop"      // a mail of the desk itself that came back
)

// ReadMail is an incoming mail that was read. Everything in it was written by its sender and may be false, but what Trust says.
type ReadMail struct {
	IncomingMail
	From       Mailbox // empty address: none
	Subject    string
	MessageID  string           // without angle brackets; empty: none
	References []string         // Message-IDs of In-Reply-To and References, the nearest first
	Unverified bool             // a look-up failed temporarily, so a later attempt may find what Trust is
	Addressed  []string         // addresses of the envelope and of the header fields that name recipients, in lower case
	Text       string           // the words; may be empty
	HTML       string           // likewise, not sanitized
	Files      []MailAttachment // in the order of the mail
	Problems   []string         // how malformed parts were read, for staff
	Traits     MailTraits

	Kind     IncomingKind
	Reason   string             // of Kind, for staff
	NoAnswer bool               // nothing automatic may be sent in answer
	About    []string           // bounce, complaint: Message-IDs of the mail that it is about
	Bounces  []BouncedRecipient // bounce: those whom the mail did not reach

	Threat    string // a virus or spam, as the scanner named it; empty: none
	Unscanned bool   // the mail is too large for the scanner

	Forwarded *ReadMail // the mail that this one forwards, as its sender says; nil: it forwards none
	Above     string    // what the sender wrote above a mail that is forwarded within the text
	Attached  bool      // Forwarded: it is attached to the mail, with its files; otherwise its text is within the mail's
}

// BouncedRecipient is what a bounce says about a recipient.
type BouncedRecipient struct {
	Address string // may be empty
	Hard    bool   // the address does not work, so that further mails are useless
	Reason  string // one line for staff
}

// MailAttachment is a file of an incoming mail, without its content.
type MailAttachment struct {
	Name        string // as the sender wrote it; empty: none
	Description string
	ContentID   string // without angle brackets; empty: none
	Inline      bool   // shown within the text
	Mail        bool   // it is a mail
}

// MailMessage is an incoming mail as a message.
type MailMessage struct {
	Subject     string // never empty
	BareSubject string // without "Re:" and the number of a ticket; never empty
	Body        string
	Format      Format // of Body
	HTML        string // sanitized; images of the mail have cid: URLs; empty: none
	Files       []FileID
	LeftOut     []LeftOut
	Forward     bool // the body contains a mail that is forwarded, as the subject says
	QuotesUs    bool // an answer of staff: it contains something of an email of the desk that could not be recognized as a quotation
}

// Empty reports whether a message contains nothing of its mail and leaves nothing of it out.
func (m MailMessage) Empty() bool { return m.Body == "" && len(m.Files) == 0 && len(m.LeftOut) == 0 }

// LeftOut is something of an incoming mail that is not in its message.
type LeftOut struct {
	What string `json:"what" doc:"The name of a file, for instance."`
	Why  string `json:"why"`
}

// String returns it as a line for people.
func (l LeftOut) String() string { return l.What + ": " + l.Why }

// Thread is the ticket that an incoming mail belongs to.
type Thread struct {
	Number ticket.Number
	Closed bool
	People []ticket.PersonID // the requester and the participants
	Proven bool              // the sender has a mail that was sent from here about the ticket, and it was not revoked
	Person ticket.PersonID   // to whom that mail was sent
	Public bool              // replies of staff to that mail are meant for the requester
	Alone  bool              // that mail is about a message that not all of the ticket see
	Staff  bool              // that person is staff

	Removed []ticket.PersonID // people who were participants and were removed
	Joined  int               // participants without an account who joined by an email of their own, and of whose emails nothing confirms any
	Others  []ticket.Number   // further tickets that the mail is addressed to in the same way
}

// MailCommand is the command that an incoming mail became.
type MailCommand struct {
	Ticket  ticket.Number
	Seq     int64
	Opened  bool   // the mail opened the ticket, by this command or one before
	By      Person // ID and role only
	Outcome ticket.Outcome
	Decided time.Time // zero: it has no outcome yet
}

// Answered counts what was sent automatically to the author of incoming mails.
type Answered struct {
	Sent      int // receipts within the last hour
	Exchanges int // receipts within the last day that were answered, as another desk does that doesn't say what it is
}

// MayJoin reports whether someone who is not of the ticket becomes a participant by answering: they have an email that was sent
// to one of its people, not to staff, and they were not removed before.
func (t Thread) MayJoin(id ticket.PersonID) bool {
	return t.Proven && !t.Staff && !slices.Contains(t.Removed, id)
}

// maxJoined bounds how many people without an account join a ticket by emails that nothing confirms. Someone who writes in the names of
// others has the desk send them emails.
const maxJoined = 2

// Confirms reports whether a person wrote a mail: it answers one that was sent to them, or their domain authenticates it.
func (t Thread) Confirms(m ReadMail, id ticket.PersonID) bool {
	return m.Trust == TrustPass || t.For(id)
}

// Full reports whether no more people join by emails that nothing confirms.
func (t Thread) Full() bool { return t.Joined >= maxJoined }

// For reports whether the mail that proves the thread was sent to a person.
func (t Thread) For(id ticket.PersonID) bool { return t.Proven && t.Person == id }

// Member reports whether a person is of the ticket.
func (t Thread) Member(id ticket.PersonID) bool { return slices.Contains(t.People, id) }

// SentMail is a mail about a ticket that was sent.
type SentMail struct {
	Number  ticket.Number // empty: there is none
	N       int           // within the ticket
	Person  ticket.PersonID
	Address string // that it was sent to
	Proven  bool   // its Message-ID can't be guessed
	Alone   bool   // it is about a message that not all of the ticket see
}

// FailedFor returns what a bounce says about the recipient of a sent mail. ok is false if the mail did not fail for them or, as
// anyone could forge a bounce, if it names another recipient, or none and the mail's Message-ID can be guessed.
func (m ReadMail) FailedFor(sent SentMail) (failed BouncedRecipient, ok bool) {
	if m.Kind == KindComplaint {
		return BouncedRecipient{Reason: m.Reason}, sent.Proven
	}
	for _, b := range m.Bounces {
		if strings.EqualFold(b.Address, sent.Address) || b.Address == "" && sent.Proven {
			return b, true
		}
	}
	return BouncedRecipient{}, false
}
