package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// RecordDelivery records that a mail server accepted the mail that asks the requester for an answer. Silence counts from since.
// RecordDelivery first fires everything due up to now, so every command accepted before must have been decided. It records
// nothing about a mail that no longer asks or whose delivery is already recorded.
func RecordDelivery(t Ticket, env Environment, mail, event int, since, now time.Time) (Result, error) {
	s := &decider{t: t, env: env}
	s.advance(now)
	if s.t.AwaitsDelivery() && s.t.Asked == event {
		if since.After(now) {
			since = now
		}
		s.begin(deskActor, now, 0)
		s.emit(Event{Kind: EventQuestionDelivered, Mail: mail, Since: since})
	}
	return s.result()
}

// RecordBounce records that a mail could not be delivered, for staff to see. event is the event for which the mail asks the
// requester for an answer, or 0. If the ticket awaits that answer, it is handed back to its agent; RecordBounce then first fires
// everything due up to now, so every command accepted before must have been decided. Otherwise it fires nothing, and later
// events may have earlier times.
func RecordBounce(t Ticket, env Environment, mail, event int, now time.Time) (Result, error) {
	s := &decider{t: t, env: env}
	if s.t.awaitsRequester() && s.t.asksInExchange(event) {
		s.advance(now)
	}
	s.begin(deskActor, now, 0)
	s.emit(Event{Kind: EventMailBounced, Mail: mail})
	if s.t.awaitsRequester() && s.t.asksInExchange(event) {
		s.handBack(mail)
		s.wakeAfter(s.events[len(s.events)-1:])
	}
	return s.result()
}

// handBack reopens a ticket whose mail to the requester bounced, a waiting one as well as a resolved one: a requester who
// does not know of a resolution cannot confirm it by silence, and without a running clock the ticket would be forgotten.
// Resending the mail restores its status.
func (s *decider) handBack(mail int) {
	l := s.ledger()
	l.reopen(policy.Resolution)
	l.resume(policy.ReasonResolved)
	l.resume(policy.ReasonWaiting)
	s.emit(Event{Kind: EventHandedBack, Status: StatusOpen, Mail: mail, Clocks: l.entries})
	s.notifyAssignee(MailUndelivered, DueEvent{})
}

// BouncedMail is a mail that a resend command names, as the step finds it.
type BouncedMail struct {
	Mail           int
	Kind           MailKind
	Person         PersonID
	Clock          policy.ClockName
	EscalationStep int
	Event          int  // the event for which it asks the requester for an answer; 0: none
	Bounced        bool // it bounced or was given up
	Resent         bool // another mail has replaced it
}

// resend sends a bounced mail again, as a new one. If the mail asks for an answer, the ticket gets back the status that it
// had before the bounce, and silence counts from the delivery of the new mail.
func (s *decider) resend(c Command) *fault.Error {
	m := c.Resend
	switch {
	case m == nil:
		return fault.NewConflict(CodeNoMail, "the ticket has no such email")
	case !m.Bounced:
		return fault.NewConflict(CodeNotBounced, "only an email that could not be delivered can be sent again")
	case m.Resent:
		return fault.NewConflict(CodeResent, "the email has already been sent again")
	case !m.Kind.ToStaff() && !s.t.Involves(m.Person):
		return fault.NewConflict(CodeNotInvolved, "the recipient is not in the ticket any more")
	case m.Person == s.t.Requester && s.env.RequesterDisabled:
		return fault.NewConflict(CodeRequesterDisabled, "the requester's account is disabled, so no email is sent to them")
	}
	e := Event{Kind: EventMailResent, Mail: m.Mail}
	if s.t.asksInExchange(m.Event) {
		e.Asks, e.Status, e.Cause = true, s.t.BeforeBounce.Status, s.t.BeforeBounce.Cause
		e.Clocks = s.restorePauses(e.Status)
	}
	s.emit(e)
	s.mails = append(s.mails, Mail{
		Kind: m.Kind, Event: s.t.Events, Person: m.Person, Clock: m.Clock, EscalationStep: m.EscalationStep, Asks: e.Asks, Resends: m.Mail,
	})
	return nil
}

// restorePauses pauses the clocks again for the status that a bounce had ended.
func (s *decider) restorePauses(status Status) []ClockEntry {
	l := s.ledger()
	switch status {
	case StatusWaiting:
		l.pause(policy.ReasonWaiting)
	case StatusResolved:
		l.settle(policy.Resolution)
		l.pause(policy.ReasonResolved)
	}
	return l.entries
}
