package app

import (
	"context"
	"errors"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// submission opens a ticket for the sender of a mail. The thread, unless it is zero, is that of a closed ticket.
func (s *IncomingMails) submission(ctx context.Context, m received, closed desk.Thread) (desk.IncomingResult, error) {
	by, err := s.sender(ctx, m, closed)
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
		HTML: message.HTML, LeftOut: message.LeftOut, Forward: message.Forward, Channel: desk.ChannelEmail,
		Incoming: m.ID, Arrived: m.Received, Quiet: !s.reader.MayAnswer(m.ReadMail, before),
		IdempotencyKey: incomingKey(m, "submit"),
	}
	if closed.Member(by.ID) {
		sub.Follows, sub.Subject = closed.Number, message.BareSubject
	}
	receipt, err := s.tickets.Submit(ctx, by, sub)
	if err != nil {
		return refused(err)
	}
	return accepted(receipt.Number), nil
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
	by, err := s.sender(ctx, m, t)
	if err != nil {
		return refused(err)
	}
	member := t.Member(by.ID)
	switch {
	case !t.Proven && m.Trust != desk.TrustPass: // anyone may have written it
		return s.submission(ctx, m, desk.Thread{})
	case !member && t.Proven && t.Staff:
		return desk.Quarantined(desk.ReasonNotStaff, "The email answers one to a member of staff, but its sender is neither staff nor of the ticket."), nil
	}
	if !member && (t.Closed || !t.MayJoin(by.ID)) {
		return s.submission(ctx, m, t)
	}
	if why, err := s.unconfirmed(ctx, t, by, member); why != "" || err != nil {
		r := desk.Quarantined(desk.ReasonUnconfirmed, why)
		r.Ticket = t.Number
		return r, err
	}
	switch {
	case t.Closed:
		return s.followUp(ctx, m, by, t)
	case !member && len(t.People) > ticket.MaxParticipants:
		return desk.Quarantined(desk.ReasonRefused, "The ticket has as many participants as it can have."), nil
	}
	r, err := s.message(ctx, m, by, t.Number, desk.Request{Verb: ticket.VerbCustomerReply, Joins: !member, Alone: t.Alone})
	if errors.Is(err, ticket.ErrClosed) { // in the meantime
		return s.followUp(ctx, m, by, t)
	}
	return r, err
}

// unconfirmed returns why the sender of a mail that answers someone else's is not believed: another person with that mail may have
// written it in the name of a member or of someone with an account, or in the names of many. It is empty if they are believed.
func (s *IncomingMails) unconfirmed(ctx context.Context, t desk.Thread, by desk.Person, member bool) (why string, err error) {
	if by.Sender == desk.SenderConfirmed {
		return "", nil
	}
	known := member
	if !member {
		if known, err = s.directory.HasAccount(ctx, by.ID); err != nil {
			return "", err
		}
	}
	switch {
	case known:
		return "The email answers one that was sent to someone else, and nothing confirms that its sender wrote it.", nil
	case t.Full():
		return "The email answers one that was sent to someone else, nothing confirms its sender, and others have joined this ticket in that way.", nil
	}
	return "", nil
}

// sender returns the customer who sent a mail, with what confirms that they wrote it.
func (s *IncomingMails) sender(ctx context.Context, m received, t desk.Thread) (desk.Person, error) {
	by, err := s.contact(ctx, m.From)
	by.Sender = desk.SenderUnconfirmed
	if t.Confirms(m.ReadMail, by.ID) {
		by.Sender = desk.SenderConfirmed
	}
	return by, err
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

// contact returns the customer with an address, and adds a contact if there is none.
func (s *IncomingMails) contact(ctx context.Context, box desk.Mailbox) (desk.Person, error) {
	return s.directory.EnsureContact(ctx, "", desk.CleanName(box.Name), box.Address)
}
