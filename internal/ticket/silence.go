package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// Ending is a status in which the requester's silence counts, and its cause. The zero value is none.
type Ending struct {
	Status Status `json:"status,omitempty"`
	Cause  Cause  `json:"cause,omitempty"`
}

// listening reports whether the requester has the next move.
func (t *Ticket) listening() bool {
	return t.Status == StatusWaiting || t.Status == StatusResolved
}

// Unheard reports whether the requester's silence has not begun because the mail that asks for an answer is still owed.
func (t *Ticket) Unheard() bool {
	return t.listening() && t.Asked > 0 && t.SilentSince.IsZero()
}

// asks reports whether the mail of an event is one that the ticket's present exchange with the requester depends on.
func (t *Ticket) asks(event int) bool {
	return event > 0 && t.AskedFrom <= event && event <= t.Asked && (t.listening() || t.Returned.Status != "")
}

// SilentUntil is the instant at which the requester's silence has lasted for a period; false when the period is not
// set or the silence has not begun.
func (t *Ticket) SilentUntil(period time.Duration) (time.Time, bool) {
	if period <= 0 || t.SilentSince.IsZero() {
		return time.Time{}, false
	}
	return t.SilentSince.Add(period - t.Silent), true
}

// applySilence starts the count of the requester's silence anew at every word of the desk: at the event itself if it
// owes the requester no mail, else at the delivery of its mail. Until then the silence stands still.
func (t *Ticket) applySilence(e Event, was Ending) {
	switch {
	case e.Kind == EventHandedBack:
		t.SilentSince, t.Silent, t.Nudged, t.Returned = time.Time{}, 0, false, was
	case !t.listening():
		t.SilentSince, t.Silent, t.Nudged = time.Time{}, 0, false
		if e.Status != "" || e.Kind == EventCustomerReplied {
			t.Asked, t.AskedFrom, t.Returned = 0, 0, Ending{}
		}
	case e.Status != "" || e.Answers || e.Kind == EventProgressTold || e.Kind == EventMailResent && e.Asks:
		t.SilentSince, t.Silent, t.Nudged, t.Returned = e.At, 0, false, Ending{}
		t.ask(e, was.Status != t.Status || e.Kind == EventMailResent)
	case e.Kind == EventNudged:
		t.Nudged = true
		if e.Asks {
			t.Silent += e.At.Sub(t.SilentSince)
			t.ask(e, false)
		}
	case e.Kind == EventQuestionDelivered:
		t.SilentSince = notBefore(e.Since, t.lastResumed())
		t.NotBefore = e.At // news that come late let nothing fall due in the past
	}
}

// foldAsking notes whose mail asks from here on. The first of an exchange is kept: each of its mails has to be delivered.
func (t *Ticket) ask(e Event, first bool) {
	if !e.Asks {
		t.Asked, t.AskedFrom = 0, 0
		return
	}
	if first || t.AskedFrom == 0 {
		t.AskedFrom = e.N
	}
	t.Asked, t.SilentSince = e.N, time.Time{}
}

// wentOn is when the last emergency that stopped the ticket's clocks ended; zero if none did.
func (t *Ticket) lastResumed() time.Time {
	for _, e := range slices.Backward(t.Resolution.Clock.Ledger) {
		if e.Act == policy.ActResumed && e.Reason == policy.ReasonEmergency {
			return e.At
		}
	}
	return time.Time{}
}

// Deliver records that a mail server took the mail of an event that asks the requester for an answer: silence counts
// from that instant. First everything falls due up to now, so every command accepted before must have been taken. A mail
// that no longer matters changes nothing else, nor does one whose delivery is on record.
func Deliver(t Ticket, d Desk, mail, event int, since, now time.Time) (Result, error) {
	s := &story{t: t, desk: d}
	s.advance(now)
	if s.t.Unheard() && s.t.Asked == event {
		if since.After(now) {
			since = now
		}
		s.begin(theDesk, now, 0)
		s.emit(Event{Kind: EventQuestionDelivered, Mail: mail, Since: since})
	}
	return s.result()
}

// Bounce records that a mail can't be delivered to its recipient, for agents to see. If it is the mail of an event that
// asks the requester for an answer (0: it is not), the ticket is handed back to its agent. Then everything falls due first up
// to now, so every command accepted before must have been taken; else nothing does, and events told after it
// may be of earlier instants.
func Bounce(t Ticket, d Desk, mail, event int, now time.Time) (Result, error) {
	s := &story{t: t, desk: d}
	if s.t.listening() && s.t.asks(event) {
		s.advance(now)
	}
	s.begin(theDesk, now, 0)
	s.emit(Event{Kind: EventMailBounced, Mail: mail})
	if s.t.listening() && s.t.asks(event) {
		s.handBack(mail)
	}
	return s.result()
}

// handBack opens a ticket again whose requester was asked by a mail that can't be delivered. A resolved one too: its
// requester doesn't know of the resolution, so silence can't confirm it, and left resolved with its silence
// standing still it would be lost from sight with no promise running. Sending the mail again makes it what it was.
func (s *story) handBack(mail int) {
	l := s.ledger()
	l.reopen(policy.Resolution)
	l.resume(policy.ReasonResolved)
	l.resume(policy.ReasonWaiting)
	s.emit(Event{Kind: EventHandedBack, Status: StatusOpen, Mail: mail, Clocks: l.entries})
	s.mailOwner(MailUndelivered, Moment{})
}

// Undelivered is a mail that staff want to have sent again, as a step finds it.
type Undelivered struct {
	Mail    int
	Kind    MailKind
	Person  PersonID
	Clock   policy.ClockName
	Rung    int
	Event   int  // whose answer it asks for; 0: it asks for none
	Bounced bool // or given up
	Resent  bool // as another mail, which is the one to be sent again if it bounced, too
}

// resend owes a mail again, as a new one. One that asks the requester for an answer asks again: a ticket that its bounce
// has handed back is what it was before, and silence counts from the new mail's delivery.
func (s *story) resend(c Command) *fault.Error {
	m := c.Resend
	switch {
	case m == nil:
		return fault.Refusal(CodeNoMail, "the ticket has no such mail")
	case !m.Bounced:
		return fault.Refusal(CodeNotBounced, "only a mail that could not be delivered can be sent again")
	case m.Resent:
		return fault.Refusal(CodeResent, "the mail has been sent again already, as another one")
	case m.Person == s.t.Requester && s.desk.Unmailed:
		return fault.Refusal(CodeUnmailed, "the requester's account is disabled, and no mail is sent to it")
	}
	e := Event{Kind: EventMailResent, Mail: m.Mail}
	if s.t.asks(m.Event) {
		e.Asks, e.Status, e.Cause = true, s.t.Returned.Status, s.t.Returned.Cause
		e.Clocks = s.restorePauses(e.Status)
	}
	s.emit(e)
	s.mails = append(s.mails, Mail{
		Kind: m.Kind, Event: s.t.Events, Person: m.Person, Clock: m.Clock, Rung: m.Rung, Asks: e.Asks, Resends: m.Mail,
	})
	return nil
}

// returned has the clocks stand still again for a status that a bounce had ended.
func (s *story) restorePauses(status Status) []ClockEntry {
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
