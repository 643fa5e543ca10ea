package ticket

import (
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// The roles and statuses that verbs share.
var (
	requester   = []Role{RoleCustomer}
	staff       = []Role{RoleAgent, RoleSupervisor, RoleAdministrator}
	staffOrHand = []Role{RoleAgent, RoleSupervisor, RoleAdministrator, RoleOperator}
	anyone      = []Role{RoleCustomer, RoleAgent, RoleSupervisor, RoleAdministrator, RoleOperator}
	command     = []Role{RoleSupervisor, RoleAdministrator, RoleOperator}

	alive      = []Status{StatusNew, StatusOpen, StatusWaiting, StatusResolved}
	unresolved = []Status{StatusNew, StatusOpen, StatusWaiting}
	idle       = []Status{StatusWaiting, StatusResolved}
	started    = Statuses()
)

// Refusal codes.
const (
	CodeClosed        = "ticket-closed"
	CodeStatus        = "wrong-status"
	CodeRole          = "not-allowed"
	CodeNothing       = "nothing-to-change"
	CodeWords         = "words-missing"
	CodeMalformed     = "malformed"
	CodeNotResolved   = "not-resolved"
	CodeUnknownVerb   = "unknown-verb"
	CodeNoAgent       = "agent-missing"
	CodeNoEmergency   = "no-emergency"
	CodeWrongCategory = "unknown-category"
	CodeTaken         = "taken"
	CodeWholeDesk     = "whole-desk" // an emergency of the whole desk is not for one ticket to have
	CodeNoPolicy      = "no-such-policy"
	CodeNoMail        = "no-such-mail"
	CodeNotBounced    = "not-bounced"
	CodeResent        = "sent-again"
	CodeUnmailed      = "requester-disabled"
	CodeLimit         = "limit-reached"
	CodeRepeated      = "repeated"
	CodeUnseen        = "unseen-words" // others have written since the writer looked
	CodeUnrecordable  = "unrecordable" // PostgreSQL, or a calendar, can't hold what would come of it
)

// decide looks the command up in the registry and does it, or says why not. Whether a customer is this ticket's requester
// is checked for every verb. What a verb's own function refuses it refuses before its first event, so a refusal leaves
// the story as it was.
func (s *story) decide(c Command) *fault.Error {
	verb, known := byVerb[c.Verb]
	switch {
	case !known:
		return fault.Refusal(CodeUnknownVerb, "there is no such command")
	case c.Malformed:
		return fault.Refusal(CodeMalformed, "what it carries can't be read")
	case c.Unrecordable:
		return fault.Refusal(CodeUnrecordable, "what would come of it can't be recorded")
	case c.Repeats > 0:
		return fault.Refusal(CodeRepeated, "it says the same as command %d, which came before the workflow was reset", c.Repeats)
	case !slices.Contains(verb.Roles, c.By.Role), c.By.Role == RoleCustomer && s.t.Requester != c.By.ID:
		return &fault.Error{Kind: fault.Forbidden, Code: CodeRole, Message: "your role may not do this"}
	case s.t.Closed() && !slices.Contains(verb.Statuses, StatusClosed):
		return fault.Refusal(CodeClosed, "the ticket is closed for good; a follow-up ticket can be linked to it")
	case !slices.Contains(verb.Statuses, s.t.Status):
		return fault.Refusal(CodeStatus, "that can't be done while the ticket is %s", s.t.Status)
	case c.Verb.NeedsWords() && c.Message == 0:
		return fault.Refusal(CodeWords, "that needs a message, and so can't be done by hand")
	}
	if unseen := s.t.Written.Unseen(c.By, c.Seen); c.Seen > 0 && unseen > 0 {
		return fault.Refusal(CodeUnseen, "somebody else has written meanwhile: entry %d of the timeline, and only those up to %d had been seen", unseen, c.Seen)
	}
	s.begin(c.By, c.At, c.Seq)
	before := len(s.events)
	refusal := verb.decide(s, c)
	s.wakeAfter(s.events[before:])
	return refusal
}

func (s *story) submit(c Command) *fault.Error {
	l := s.ledger()
	l.start(s.desk.Policy, c.Priority)
	s.emit(Event{
		Kind: EventSubmitted, Message: c.Message, Status: StatusNew,
		Priority: c.Priority, Category: c.Category, Clocks: l.entries,
	})
	s.mail(MailReceipt, s.t.Requester)
	s.assignByRule()
	return nil
}

func (s *story) assign(c Command) *fault.Error {
	if c.Assignee == "" {
		return fault.Refusal(CodeNoAgent, "there is no such agent")
	}
	if c.Assignee == s.t.Assignee {
		return fault.Refusal(CodeNothing, "the ticket is theirs already")
	}
	if c.Guarded && c.Expected != s.t.Assignee {
		return fault.Refusal(CodeTaken, "somebody else took it already")
	}
	s.emit(Event{Kind: EventAssigned, Assignee: c.Assignee, Handle: c.Handle, Status: s.opened()})
	s.mail(MailAssignment, s.t.Requester)
	if c.Assignee != c.By.ID {
		s.mail(MailAssigned, c.Assignee)
	}
	return nil
}

// opened is the status of a ticket that somebody has taken in hand: a new one is open from here on.
func (s *story) opened() Status {
	if s.t.Status == StatusNew {
		return StatusOpen
	}
	return ""
}

// take gives an unassigned ticket to whoever answers it. The answer's own mail names them.
func (s *story) take(c Command) {
	if s.t.Assignee == "" && c.By.Role.Staff() {
		s.emit(Event{Kind: EventAssigned, Assignee: c.By.ID, Handle: c.Handle, Status: s.opened()})
	}
}

func (s *story) customerReply(c Command) *fault.Error {
	was := s.t.Status
	reply := Event{Kind: EventCustomerReplied, Message: c.Message}
	if was == StatusWaiting {
		l := s.ledger()
		l.resume(policy.ReasonWaiting)
		reply.Status, reply.Clocks = StatusOpen, l.entries
	}
	s.emit(reply)
	s.mail(MailCustomerReply, s.t.Assignee)
	if was == StatusResolved {
		s.emitReopened()
	}
	return nil
}

func (s *story) agentReply(c Command) *fault.Error {
	s.take(c)
	l := s.ledger()
	l.settle(policy.FirstResponse)
	s.emit(Event{
		Kind: EventAgentReplied, Message: c.Message, Answers: true, Status: s.opened(), Asks: s.asksOn(), Clocks: l.entries,
	})
	s.mail(MailReply, s.t.Requester)
	return nil
}

func (s *story) requestInformation(c Command) *fault.Error {
	s.take(c)
	l := s.ledger()
	l.settle(policy.FirstResponse)
	l.pause(policy.ReasonWaiting)
	s.emit(Event{
		Kind: EventInformationRequested, Message: c.Message, Answers: true, Status: StatusWaiting, Asks: !s.desk.Unmailed, Clocks: l.entries,
	})
	s.mail(MailInformationRequest, s.t.Requester)
	return nil
}

func (s *story) progressUpdate(c Command) *fault.Error {
	s.emit(Event{Kind: EventProgressTold, Message: c.Message, Status: s.opened(), Asks: s.asksOn()})
	s.mail(MailProgress, s.t.Requester)
	return nil
}

// asksOn reports whether the desk's next words keep a question or a resolution open: the requester has a full period
// again to answer, from when these words reach them.
func (s *story) asksOn() bool { return s.t.listening() && !s.desk.Unmailed }

func (s *story) note(c Command) *fault.Error {
	s.emit(Event{Kind: EventNoted, Message: c.Message})
	return nil
}

func (s *story) reclassify(c Command) *fault.Error {
	e := Event{Kind: EventReclassified}
	if c.Priority != "" && !c.Priority.Valid() {
		return fault.Refusal(CodeMalformed, "there is no such priority")
	}
	if c.Category != "" && c.Category != s.t.Category {
		if !slices.Contains(s.desk.Policy.Categories, c.Category) {
			return fault.Refusal(CodeWrongCategory, "the ticket's policy has no such category")
		}
		e.Category = c.Category
	}
	if c.Priority != "" && c.Priority != s.t.Priority {
		l := s.ledger()
		l.retarget(c.Priority)
		e.Priority, e.Clocks = c.Priority, l.entries
	}
	if e.Category == "" && e.Priority == "" {
		return fault.Refusal(CodeNothing, "the ticket has that priority and category already")
	}
	s.emit(e)
	if e.Category != "" {
		s.assignByRule()
	}
	return nil
}
