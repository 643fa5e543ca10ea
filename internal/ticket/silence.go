package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// SilenceEnding is a status in which silence counts, and its cause.
type SilenceEnding struct {
	Status Status `json:"status,omitempty"`
	Cause  Cause  `json:"cause,omitempty"`
}

// awaitsRequester reports whether the ticket awaits the requester: silence counts.
func (t *Ticket) awaitsRequester() bool {
	return t.Status == StatusWaiting || t.Status == StatusResolved
}

// AwaitsDelivery reports whether silence has not begun because the mail that asks for an answer has not been delivered.
func (t *Ticket) AwaitsDelivery() bool {
	return t.awaitsRequester() && t.Asked > 0 && t.SilentSince.IsZero()
}

// asksInExchange reports whether the mail of an event asks for the answer that the ticket currently awaits. All such mails of one
// exchange, from the question on, must be deliverable.
func (t *Ticket) asksInExchange(event int) bool {
	return event > 0 && t.AskedFrom <= event && event <= t.Asked && (t.awaitsRequester() || t.BeforeBounce.Status != "")
}

// SilentUntil returns when silence will have lasted for a period, and false if the period is not set or silence has not
// begun.
func (t *Ticket) SilentUntil(period time.Duration) (time.Time, bool) {
	if period <= 0 || t.SilentSince.IsZero() {
		return time.Time{}, false
	}
	return t.SilentSince.Add(period - t.SilenceBefore), true
}

// applySilence restarts silence with every public message of staff: at the event if no mail to the requester follows,
// otherwise at the delivery of the mail. Until then silence does not count.
func (t *Ticket) applySilence(e Event, was SilenceEnding) {
	switch {
	case e.Kind == EventHandedBack:
		t.SilentSince, t.SilenceBefore, t.Nudged, t.BeforeBounce = time.Time{}, 0, false, was
	case !t.awaitsRequester():
		t.SilentSince, t.SilenceBefore, t.Nudged = time.Time{}, 0, false
		if e.Status != "" || e.Kind == EventCustomerReplied {
			t.Asked, t.AskedFrom, t.BeforeBounce = 0, 0, SilenceEnding{}
		}
	case e.Status != "" || e.Answers || e.Kind == EventProgressUpdated || e.Kind == EventMailResent && e.Asks:
		t.SilentSince, t.SilenceBefore, t.Nudged, t.BeforeBounce = e.At, 0, false, SilenceEnding{}
		t.recordAsking(e, was.Status != t.Status || e.Kind == EventMailResent)
	case e.Kind == EventNudged:
		t.Nudged = true
		if e.Asks {
			t.SilenceBefore += e.At.Sub(t.SilentSince)
			t.recordAsking(e, false)
		}
	case e.Kind == EventQuestionDelivered:
		t.SilentSince = notBefore(e.Since, t.lastResumed())
		t.NotBefore = e.At // a delivery reported late makes nothing due in the past
	}
}

// recordAsking records the event whose mail asks for an answer, and with first that it begins an exchange.
func (t *Ticket) recordAsking(e Event, first bool) {
	if !e.Asks {
		t.Asked, t.AskedFrom = 0, 0
		return
	}
	if first || t.AskedFrom == 0 {
		t.AskedFrom = e.N
	}
	t.Asked, t.SilentSince = e.N, time.Time{}
}

// lastResumed returns when the last emergency that paused the ticket's clocks ended, and zero if there was none.
func (t *Ticket) lastResumed() time.Time {
	for _, e := range slices.Backward(t.Resolution.Clock.Ledger) {
		if e.Kind == policy.EntryResumed && e.Reason == policy.ReasonEmergency {
			return e.At
		}
	}
	return time.Time{}
}

// RecordDelivery records that a mail server accepted the mail that asks the requester for an answer. Silence counts from since.
// RecordDelivery first fires everything due up to now, so every command accepted before must have been decided. It records
// nothing about a mail that no longer asks or whose delivery is already recorded.
func RecordDelivery(t Ticket, d Environment, mail, event int, since, now time.Time) (Result, error) {
	s := &decider{t: t, env: d}
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
func RecordBounce(t Ticket, d Environment, mail, event int, now time.Time) (Result, error) {
	s := &decider{t: t, env: d}
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

// maxSnooze limits how long a ticket can be snoozed. A later instant is most likely a mistake, and would hide the ticket
// for good.
const maxSnooze = 366 * 24 * time.Hour

// snooze snoozes the ticket until an instant: it is not listed in agents' queues, but its clocks go on. For a snoozed
// ticket it changes the instant.
func (s *decider) snooze(c Command) *fault.Error {
	until := c.Until.UTC().Truncate(time.Second)
	switch {
	case !until.After(c.At) || until.After(c.At.Add(maxSnooze)):
		return fault.NewConflict(CodeMalformed, "a ticket sleeps until an instant in the future, a year ahead at most")
	case until.Equal(s.t.SnoozedUntil):
		return fault.NewConflict(CodeNothing, "the ticket is snoozed until then already")
	}
	s.emit(Event{Kind: EventSnoozed, Until: until})
	return nil
}

// wake ends the snooze of a ticket. It is a separate verb rather than a snooze until now, so that snooze can refuse an
// instant in the past as a mistake.
func (s *decider) wake(Command) *fault.Error {
	if s.t.SnoozedUntil.IsZero() {
		return fault.NewConflict(CodeNothing, "the ticket is not snoozed")
	}
	s.emit(Event{Kind: EventWoke})
	return nil
}

// wakeAfter ends the snooze of the ticket if one of the latest events wakes it.
func (s *decider) wakeAfter(events []Event) {
	if !s.t.SnoozedUntil.IsZero() && slices.ContainsFunc(events, Event.wakes) {
		s.emit(Event{Kind: EventWoke})
	}
}

// wakes reports whether an event wakes a snoozed ticket: a message of the requester, a resolution (again, if
// its mail bounced and is sent anew), or a reopening. Messages of staff and assignments don't.
func (e Event) wakes() bool {
	switch e.Kind {
	case EventCustomerReplied, EventResolved, EventReopened, EventHandedBack:
		return true
	case EventMailResent:
		return e.Status == StatusResolved
	default:
		return false
	}
}

// applySnooze sets or clears the instant at which the ticket wakes.
func (t *Ticket) applySnooze(e Event) {
	switch e.Kind {
	case EventSnoozed:
		t.SnoozedUntil = e.Until
	case EventWoke, EventClosed:
		t.SnoozedUntil = time.Time{}
	}
}
