package ticket

import (
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// resolve with a message is a public answer and meets the first response. Without one, as a manual command, it only
// changes the status.
func (s *decider) resolve(c Command) *fault.Error {
	if c.Message != 0 {
		s.assignToAnswerer(c)
	}
	s.emitResolved(CauseAgent, c.Message)
	return nil
}

func (s *decider) emitResolved(cause Cause, message int64) {
	l := s.ledger()
	if message != 0 {
		l.settle(policy.FirstResponse)
	}
	l.settle(policy.Resolution)
	l.pause(policy.ReasonResolved)
	l.resume(policy.ReasonWaiting)
	s.emit(Event{
		Kind: EventResolved, Status: StatusResolved, Cause: cause,
		Message: message, Answers: message != 0, Asks: !s.env.Unmailed, Clocks: l.entries,
	})
	s.mail(MailResolution, s.t.Requester)
}

// close closes the ticket for good. A requester can close only a resolved ticket, which confirms the resolution.
func (s *decider) close(c Command) *fault.Error {
	if c.By.Role != RoleCustomer {
		s.emitClosed(CauseAgent)
		return nil
	}
	if s.t.Status != StatusResolved {
		return fault.NewConflict(CodeNotResolved, "only a resolved ticket can be confirmed, and this one is %s", s.t.Status)
	}
	s.emitClosed(CauseRequester)
	return nil
}

func (s *decider) withdraw(Command) *fault.Error {
	s.emitClosed(CauseWithdrawn)
	return nil
}

// emitClosed settles both clocks: a promise that is still pending is cancelled.
func (s *decider) emitClosed(cause Cause) {
	l := s.ledger()
	l.settle(policy.FirstResponse)
	l.settle(policy.Resolution)
	s.emit(Event{Kind: EventClosed, Status: StatusClosed, Cause: cause, Clocks: l.entries})
	s.mail(MailClosure, s.t.Requester)
}

func (s *decider) reopen(Command) *fault.Error {
	s.emitReopened()
	return nil
}

func (s *decider) emitReopened() {
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
