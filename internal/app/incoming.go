package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"

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
	// MayAnswer reports whether a receipt may be sent for a mail.
	MayAnswer(m desk.ReadMail, before desk.Answered) bool
}

// mailDirectory knows the people and tickets that mails are about.
type mailDirectory interface {
	// ReadIncoming records what was read of a mail.
	ReadIncoming(context.Context, desk.ReadMail) error
	// PersonByAddress returns the person with an address, in any case, and a NotFound fault if there is none or they are
	// disabled.
	PersonByAddress(ctx context.Context, address string) (desk.Person, error)
	// EnsureContact returns the person with an address, and adds a contact if there is none.
	EnsureContact(ctx context.Context, by ticket.PersonID, name, address string) (desk.Person, error)
	// Thread returns the ticket that a mail belongs to by a token in its recipients or by the Message-ID of a mail that was sent.
	// found is false if there is none.
	Thread(ctx context.Context, m desk.ReadMail) (t desk.Thread, found bool, err error)
	// Answered counts the receipts that a person was sent before the one for a new ticket by email with a subject.
	Answered(ctx context.Context, person ticket.PersonID, subject string) (desk.Answered, error)
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

// Reasons for which a mail is quarantined or only recorded.
const (
	reasonThreat   = "threat"
	reasonNoSender = "no-sender"
	reasonForged   = "sender-not-authenticated"
	reasonBlocked  = "sender-blocked"
	reasonOwn      = "own-address"
	reasonEmpty    = "empty"
	reasonRefused  = "refused"
	reasonStaff    = "staff"
)

// Process decides what becomes of a mail. It may be called again for the same mail: what was accepted before is not accepted
// twice. A permanent fault means that the mail can't be processed.
func (s *IncomingMails) Process(ctx context.Context, stored desk.IncomingMail) (desk.IncomingResult, error) {
	m, err := s.reader.Read(ctx, stored)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	if err := s.directory.ReadIncoming(ctx, m); err != nil {
		return desk.IncomingResult{}, err
	}
	if m.Released() {
		m = asReleased(m)
	}
	return s.decide(ctx, m)
}

// asReleased returns a mail as the staff who released it judge it: written by a person who is who they say, and harmless.
func asReleased(m desk.ReadMail) desk.ReadMail {
	m.Kind, m.Trust, m.Threat = desk.KindPerson, desk.TrustPass, ""
	return m
}

func (s *IncomingMails) decide(ctx context.Context, m desk.ReadMail) (desk.IncomingResult, error) {
	if m.Kind == desk.KindBounce || m.Kind == desk.KindComplaint {
		return s.bounce(ctx, m)
	}
	if r, stop, err := s.stop(ctx, m); stop || err != nil {
		return r, err
	}
	from, err := s.directory.PersonByAddress(ctx, m.From.Address)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return desk.IncomingResult{}, err
	}
	thread, found, err := s.directory.Thread(ctx, m)
	switch {
	case err != nil:
		return desk.IncomingResult{}, err
	case found && from.Role.Staff():
		return s.staffReply(ctx, m, from, thread)
	case from.Role.Staff():
		return s.staffSubmission(ctx, m)
	case found:
		return s.customerReply(ctx, m, thread)
	}
	return s.submission(ctx, m, m.From, desk.Thread{})
}

// stop reports whether a mail becomes no message, whatever ticket it may belong to.
func (s *IncomingMails) stop(ctx context.Context, m desk.ReadMail) (desk.IncomingResult, bool, error) {
	switch {
	case m.Threat != "":
		return quarantine(reasonThreat, "The scanner found "+m.Threat+"."), true, nil
	case m.From.Address == "":
		return quarantine(reasonNoSender, "The email has no valid sender."), true, nil
	}
	if _, own := s.addresses(m.From.Address); own {
		return recorded(reasonOwn, "The sender is an address of this desk."), true, nil
	}
	if !m.Released() {
		if entry, err := s.directory.Blocked(ctx, m.From.Address); err != nil || entry != "" {
			return recorded(reasonBlocked, "The blocklist contains "+entry+"."), true, err
		}
	}
	switch {
	case m.Kind != desk.KindPerson:
		return recorded(string(m.Kind), m.Reason), true, nil
	case m.Trust == desk.TrustFail:
		return quarantine(reasonForged, m.TrustDetail), true, nil
	case m.Text == "" && m.HTML == "" && len(m.Files) == 0 && m.Subject == "":
		return recorded(reasonEmpty, "The email has neither subject, text nor files."), true, nil
	}
	return desk.IncomingResult{}, false, nil
}

// bounce records with the mails that it is about that they did not arrive. A bounce that names no mail that was sent changes
// nothing, so that a forged one does no harm.
func (s *IncomingMails) bounce(ctx context.Context, m desk.ReadMail) (desk.IncomingResult, error) {
	for _, id := range m.About {
		sent, err := s.bounces.SentMail(ctx, id)
		if err != nil {
			return desk.IncomingResult{}, err
		}
		failed, is := m.FailedFor(sent)
		if sent.Number == "" || !is {
			continue
		}
		r := recorded(string(m.Kind), failed.Reason)
		r.Ticket = sent.Number
		if m.Kind == desk.KindComplaint {
			return r, nil
		}
		return r, s.recordBounce(ctx, sent, failed)
	}
	return recorded(string(m.Kind), m.Reason), nil
}

// recordBounce settles a mail as bounced and takes the step that records it, also for a closed ticket, whose workflow has
// ended. The workflow is then signaled, because its ticket has changed.
func (s *IncomingMails) recordBounce(ctx context.Context, sent desk.SentMail, failed desk.BouncedRecipient) error {
	if err := s.bounces.BounceMail(ctx, sent, cmp.Or(failed.Reason, "the mail server gave no reason")); err != nil {
		return err
	}
	if _, err := s.steps.Step(ctx, ticket.StepRequest{Number: sent.Number, Bounced: sent.N}); err != nil {
		return err
	}
	return s.workflows.Reconcile(ctx, sent.Number)
}

// contact returns the customer with an address, and adds a contact if there is none.
func (s *IncomingMails) contact(ctx context.Context, box desk.Mailbox) (desk.Person, error) {
	name := box.Name
	if !desk.ValidName(name) {
		name = ""
	}
	return s.directory.EnsureContact(ctx, "", name, box.Address)
}

// submission opens a ticket for the sender of a mail or, if an agent forwards one, of the mail in it. The thread, unless it is
// zero, is that of a closed ticket.
func (s *IncomingMails) submission(ctx context.Context, m desk.ReadMail, requester desk.Mailbox, closed desk.Thread) (desk.IncomingResult, error) {
	by, err := s.contact(ctx, requester)
	if err != nil {
		return refused(err)
	}
	before, err := s.directory.Answered(ctx, by.ID, m.Subject)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	message, err := s.reader.Message(ctx, m, by)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	sub := desk.Submission{
		Subject: message.Subject, Body: message.Body, Category: s.category(m), Files: message.Files,
		Channel: desk.ChannelEmail, Incoming: m.ID, Quiet: !s.reader.MayAnswer(m, before),
		IdempotencyKey: incomingKey(m, "submit"),
	}
	if closed.Member(by.ID) {
		sub.Follows = closed.Number
	}
	receipt, err := s.tickets.Submit(ctx, by, sub)
	if err != nil {
		return refused(err)
	}
	return accepted(receipt.Number, message), nil
}

// category returns the category of a new ticket by a mail: that of the address to which it was written, and "" for the
// policy's first.
func (s *IncomingMails) category(m desk.ReadMail) string {
	for _, address := range m.Addressed {
		if category, own := s.addresses(address); own && category != "" {
			return category
		}
	}
	return ""
}

// customerReply adds a mail of a customer to a ticket. A sender who is not of the ticket, but answers an email from it,
// becomes a participant.
func (s *IncomingMails) customerReply(ctx context.Context, m desk.ReadMail, t desk.Thread) (desk.IncomingResult, error) {
	by, err := s.contact(ctx, m.From)
	if err != nil {
		return refused(err)
	}
	member := t.Member(by.ID)
	switch {
	case !member && t.Proven && t.Staff:
		return quarantine(reasonStaff, "The email answers one to a member of staff, but its sender is neither staff nor of the ticket."), nil
	case t.Closed, !member && !t.MayJoin(by.ID):
		return s.submission(ctx, m, m.From, t)
	case !member && len(t.People) > ticket.MaxParticipants:
		return quarantine(reasonRefused, "The ticket has as many participants as it can have."), nil
	}
	r, err := s.message(ctx, m, by, t.Number, desk.Request{Verb: ticket.VerbCustomerReply, Joins: !member})
	if errors.Is(err, ticket.ErrClosed) { // in the meantime
		return s.submission(ctx, m, m.From, t)
	}
	return r, err
}

// staffReply adds a mail of an agent to a ticket: as a note, unless it was sent to the address for public replies.
func (s *IncomingMails) staffReply(ctx context.Context, m desk.ReadMail, from desk.Person, t desk.Thread) (desk.IncomingResult, error) {
	r := desk.Request{Verb: ticket.VerbNote}
	if t.Public && t.Person == from.ID {
		r.Verb = ticket.VerbAgentReply
	}
	switch {
	case !t.Proven:
		return quarantine(reasonStaff, "The email is from a member of staff, but does not answer an email that was sent from here."), nil
	case t.Closed:
		return quarantine(reasonStaff, "The email is from a member of staff, and the ticket is closed."), nil
	}
	return s.message(ctx, m, from, t.Number, r)
}

// staffSubmission opens a ticket for the customer whose mail an agent forwards.
func (s *IncomingMails) staffSubmission(ctx context.Context, m desk.ReadMail) (desk.IncomingResult, error) {
	switch {
	case m.Forwarded == nil:
		return quarantine(reasonStaff, "The email is from a member of staff and forwards no email of a customer."), nil
	case m.Trust != desk.TrustPass:
		return quarantine(reasonStaff, "The email forwards one of a customer, but its sender, a member of staff, is not authenticated."), nil
	}
	switch customer, err := s.directory.PersonByAddress(ctx, m.Forwarded.Address); {
	case err == nil && customer.Role.Staff():
		return quarantine(reasonStaff, "The email forwards one of a member of staff."), nil
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return refused(err)
	}
	return s.submission(ctx, m, *m.Forwarded, desk.Thread{})
}

// message adds a mail to a ticket as a command.
func (s *IncomingMails) message(ctx context.Context, m desk.ReadMail, by desk.Person, n ticket.Number, r desk.Request) (desk.IncomingResult, error) {
	message, err := s.reader.Message(ctx, m, by)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	switch {
	case r.Verb == ticket.VerbAgentReply && message.QuotesUs:
		return quarantine(reasonStaff, "The reply quotes an email to staff in a way that can't be distinguished from its own text, so it was not sent to the requester."), nil
	case message.Body == "" && len(message.Files) == 0 && by.Role.Staff():
		return quarantine(reasonEmpty, "The email has neither text nor files of its own."), nil
	case message.Body == "" && len(message.Files) == 0:
		r := recorded(reasonEmpty, "The email has neither text nor files of its own.")
		r.Ticket = n
		return r, nil
	}
	r.Number, r.Body, r.Files, r.IdempotencyKey = n, message.Body, message.Files, incomingKey(m, "reply")
	r.Channel, r.Incoming = desk.ChannelEmail, m.ID
	if _, err := s.tickets.Send(ctx, by, r); err != nil {
		return refused(err)
	}
	return accepted(n, message), nil
}

// incomingKey returns the idempotency key of what a mail causes.
func incomingKey(m desk.ReadMail, act string) desk.IdempotencyKey {
	return desk.IdempotencyKey{Key: fmt.Sprintf("mail-%d-%s", m.ID, act), Fingerprint: m.Fingerprint}
}

func accepted(n ticket.Number, m desk.MailMessage) desk.IncomingResult {
	return desk.IncomingResult{Status: desk.IncomingAccepted, Ticket: n, HTML: m.HTML}
}

func quarantine(reason, detail string) desk.IncomingResult {
	return desk.IncomingResult{Status: desk.IncomingQuarantined, Reason: reason, Detail: detail}
}

func recorded(reason, detail string) desk.IncomingResult {
	return desk.IncomingResult{Status: desk.IncomingRecorded, Reason: reason, Detail: detail}
}

// refused returns the quarantine for a mail of which acceptance was refused for good, and the error if it may succeed later.
// A closed ticket is an error, too: the caller opens a follow-up.
func refused(err error) (desk.IncomingResult, error) {
	if kind := fault.KindOf(err); !kind.Permanent() || errors.Is(err, ticket.ErrClosed) {
		return desk.IncomingResult{}, err
	}
	return quarantine(reasonRefused, "The desk did not accept it: "+err.Error()), nil
}
