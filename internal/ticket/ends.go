package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// resolve with words is a person's public answer and so keeps the first response; without words (by hand, in
// Temporal UI) it is a change of status, which the policy does not call one.
func (s *story) resolve(c Command) *fault.Error {
	if c.Message != 0 {
		s.take(c)
	}
	s.emitResolved(CauseAgent, c.Message)
	return nil
}

func (s *story) emitResolved(cause Cause, message int64) {
	l := s.ledger()
	if message != 0 {
		l.settle(policy.FirstResponse)
	}
	l.settle(policy.Resolution)
	l.pause(policy.ReasonResolved)
	l.resume(policy.ReasonWaiting)
	s.emit(Event{
		Kind: EventResolved, Status: StatusResolved, Cause: cause,
		Message: message, Answers: message != 0, Asks: !s.desk.Unmailed, Clocks: l.entries,
	})
	s.mail(MailResolution, s.t.Requester)
}

// close ends the ticket for good. A requester may do it only to a resolved one: that confirms the resolution.
func (s *story) close(c Command) *fault.Error {
	if c.By.Role != RoleCustomer {
		s.emitClosed(CauseAgent)
		return nil
	}
	if s.t.Status != StatusResolved {
		return fault.Refusal(CodeNotResolved, "only a resolved ticket can be confirmed; this one is %s", s.t.Status)
	}
	s.emitClosed(CauseRequester)
	return nil
}

func (s *story) withdraw(Command) *fault.Error {
	s.emitClosed(CauseWithdrawn)
	return nil
}

// emitClosed settles both clocks: a promise that was neither kept nor broken by now is owed no longer.
func (s *story) emitClosed(cause Cause) {
	l := s.ledger()
	l.settle(policy.FirstResponse)
	l.settle(policy.Resolution)
	s.emit(Event{Kind: EventClosed, Status: StatusClosed, Cause: cause, Clocks: l.entries})
	s.mail(MailClosure, s.t.Requester)
}

func (s *story) reopen(Command) *fault.Error {
	s.emitReopened()
	return nil
}

func (s *story) emitReopened() {
	l := s.ledger()
	l.reopen(policy.Resolution)
	l.resume(policy.ReasonResolved)
	l.resume(policy.ReasonWaiting)
	wasResolved := s.t.Status == StatusResolved
	s.emit(Event{Kind: EventReopened, Status: StatusOpen, Clocks: l.entries})
	if wasResolved {
		s.mail(MailReopening, s.t.Requester)
	}
}

func (s *story) acknowledge(c Command) *fault.Error {
	if !s.t.FirstResponse.Escalating() && !s.t.Resolution.Escalating() {
		return fault.Refusal(CodeNothing, "there is no escalation to acknowledge")
	}
	s.emit(Event{Kind: EventAcknowledged, Message: c.Message})
	return nil
}

// emergencyPause and its like are what somebody declares by hand, on this ticket alone; the desk's own emergencies come
// through the gate.
func (s *story) emergencyPause(c Command) *fault.Error {
	if refused := s.declarable(c); refused != nil {
		return refused
	}
	if _, is := s.t.byHand(); is {
		return fault.Refusal(CodeNothing, "an emergency pauses the ticket already")
	}
	l := s.ledger()
	l.pause(policy.ReasonEmergency)
	s.emit(Event{Kind: EventPaused, Emergency: named(c.Emergency), Clocks: l.entries})
	return nil
}

// declarable refuses a name that is the desk's to give, and one that the ticket has had.
func (s *story) declarable(c Command) *fault.Error {
	if EmergencyID(c.Emergency).Valid() {
		return fault.Refusal(CodeWholeDesk, "that is the name of an emergency of the whole desk, which is not declared on one ticket")
	}
	if _, seen := s.t.stay(EmergencyID(c.Emergency)); seen && c.Emergency != handMade {
		return fault.Refusal(CodeNothing, "this emergency was declared on the ticket already")
	}
	return nil
}

// longestExtension and mostExtension, of all extensions together, keep deadlines where a calendar can reach them, and
// durations where they can be counted.
const (
	longestExtension = 366 * 24 * time.Hour
	mostExtension    = 10 * longestExtension
)

func (s *story) emergencyExtend(c Command) *fault.Error {
	if c.Extension <= 0 || c.Extension > longestExtension || c.Extension%time.Second != 0 {
		return fault.Refusal(CodeMalformed, "an extension is a positive number of whole seconds, a year at most")
	}
	if refused := s.declarable(c); refused != nil {
		return refused
	}
	if s.t.Resolution.Clock.Extension() > mostExtension-c.Extension {
		return fault.Refusal(CodeLimit, "the targets were extended by ten years already")
	}
	l := s.ledger()
	l.extend(c.Extension)
	s.emit(Event{Kind: EventExtended, Emergency: named(c.Emergency), Delay: c.Extension, Clocks: l.entries})
	return nil
}

// emergencyResume ends what was declared by hand. Clocks that the desk's emergency stops too stand still until it ends.
func (s *story) emergencyResume(c Command) *fault.Error {
	stay, is := s.t.byHand()
	switch {
	case EmergencyID(c.Emergency).Valid(), !is && s.t.Held() != "":
		return fault.Refusal(CodeWholeDesk, "an emergency of the whole desk is not ended on one ticket")
	case !is, c.Emergency != "" && EmergencyID(c.Emergency) != stay.ID:
		return fault.Refusal(CodeNoEmergency, "no such emergency pauses the ticket")
	}
	l := s.ledger()
	if !s.t.heldBeside(stay.ID) {
		l.resume(policy.ReasonEmergency)
	}
	s.emit(Event{Kind: EventResumed, Emergency: string(stay.ID), Clocks: l.entries})
	return nil
}

// handMade is the ID of an emergency that was declared by hand and without a name; each is another one.
const handMade = "by-hand"

// named gives an emergency that was declared by hand, on one ticket, an ID of its own.
func named(emergency string) string {
	if emergency == "" {
		return handMade
	}
	return emergency
}
