package ticket

import (
	"cmp"
	"maps"
	"slices"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Candidate is an available member of a group, to whom a rule can assign tickets.
type Candidate struct {
	ID     PersonID
	Handle string
	Load   int   // number of new, open and waiting tickets assigned to them
	Turn   int64 // number of the group's choice that last fell on them; 0: none
}

// Rosters holds the available members of groups, in any order, by group handle. A group without an entry has not been
// read yet; one with an empty entry has no available member.
type Rosters map[string][]Candidate

// assignByRule assigns an unassigned ticket if the policy has a rule for its category.
func (s *decider) assignByRule() {
	rule, number := s.env.Policy.AssignmentFor(s.t.Category)
	if number > 0 && s.t.Assignee == "" && slices.Contains(unresolved, s.t.Status) {
		s.chooseAssignee(rule, number, "")
	}
}

// reassign assigns the ticket to someone else after a breach, if the rule says so. A resolved ticket keeps its assignee.
func (s *decider) reassign(breached policy.ClockName) {
	rule, number := s.env.Policy.AssignmentFor(s.t.Category)
	if number > 0 && slices.Contains(rule.ReassignOnBreach, breached) && slices.Contains(unresolved, s.t.Status) {
		s.chooseAssignee(rule, number, breached)
	}
}

// chooseAssignee assigns the ticket by a rule, or records that no agent is available. Both are recorded as done by the
// desk, whoever sent the command.
func (s *decider) chooseAssignee(rule policy.Assignment, number int, breached policy.ClockName) {
	present, known := s.env.Rosters[rule.Group]
	if !known {
		if s.missingRoster == "" {
			s.missingRoster = rule.Group // keep the first: later ones follow from a state that is thrown away
		}
		return
	}
	actor := s.by
	defer func() { s.by = actor }()
	s.by = deskActor
	e := Event{Kind: EventNoAgentAvailable, Group: rule.Group, Rule: number, Promise: breached}
	chosen, ok := pick(rule.By, present, s.t.Assignee)
	if !ok {
		s.emit(e)
		return
	}
	former := s.t.Assignee
	e.Kind, e.Assignee, e.Handle, e.Status = EventAssigned, chosen.ID, chosen.Handle, s.openIfNew()
	s.emit(e)
	if !s.quiet {
		s.mail(MailAssignment, s.t.Requester)
	}
	s.mail(MailAssigned, chosen.ID)
	s.mail(MailHandedOver, former)
	s.env.Rosters = s.env.Rosters.withChoice(rule.Group, chosen.ID, former)
}

// pick chooses one of those present other than except. The choice does not depend on their order.
func pick(by policy.Distribution, present []Candidate, except PersonID) (Candidate, bool) {
	others := slices.DeleteFunc(slices.Clone(present), func(c Candidate) bool { return c.ID == except })
	if len(others) == 0 {
		return Candidate{}, false
	}
	return slices.MinFunc(others, func(a, b Candidate) int {
		load := 0
		if by == policy.ByLeastLoaded {
			load = cmp.Compare(a.Load, b.Load)
		}
		return cmp.Or(load, cmp.Compare(a.Turn, b.Turn), cmp.Compare(a.ID, b.ID))
	}), true
}

// withChoice returns the rosters after a choice, for further choices in the same step.
func (r Rosters) withChoice(group string, chosen, former PersonID) Rosters {
	after := maps.Clone(r)
	last := slices.MaxFunc(r[group], func(a, b Candidate) int { return cmp.Compare(a.Turn, b.Turn) }).Turn
	for name, present := range r {
		present = slices.Clone(present)
		for i := range present {
			switch c := &present[i]; c.ID {
			case former:
				c.Load--
			case chosen:
				c.Load++
				if name == group {
					c.Turn = last + 1
				}
			}
		}
		after[name] = present
	}
	return after
}
