package ticket

import (
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// The roles and statuses that verbs share.
var (
	customers        = []Role{RoleCustomer}
	customersOrStaff = []Role{RoleCustomer, RoleAgent, RoleSupervisor, RoleAdministrator}
	staff            = []Role{RoleAgent, RoleSupervisor, RoleAdministrator}
	staffOrOperator  = []Role{RoleAgent, RoleSupervisor, RoleAdministrator, RoleOperator}
	anyone           = []Role{RoleCustomer, RoleAgent, RoleSupervisor, RoleAdministrator, RoleOperator}
	supervisors      = []Role{RoleSupervisor, RoleAdministrator, RoleOperator}

	unclosed   = []Status{StatusNew, StatusOpen, StatusWaiting, StatusResolved}
	unresolved = []Status{StatusNew, StatusOpen, StatusWaiting}
	idle       = []Status{StatusWaiting, StatusResolved}
	anyStatus  = Statuses()
)

// Refusal codes.
const (
	CodeClosed              = "ticket-closed"
	CodeStatus              = "wrong-status"
	CodeRole                = "not-allowed"
	CodeNothing             = "nothing-to-change"
	CodeBodyMissing         = "message-missing"
	CodeMalformed           = "malformed"
	CodeNotResolved         = "not-resolved"
	CodeUnknownVerb         = "unknown-verb"
	CodeNoAgent             = "agent-missing"
	CodeNoEmergency         = "no-emergency"
	CodeWrongCategory       = "unknown-category"
	CodeTaken               = "taken"
	CodeWholeDesk           = "whole-desk" // a desk-wide emergency cannot be changed on a single ticket
	CodeNoPolicy            = "no-such-policy"
	CodeNoMail              = "no-such-mail"
	CodeNotBounced          = "not-bounced"
	CodeResent              = "sent-again"
	CodeRequesterDisabled   = "requester-disabled"
	CodeLimit               = "limit-reached"
	CodeRepeated            = "repeated"
	CodeUnseen              = "unseen-messages" // there are messages that the sender had not seen
	CodeNoPerson            = "person-missing"
	CodeTooManyParticipants = "too-many-participants"
	CodeIsRequester         = "is-requester" // the requester can neither be removed nor leave
	CodeNotInvolved         = "not-involved" // the recipient is not in the ticket any more
	CodeUnrecordable        = "unrecordable" // PostgreSQL refuses the result, or no calendar reaches it
)

// The refusals that acceptance shares with the step.
var (
	ErrRole   = &fault.Error{Kind: fault.Forbidden, Code: CodeRole, Message: "you don't have permission to do this"}
	ErrClosed = fault.NewConflict(CodeClosed, "the ticket is closed permanently; a follow-up ticket can be linked to it")
)

// mayUse reports whether a customer is of the ticket and may use a verb on it, joins with the command, or takes the place of
// a contact who is.
func (s *decider) mayUse(verb Definition, c Command) bool {
	return s.t.Requester == c.By.ID || !verb.RequesterOnly && (s.t.Involves(c.By.ID) || c.joins() || c.Verb == VerbMergePerson && c.Person == c.By.ID)
}

// joins reports whether the author of a reply, who has an email from the ticket, becomes a participant with it.
func (c Command) joins() bool {
	return c.Verb == VerbCustomerReply && c.Person == c.By.ID && c.Person != ""
}

// decide carries out a command or returns why it is refused. For every verb it checks that a customer is the ticket's
// requester, or a participant if the verb is not for the requester only. A verb's own function must refuse before it emits an event, so that a refusal changes nothing.
func (s *decider) decide(c Command) *fault.Error {
	verb, known := byVerb[c.Verb]
	switch {
	case !known:
		return fault.NewConflict(CodeUnknownVerb, "this command does not exist")
	case c.Malformed:
		return fault.NewConflict(CodeMalformed, "the input could not be read")
	case c.Unrecordable:
		return fault.NewConflict(CodeUnrecordable, "the result could not be saved")
	case c.Repeats > 0:
		return fault.NewConflict(CodeRepeated, "this repeats command %d, which was received before the workflow was reset", c.Repeats)
	case !slices.Contains(verb.Roles, c.By.Role), c.By.Role == RoleCustomer && !s.mayUse(verb, c):
		return ErrRole
	case s.t.Closed() && !slices.Contains(verb.Statuses, StatusClosed):
		return ErrClosed
	case !slices.Contains(verb.Statuses, s.t.Status):
		return fault.NewConflict(CodeStatus, "this isn't possible while the ticket is %s", s.t.Status)
	case c.Verb.NeedsMessage() && c.Message == 0:
		return fault.NewConflict(CodeBodyMissing, "this needs a message, so it can't be done as a manual command")
	}
	if unseen := s.t.Unseen(c.By, c.Seen); c.Seen > 0 && unseen > 0 {
		return fault.NewConflict(CodeUnseen, "someone else has written since you last looked: entry %d of the timeline is new, and you had seen entries up to %d", unseen, c.Seen)
	}
	s.begin(c.By, c.At, c.Seq)
	before := len(s.events)
	refusal := verb.decide(s, c)
	s.wakeAfter(s.events[before:])
	return refusal
}

func (s *decider) submit(c Command) *fault.Error {
	l := s.ledger()
	l.start(s.env.Policy, c.Priority)
	s.emit(Event{
		Kind: EventSubmitted, Message: c.Message, Status: StatusNew,
		Priority: c.Priority, Category: c.Category, Quiet: c.Quiet, Clocks: l.entries,
	})
	if s.quiet = c.Quiet; !s.quiet {
		s.mail(MailReceipt, s.t.Requester)
	}
	s.assignByRule()
	return nil
}

func (s *decider) assign(c Command) *fault.Error {
	if c.Assignee == "" {
		return fault.NewConflict(CodeNoAgent, "there is no such agent")
	}
	if c.Assignee == s.t.Assignee {
		return fault.NewConflict(CodeNothing, "the ticket is already assigned to them")
	}
	if c.Guarded && c.Expected != s.t.Assignee {
		return fault.NewConflict(CodeTaken, "someone else has already taken the ticket")
	}
	s.emit(Event{Kind: EventAssigned, Assignee: c.Assignee, Handle: c.Handle, Status: s.openIfNew()})
	s.mail(MailAssignment, s.t.Requester)
	if c.Assignee != c.By.ID {
		s.mail(MailAssigned, c.Assignee)
	}
	return nil
}

// openIfNew returns the status of a ticket once staff work on it: open for a new one, otherwise empty for unchanged.
func (s *decider) openIfNew() Status {
	if s.t.Status == StatusNew {
		return StatusOpen
	}
	return ""
}

// assignToAnswerer assigns an unassigned ticket to the agent who answers it. It adds no mail, because the answer's mail
// names the agent.
func (s *decider) assignToAnswerer(c Command) {
	if s.t.Assignee == "" && c.By.Role.Staff() {
		s.emit(Event{Kind: EventAssigned, Assignee: c.By.ID, Handle: c.Handle, Status: s.openIfNew()})
	}
}

func (s *decider) customerReply(c Command) *fault.Error {
	if refusal := s.join(c); refusal != nil {
		return refusal
	}
	was := s.t.Status
	reply := Event{Kind: EventCustomerReplied, Message: c.Message, Only: s.only(c)}
	if was == StatusWaiting {
		l := s.ledger()
		l.resume(policy.ReasonWaiting)
		reply.Status, reply.Clocks = StatusOpen, l.entries
	}
	s.emit(reply)
	s.mail(MailCustomerReply, s.t.Assignee)
	s.mailOthers(c.By.ID)
	if was == StatusResolved {
		s.emitReopened()
	}
	return nil
}

func (s *decider) agentReply(c Command) *fault.Error {
	s.assignToAnswerer(c)
	l := s.ledger()
	l.settle(policy.FirstResponse)
	s.emit(Event{
		Kind: EventAgentReplied, Message: c.Message, Only: s.only(c), Answers: true, Status: s.openIfNew(), Asks: s.asksAgain(), Clocks: l.entries,
	})
	s.mailPeople(MailReply)
	return nil
}

func (s *decider) requestInformation(c Command) *fault.Error {
	s.assignToAnswerer(c)
	l := s.ledger()
	l.settle(policy.FirstResponse)
	l.pause(policy.ReasonWaiting)
	s.emit(Event{
		Kind: EventInformationRequested, Message: c.Message, Only: s.only(c), Answers: true, Status: StatusWaiting, Asks: !s.env.RequesterDisabled, Clocks: l.entries,
	})
	s.mailPeople(MailInformationRequest)
	return nil
}

func (s *decider) progressUpdate(c Command) *fault.Error {
	s.emit(Event{Kind: EventProgressUpdated, Message: c.Message, Only: s.only(c), Status: s.openIfNew(), Asks: s.asksAgain()})
	s.mailPeople(MailProgress)
	return nil
}

// asksAgain reports whether a public message restarts the requester's silence: they again have a full period to answer,
// counted from the delivery of the message.
func (s *decider) asksAgain() bool { return s.t.awaitsRequester() && !s.env.RequesterDisabled }

func (s *decider) note(c Command) *fault.Error {
	s.emit(Event{Kind: EventNoted, Message: c.Message})
	return nil
}

func (s *decider) reclassify(c Command) *fault.Error {
	e := Event{Kind: EventReclassified}
	if c.Priority != "" && !c.Priority.Valid() {
		return fault.NewConflict(CodeMalformed, "there is no such priority")
	}
	if c.Category != "" && c.Category != s.t.Category {
		if !slices.Contains(s.env.Policy.Categories, c.Category) {
			return fault.NewConflict(CodeWrongCategory, "the ticket's policy has no such category")
		}
		e.Category = c.Category
	}
	if c.Priority != "" && c.Priority != s.t.Priority {
		l := s.ledger()
		l.retarget(c.Priority)
		e.Priority, e.Clocks = c.Priority, l.entries
	}
	if e.Category == "" && e.Priority == "" {
		return fault.NewConflict(CodeNothing, "the ticket already has that priority and category")
	}
	s.emit(e)
	if e.Category != "" {
		s.assignByRule()
	}
	return nil
}

// resolve with a message is a public answer and meets the first response. Without one, as a manual command, it only
// changes the status.
func (s *decider) resolve(c Command) *fault.Error {
	if c.Message != 0 {
		s.assignToAnswerer(c)
	}
	s.emitResolved(CauseAgent, c.Message, s.only(c))
	return nil
}

func (s *decider) emitResolved(cause Cause, message int64, only PersonID) {
	l := s.ledger()
	if message != 0 {
		l.settle(policy.FirstResponse)
	}
	l.settle(policy.Resolution)
	l.pause(policy.ReasonResolved)
	l.resume(policy.ReasonWaiting)
	s.emit(Event{
		Kind: EventResolved, Status: StatusResolved, Cause: cause,
		Message: message, Only: only, Answers: message != 0, Asks: !s.env.RequesterDisabled, Clocks: l.entries,
	})
	s.mailPeople(MailResolution)
}

// close closes the ticket permanently. A requester can close only a resolved ticket, which confirms the resolution.
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
	s.mailPeople(MailClosure)
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
