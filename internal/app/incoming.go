package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mailReader reads incoming mails.
type mailReader interface {
	// Read reads a mail without its files. Its error is Invalid if the mail can't be read.
	Read(context.Context, desk.IncomingMail) (desk.ReadMail, error)
	// Message returns the mail as a message of a person, whose files are stored and not attached to anything yet.
	Message(ctx context.Context, m desk.ReadMail, by desk.Person) (desk.MailMessage, error)
	// Answer returns what a member of staff wrote to the requester in a mail, without what they quote.
	Answer(ctx context.Context, m desk.ReadMail, by desk.Person) (desk.MailMessage, error)
	// Forward returns the mail that a mail of staff forwards as a message of its author, and what staff wrote to it.
	Forward(ctx context.Context, m desk.ReadMail, by desk.Person) (forwarded, note desk.MailMessage, err error)
	// MayAnswer reports whether a receipt may be sent for a mail.
	MayAnswer(m desk.ReadMail, before desk.Answered) bool
}

// mailDirectory knows the people and tickets that mails are about.
type mailDirectory interface {
	// ReadIncoming records what was read of a mail. It returns for how long the sender could not be verified.
	ReadIncoming(context.Context, desk.ReadMail) (unverified time.Duration, err error)
	// Became returns the command that a mail became. found is false if it became none.
	Became(ctx context.Context, id int64) (c desk.MailCommand, found bool, err error)
	// PersonByAddress returns the person with an address, in any case, and a NotFound fault if there is none or they are
	// disabled.
	PersonByAddress(ctx context.Context, address string) (desk.Person, error)
	// EnsureContact returns the person with an address, and adds a contact if there is none.
	EnsureContact(ctx context.Context, by ticket.PersonID, name, address string) (desk.Person, error)
	// HasAccount reports whether a person has an account, unlike a contact.
	HasAccount(context.Context, ticket.PersonID) (bool, error)
	// Thread returns the ticket that a person's mail belongs to by a token in its recipients or by the Message-ID of a mail that
	// was sent to them. from is empty for an unknown sender. found is false if there is none.
	Thread(ctx context.Context, m desk.ReadMail, from ticket.PersonID) (t desk.Thread, found bool, err error)
	// FollowUp returns the open ticket of a requester that follows up on a closed one; empty: there is none.
	FollowUp(ctx context.Context, closed ticket.Number, requester ticket.PersonID) (ticket.Number, error)
	// Answered counts the receipts that a person was sent besides the one for a new ticket by a mail with a subject.
	Answered(ctx context.Context, person ticket.PersonID, subject string, arrived time.Time) (desk.Answered, error)
	// MaySubmit and MayCommand return a Limited fault if the person has opened too many tickets, or written too much, lately.
	MaySubmit(context.Context, desk.Person) error
	MayCommand(context.Context, desk.Person) error
	// StaffAuthor returns the member of staff who is proven to have sent a mail; empty: there is none.
	StaffAuthor(context.Context, desk.ReadMail) (ticket.PersonID, error)
	// Blocked returns the entry of the blocklist that an address matches, or "" if none does.
	Blocked(ctx context.Context, address string) (entry string, err error)
}

// bounceRecorder records that mails did not arrive.
type bounceRecorder interface {
	// SentMail returns the mail about a ticket that was sent with a Message-ID. Its number is empty if there is none.
	SentMail(ctx context.Context, messageID string) (desk.SentMail, error)
	// BounceMail settles a mail as bounced, if it was not before.
	BounceMail(ctx context.Context, m desk.SentMail, reason string) error
}

// reconciler signals a ticket's workflow to take a step.
type reconciler interface {
	Reconcile(ctx context.Context, n ticket.Number) error
}

// categories returns the category of new tickets by mails to an address of the desk. own is false for any other address.
type categories func(address string) (category string, own bool)

// IncomingMails turns incoming mails into tickets and messages.
type IncomingMails struct {
	reader    mailReader
	directory mailDirectory
	addresses categories
	tickets   *Tickets
	bounces   bounceRecorder
	steps     *Steps
	workflows reconciler
}

// IncomingPorts are the neighbours of IncomingMails.
type IncomingPorts struct {
	Reader    mailReader
	Directory mailDirectory
	Addresses categories
	Bounces   bounceRecorder
	Workflows reconciler
}

// NewIncomingMails returns IncomingMails that submit and reply as pages and API do.
func NewIncomingMails(p IncomingPorts, t *Tickets, s *Steps) *IncomingMails {
	return &IncomingMails{
		reader: p.Reader, directory: p.Directory, addresses: p.Addresses, bounces: p.Bounces, workflows: p.Workflows, tickets: t, steps: s,
	}
}

// Process decides what becomes of a mail. It may be called again for the same mail: what was accepted before is not accepted
// twice. A permanent fault means that the mail can't be processed.
func (s *IncomingMails) Process(ctx context.Context, stored desk.IncomingMail) (desk.IncomingResult, error) {
	m, err := s.reader.Read(ctx, stored)
	if fault.KindOf(err) == fault.Invalid {
		return desk.Quarantined(desk.ReasonUnreadable, "It can't be read: "+err.Error()+"."), nil
	}
	if err != nil {
		return desk.IncomingResult{}, err
	}
	r, err := s.process(ctx, m)
	if err == nil && r.Status == desk.IncomingQuarantined { // whom staff who released it believe to be the author proves nothing
		r.Author, err = s.directory.StaffAuthor(ctx, m)
	}
	return r, err
}

func (s *IncomingMails) process(ctx context.Context, m desk.ReadMail) (desk.IncomingResult, error) {
	unverified, err := s.directory.ReadIncoming(ctx, m)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	m.Unverified = m.Unverified && unverified < verifyPatience && !m.Released()
	if m.Released() {
		m = asReleased(m)
	}
	became, found, err := s.directory.Became(ctx, m.ID)
	switch {
	case err != nil:
		return desk.IncomingResult{}, err
	case found:
		return s.again(ctx, m, became)
	}
	return s.decide(ctx, received{ReadMail: m, unverified: unverified})
}

// While look-ups about its sender fail, a mail is tried again, after pauses that double. Then the sender counts as unknown.
const (
	verifyPatience = 15 * time.Minute
	verifyPause    = 30 * time.Second // the first one
)

// received is a mail about which nothing is decided.
type received struct {
	desk.ReadMail
	unverified time.Duration // for how long look-ups about its sender have failed
	refused    int64         // number of the command that it became last, which was refused; 0: it became none
}

// again decides about a mail that became a command before, in an attempt whose result was not recorded or of which the command was
// refused. The words on a ticket that was closed meanwhile become what they had become if they had arrived after that.
// After any other refusal staff decide: once they have released the mail, it becomes a command again.
func (s *IncomingMails) again(ctx context.Context, m desk.ReadMail, c desk.MailCommand) (desk.IncomingResult, error) {
	switch {
	case !c.Outcome.Refused && c.Seq == 1 && c.By.Role.Staff() && m.Forwarded != nil: // the note may be missing
		return s.forward(ctx, received{ReadMail: m}, c.By)
	case !c.Outcome.Refused:
		return accepted(c.Ticket), nil
	case c.Opened && c.Seq > 1:
		return noteRefused(c.Ticket, c.Outcome.Reason), nil
	}
	if c.Outcome.Code == ticket.CodeClosed || m.ReleasedSince(c.Decided) {
		return s.decide(ctx, received{ReadMail: m, refused: c.Seq})
	}
	why := c.Outcome.Reason
	if c.Outcome.Code == ticket.CodeRole {
		why = "the sender is not of the ticket any more"
	}
	r := desk.Quarantined(desk.ReasonRefused, "The ticket did not accept it: "+why+".")
	r.Ticket = c.Ticket
	return r, nil
}

// asReleased returns a mail as the staff who released it judge it: written by a person who is who they say, and harmless.
func asReleased(m desk.ReadMail) desk.ReadMail {
	m.Kind, m.Trust, m.Threat = desk.KindPerson, desk.TrustPass, ""
	return m
}

func (s *IncomingMails) decide(ctx context.Context, m received) (desk.IncomingResult, error) {
	if m.Kind == desk.KindBounce || m.Kind == desk.KindComplaint {
		r, err := s.bounce(ctx, m)
		if threat, found := threat(m); found && err == nil { // what it says is recorded, and what it contains is for supervisors
			threat.Ticket = r.Ticket
			return threat, nil
		}
		return r, err
	}
	r, stop, err := s.stop(ctx, m)
	if err != nil || stop && r.Reason != string(desk.KindAutoReply) {
		return r, err
	}
	from, err := s.directory.PersonByAddress(ctx, m.From.Address)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return desk.IncomingResult{}, err
	}
	thread, found, err := s.directory.Thread(ctx, m.ReadMail, from.ID)
	switch {
	case err != nil:
		return desk.IncomingResult{}, err
	case stop:
		if found && thread.For(from.ID) {
			r.Ticket = thread.Number
		}
		return r, nil
	case len(thread.Others) > 0 && !m.Released():
		return severalTickets(thread), nil
	case found && from.Role.Staff():
		return s.staffReply(ctx, m, from, thread)
	case from.Role.Staff():
		return s.staffSubmission(ctx, m, from)
	case found:
		return s.customerReply(ctx, m, thread)
	}
	return s.submission(ctx, m, desk.Thread{})
}

// threat returns the quarantine for a mail in which the scanner found something, or could not look.
func threat(m received) (r desk.IncomingResult, found bool) {
	switch {
	case m.Threat != "":
		return desk.Quarantined(desk.ReasonThreat, "The scanner found "+m.Threat+"."), true
	case m.Unscanned:
		return desk.Quarantined(desk.ReasonThreat, "The email is too large to be scanned."), true
	}
	return desk.IncomingResult{}, false
}

// stop reports whether a mail becomes no message, whatever ticket it may belong to.
func (s *IncomingMails) stop(ctx context.Context, m received) (desk.IncomingResult, bool, error) {
	if r, found := threat(m); found {
		return r, true, nil
	}
	if m.From.Address == "" {
		return desk.Quarantined(desk.ReasonNoSender, "The email has no valid sender."), true, nil
	}
	if _, own := s.addresses(m.From.Address); own {
		return recorded(desk.ReasonOwn, "The sender is an address of this desk."), true, nil
	}
	if !m.Released() {
		if entry, err := s.directory.Blocked(ctx, m.From.Address); err != nil || entry != "" {
			return recorded(desk.ReasonBlocked, "The blocklist contains "+entry+"."), true, err
		}
	}
	switch {
	case m.Kind != desk.KindPerson:
		return recorded(string(m.Kind), m.Reason), true, nil
	case m.Unverified:
		return desk.IncomingResult{}, true, &fault.Error{
			Kind: fault.Unavailable, Message: "what the sender's domain publishes can't be looked up at the moment", RetryAfter: max(verifyPause, m.unverified),
		}
	case m.Trust == desk.TrustAmbiguous:
		return desk.Quarantined(desk.ReasonAmbiguous, m.TrustDetail), true, nil
	case m.Trust == desk.TrustFail:
		return desk.Quarantined(desk.ReasonForged, m.TrustDetail), true, nil
	case m.Text == "" && m.HTML == "" && len(m.Files) == 0 && m.Subject == "":
		return recorded(desk.ReasonEmpty, "The email has neither subject, text nor files."), true, nil
	}
	return desk.IncomingResult{}, false, nil
}
