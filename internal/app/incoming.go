package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	// Forward returns the mail that a mail of staff forwards as a message of its author, and what staff wrote to it.
	Forward(ctx context.Context, m desk.ReadMail, by desk.Person) (said, note desk.MailMessage, err error)
	// BareSubject returns the subject of a mail without "Re:" and the number of a ticket.
	BareSubject(subject string) string
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
	if err != nil {
		return desk.IncomingResult{}, err
	}
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
	if !c.Outcome.Refused && c.Seq == 1 && c.By.Role.Staff() && m.Forwarded != nil { // the note may be missing
		return s.forward(ctx, received{ReadMail: m}, c.By)
	}
	if !c.Outcome.Refused {
		message, err := s.reader.Message(ctx, m, c.By)
		return accepted(c.Ticket, message), err
	}
	if c.Outcome.Code == ticket.CodeClosed || m.Settled.After(c.Decided) {
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
		return s.bounce(ctx, m)
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
	case found && from.Role.Staff():
		return s.staffReply(ctx, m, from, thread)
	case from.Role.Staff():
		return s.staffSubmission(ctx, m, from)
	case found:
		return s.customerReply(ctx, m, thread)
	}
	return s.submission(ctx, m, desk.Thread{})
}

// stop reports whether a mail becomes no message, whatever ticket it may belong to.
func (s *IncomingMails) stop(ctx context.Context, m received) (desk.IncomingResult, bool, error) {
	switch {
	case m.Threat != "":
		return desk.Quarantined(desk.ReasonThreat, "The scanner found "+m.Threat+"."), true, nil
	case m.Unscanned:
		return desk.Quarantined(desk.ReasonThreat, "The email is too large to be scanned."), true, nil
	case m.From.Address == "":
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

// bounce records with the mails that it is about that they did not arrive. A bounce that names no mail that was sent changes
// nothing, so that a forged one does no harm.
func (s *IncomingMails) bounce(ctx context.Context, m received) (desk.IncomingResult, error) {
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
	hint := "the address itself may work"
	if failed.Hard {
		hint = "the address does not work"
	}
	reason := cmp.Or(failed.Reason, "the mail server stated no reason") + " (" + hint + ")"
	if err := s.bounces.BounceMail(ctx, sent, reason); err != nil {
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

// submission opens a ticket for the sender of a mail. The thread, unless it is zero, is that of a closed ticket.
func (s *IncomingMails) submission(ctx context.Context, m received, closed desk.Thread) (desk.IncomingResult, error) {
	by, err := s.contact(ctx, m.From)
	if err != nil {
		return refused(err)
	}
	before, err := s.directory.Answered(ctx, by.ID, m.Subject, m.Received)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	if err := s.directory.MaySubmit(ctx, by); err != nil { // before files are stored
		return desk.IncomingResult{}, err
	}
	message, err := s.reader.Message(ctx, m.ReadMail, by)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	sub := desk.Submission{
		Subject: message.Subject, Body: message.Body, Category: s.category(m), Files: message.Files,
		Channel: desk.ChannelEmail, Incoming: m.ID, Arrived: m.Received, Quiet: !s.reader.MayAnswer(m.ReadMail, before),
		IdempotencyKey: incomingKey(m, "submit"),
	}
	if closed.Member(by.ID) {
		sub.Follows, sub.Subject = closed.Number, s.reader.BareSubject(sub.Subject)
	}
	receipt, err := s.tickets.Submit(ctx, by, sub)
	if err != nil {
		return refused(err)
	}
	return accepted(receipt.Number, message), nil
}

// category returns the category of a new ticket by a mail: that of the address to which it was written, and "" for the
// policy's first.
func (s *IncomingMails) category(m received) string {
	for _, address := range m.Addressed {
		if category, own := s.addresses(address); own && category != "" {
			return category
		}
	}
	return ""
}

// customerReply adds a mail of a customer to a ticket. A sender who is not of the ticket, but answers an email from it,
// becomes a participant.
func (s *IncomingMails) customerReply(ctx context.Context, m received, t desk.Thread) (desk.IncomingResult, error) {
	by, err := s.contact(ctx, m.From)
	if err != nil {
		return refused(err)
	}
	member := t.Member(by.ID)
	switch {
	case !t.Proven && m.Trust != desk.TrustPass: // anyone may have written it
		return s.submission(ctx, m, desk.Thread{})
	case !member && t.Proven && t.Staff:
		return desk.Quarantined(desk.ReasonStaff, "The email answers one to a member of staff, but its sender is neither staff nor of the ticket."), nil
	case t.Closed && member:
		return s.followUp(ctx, m, by, t)
	case t.Closed, !member && !t.MayJoin(by.ID):
		return s.submission(ctx, m, t)
	case !member && len(t.People) > ticket.MaxParticipants:
		return desk.Quarantined(desk.ReasonRefused, "The ticket has as many participants as it can have."), nil
	}
	r, err := s.message(ctx, m, by, t.Number, desk.Request{Verb: ticket.VerbCustomerReply, Joins: !member, Alone: t.Alone})
	if errors.Is(err, ticket.ErrClosed) { // in the meantime
		return s.followUp(ctx, m, by, t)
	}
	return r, err
}

// followUp adds a mail to a closed ticket to the open one with which its sender follows up on it, or opens that.
func (s *IncomingMails) followUp(ctx context.Context, m received, by desk.Person, closed desk.Thread) (desk.IncomingResult, error) {
	n, err := s.directory.FollowUp(ctx, closed.Number, by.ID)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	if n != "" {
		r, err := s.message(ctx, m, by, n, desk.Request{Verb: ticket.VerbCustomerReply, Alone: closed.Alone})
		if !errors.Is(err, ticket.ErrClosed) {
			return r, err
		}
	}
	return s.submission(ctx, m, closed)
}

// staffReply adds a mail of an agent to a ticket: as a note, unless it was sent to their own address for public replies. It
// is theirs if it answers a mail that was sent to them, or if their domain authenticates it.
func (s *IncomingMails) staffReply(ctx context.Context, m received, from desk.Person, t desk.Thread) (desk.IncomingResult, error) {
	r := desk.Request{Verb: ticket.VerbNote}
	if t.Public {
		r.Verb, r.Alone = ticket.VerbAgentReply, t.Alone
	}
	switch {
	case !t.For(from.ID) && m.Trust != desk.TrustPass:
		return desk.Quarantined(desk.ReasonStaffUnproven, "The email is from a member of staff, but does not answer an email that was sent to them, and its sender is not authenticated."), nil
	case t.Public && !t.For(from.ID):
		return desk.Quarantined(desk.ReasonStaffUnproven, "The email is from a member of staff to the address at which someone else answers the requester, so it was not sent to the requester."), nil
	case t.Closed:
		return desk.Quarantined(desk.ReasonStaffClosed, "The email is from a member of staff, and the ticket is closed."), nil
	}
	return s.message(ctx, m, from, t.Number, r)
}

// staffSubmission opens a ticket for the customer whose mail an agent forwards.
func (s *IncomingMails) staffSubmission(ctx context.Context, m received, from desk.Person) (desk.IncomingResult, error) {
	switch {
	case m.Forwarded == nil:
		return desk.Quarantined(desk.ReasonStaffNoCustomer, "The email is from a member of staff and forwards no email of a customer."), nil
	case m.Trust != desk.TrustPass:
		return desk.Quarantined(desk.ReasonStaff, "The email forwards one of a customer, but its sender, a member of staff, is not authenticated."), nil
	}
	switch customer, err := s.directory.PersonByAddress(ctx, m.Forwarded.From.Address); {
	case err == nil && customer.Role.Staff():
		return desk.Quarantined(desk.ReasonStaffNoCustomer, "The email forwards one of a member of staff."), nil
	case err != nil && fault.KindOf(err) != fault.NotFound:
		return refused(err)
	}
	return s.forward(ctx, m, from)
}

// forward submits the mail that an agent forwards for its author, and adds what the agent wrote as a note. Done twice, it changes
// nothing.
func (s *IncomingMails) forward(ctx context.Context, m received, from desk.Person) (desk.IncomingResult, error) {
	requester, err := s.contact(ctx, m.Forwarded.From)
	if err != nil {
		return refused(err)
	}
	said, note, err := s.reader.Forward(ctx, m.ReadMail, from)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	receipt, err := s.tickets.Submit(ctx, from, desk.Submission{
		Subject: said.Subject, Body: said.Body, Category: s.category(m), Files: said.Files, Requester: desk.Whom{Person: string(requester.ID)},
		Channel: desk.ChannelEmail, Incoming: m.ID, Arrived: m.Received, IdempotencyKey: incomingKey(m, "submit"),
	})
	if err != nil {
		return refused(err)
	}
	if note.Body != "" || len(note.Files) > 0 {
		// The mail is that of the submission, so that what became of it is decided with that.
		_, err := s.tickets.Send(ctx, from, desk.Request{
			Number: receipt.Number, Verb: ticket.VerbNote, Body: note.Body, Files: note.Files, Channel: desk.ChannelEmail, Arrived: m.Received,
			IdempotencyKey: incomingKey(m, "note"),
		})
		if err != nil && !fault.KindOf(err).Permanent() {
			return desk.IncomingResult{}, err
		}
	}
	return accepted(receipt.Number, said), nil
}

// message adds a mail to a ticket as a command.
func (s *IncomingMails) message(ctx context.Context, m received, by desk.Person, n ticket.Number, r desk.Request) (desk.IncomingResult, error) {
	if err := s.directory.MayCommand(ctx, by); err != nil { // before files are stored
		return desk.IncomingResult{}, err
	}
	message, err := s.reader.Message(ctx, m.ReadMail, by)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	if r.Verb == ticket.VerbAgentReply {
		message.Body = message.Own
	}
	switch {
	case r.Verb == ticket.VerbAgentReply && message.QuotesUs:
		return desk.Quarantined(desk.ReasonStaffQuotation, "The reply quotes an email to staff in a way that can't be distinguished from its own text, so it was not sent to the requester."), nil
	case message.Body == "" && len(message.Files) == 0 && by.Role.Staff():
		return desk.Quarantined(desk.ReasonEmpty, "The email has neither text nor files of its own."), nil
	case message.Body == "" && len(message.Files) == 0:
		r := recorded(desk.ReasonEmpty, "The email has neither text nor files of its own.")
		r.Ticket = n
		return r, nil
	}
	r.Number, r.Body, r.Files, r.IdempotencyKey = n, message.Body, message.Files, incomingKey(m, "reply")
	r.Channel, r.Incoming, r.Arrived = desk.ChannelEmail, m.ID, m.Received
	if _, err := s.tickets.Send(ctx, by, r); err != nil {
		return refused(err)
	}
	return accepted(n, message), nil
}

// incomingKey returns the idempotency key of what a mail causes. After a refusal it is another one.
func incomingKey(m received, act string) desk.IdempotencyKey {
	key := fmt.Sprintf("mail-%d-%s", m.ID, act)
	if m.refused > 0 {
		key += fmt.Sprintf("-after-%d", m.refused)
	}
	return desk.IdempotencyKey{Key: key, Fingerprint: m.Fingerprint}
}

func accepted(n ticket.Number, m desk.MailMessage) desk.IncomingResult {
	return desk.IncomingResult{Status: desk.IncomingAccepted, Ticket: n, HTML: m.HTML}
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
	return desk.Quarantined(desk.ReasonRefused, "The desk did not accept it: "+err.Error()), nil
}
