package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// message adds a mail to a ticket as a command.
func (s *IncomingMails) message(ctx context.Context, m received, by desk.Person, n ticket.Number, r desk.Request) (desk.IncomingResult, error) {
	if err := s.directory.MayCommand(ctx, by); err != nil { // before files are stored
		return desk.IncomingResult{}, err
	}
	read := s.reader.Message
	if r.Verb == ticket.VerbAgentReply {
		read = s.reader.Answer
	}
	message, err := read(ctx, m.ReadMail, by)
	if err != nil {
		return desk.IncomingResult{}, err
	}
	switch {
	case message.QuotesUs:
		return desk.Quarantined(desk.ReasonStaffQuotation, "The reply quotes an email to staff in a way that can't be distinguished from its own text, so it was not sent to the requester."), nil
	case message.Empty() && by.Role.Staff():
		return desk.Quarantined(desk.ReasonEmpty, "The email has neither text nor files of its own."), nil
	case message.Empty():
		r := recorded(desk.ReasonEmpty, "The email has neither text nor files of its own.")
		r.Ticket = n
		return r, nil
	}
	r.Number, r.IdempotencyKey = n, incomingKey(m, "reply")
	if _, err := s.tickets.Send(ctx, by, byMail(r, m, message)); err != nil {
		return refused(err)
	}
	return accepted(n), nil
}

// byMail returns a request with the message that a mail becomes.
func byMail(r desk.Request, m received, message desk.MailMessage) desk.Request {
	r.Body, r.Format, r.HTML, r.Files = message.Body, message.Format, message.HTML, message.Files
	r.LeftOut, r.Forward = message.LeftOut, message.Forward
	r.Channel, r.Incoming, r.Arrived = desk.ChannelEmail, m.ID, m.Received
	return r
}

// incomingKey returns the idempotency key of what a mail causes. After a refusal it is another one.
func incomingKey(m received, act string) desk.IdempotencyKey {
	key := fmt.Sprintf("mail-%d-%s", m.ID, act)
	if m.refused > 0 {
		key += fmt.Sprintf("-after-%d", m.refused)
	}
	return desk.IdempotencyKey{Key: key, Fingerprint: m.Fingerprint}
}

func accepted(n ticket.Number) desk.IncomingResult {
	return desk.IncomingResult{Status: desk.IncomingAccepted, Ticket: n}
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

// severalTickets returns the quarantine for a mail that is addressed to several tickets: it becomes a message of one, so that staff see
// to the others.
func severalTickets(t desk.Thread) desk.IncomingResult {
	others := make([]string, len(t.Others))
	for i, n := range t.Others {
		others[i] = string(n)
	}
	r := desk.Quarantined(desk.ReasonSeveral, fmt.Sprintf(
		"The email is addressed to several tickets. Once it is released, it is added to %s only, and not to %s.", t.Number, strings.Join(others, ", ")))
	r.Ticket = t.Number
	return r
}
