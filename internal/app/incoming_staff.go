package app

import (
	"context"
	"errors"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// staffReply adds a mail of an agent to a ticket: as a note, unless it was sent to their own address for public replies. It
// is theirs if it answers a mail that was sent to them, or if their domain authenticates it.
func (s *IncomingMails) staffReply(ctx context.Context, m received, from desk.Person, t desk.Thread) (desk.IncomingResult, error) {
	r := desk.Request{Verb: ticket.VerbNote}
	if t.Public {
		r.Verb, r.Alone = ticket.VerbAgentReply, t.Alone
	}
	switch {
	case t.Public && !t.For(from.ID):
		return desk.Quarantined(desk.ReasonStaffOther, "The email is from a member of staff to the address at which someone else answers the requester, so it was not sent to the requester."), nil
	case !t.For(from.ID) && m.Trust != desk.TrustPass:
		return desk.Quarantined(desk.ReasonStaffUnproven, "The email is from a member of staff, but does not answer an email that was sent to them, and its sender is not authenticated."), nil
	case t.Closed:
		return ticketClosed(), nil
	}
	result, err := s.message(ctx, m, from, t.Number, r)
	if errors.Is(err, ticket.ErrClosed) { // in the meantime
		return ticketClosed(), nil
	}
	return result, err
}

func ticketClosed() desk.IncomingResult {
	return desk.Quarantined(desk.ReasonStaffClosed, "The email is from a member of staff, and the ticket is closed.")
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
	forwarded, note, err := s.reader.Forward(ctx, m.ReadMail, from)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	receipt, err := s.tickets.Submit(ctx, from, desk.Submission{
		Subject: forwarded.Subject, Body: forwarded.Body, Category: s.category(m), Requester: desk.Whom{Person: string(requester.ID)},
		Files: forwarded.Files, HTML: forwarded.HTML, LeftOut: forwarded.LeftOut, Forward: forwarded.Forward,
		Channel: desk.ChannelEmail, Incoming: m.ID, Arrived: m.Received, IdempotencyKey: incomingKey(m, "submit"),
	})
	if err != nil {
		return refused(err)
	}
	if note.Empty() {
		return accepted(receipt.Number), nil
	}
	r := desk.Request{Number: receipt.Number, Verb: ticket.VerbNote, IdempotencyKey: incomingKey(m, "note")}
	if _, err := s.tickets.Send(ctx, from, byMail(r, m, note)); err != nil {
		if !fault.KindOf(err).Permanent() {
			return desk.IncomingResult{}, err
		}
		return noteRefused(receipt.Number, err.Error()), nil
	}
	return accepted(receipt.Number), nil
}

// noteRefused returns the quarantine for a mail that opened a ticket, which then refused what the agent had written as a note.
func noteRefused(n ticket.Number, why string) desk.IncomingResult {
	r := desk.Quarantined(desk.ReasonStaffNote, "The email that it forwards has become a ticket, which did not accept the note: "+why+".")
	r.Ticket = n
	return r
}
