package ticket

import (
	"cmp"
	"maps"
	"slices"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Candidate is somebody who is there to be given a ticket by rule.
type Candidate struct {
	ID     PersonID
	Handle string
	Load   int   // tickets that they have in hand: new, open or waiting
	Turn   int64 // of the group's choices, the number of the one that fell on them last; 0: none yet
}

// Rosters are those who are there, in any order, by their group's handle: the facts that a choice is made from. A
// group that is not among them is not known, while an empty one has nobody who is there.
type Rosters map[string][]Candidate

// assignByRule gives a ticket that nobody has to somebody, if a rule is for its category.
func (s *story) assignByRule() {
	rule, number := s.desk.Policy.AssignmentFor(s.t.Category)
	if number > 0 && s.t.Assignee == "" && slices.Contains(unresolved, s.t.Status) {
		s.chooseAssignee(rule, number, "")
	}
}

// reassign gives a ticket to somebody else when a promise is broken, if the rule says so. Nobody works on a resolved
// one, so it stays where it is.
func (s *story) reassign(broken policy.ClockName) {
	rule, number := s.desk.Policy.AssignmentFor(s.t.Category)
	if number > 0 && slices.Contains(rule.ReassignOnBreach, broken) && slices.Contains(unresolved, s.t.Status) {
		s.chooseAssignee(rule, number, broken)
	}
}

// chooseAssignee gives the ticket to the one on whom the choice falls, or tells that nobody else is there. Either is the
// desk's doing, whoever caused it.
func (s *story) chooseAssignee(rule policy.Assignment, number int, broken policy.ClockName) {
	present, known := s.desk.Rosters[rule.Group]
	if !known {
		if s.lacks == "" {
			s.lacks = rule.Group // what follows from not knowing it may lack others, and need not be so
		}
		return
	}
	caused := s.by
	defer func() { s.by = caused }()
	s.by = theDesk
	e := Event{Kind: EventNobodyAvailable, Group: rule.Group, Rule: number, Promise: broken}
	chosen, ok := pick(rule.By, present, s.t.Assignee)
	if !ok {
		s.emit(e)
		return
	}
	former := s.t.Assignee
	e.Kind, e.Assignee, e.Handle, e.Status = EventAssigned, chosen.ID, chosen.Handle, s.opened()
	s.emit(e)
	s.mail(MailAssignment, s.t.Requester)
	s.mail(MailAssigned, chosen.ID)
	s.mail(MailHandedOver, former)
	s.desk.Rosters = s.desk.Rosters.withChoice(rule.Group, chosen.ID, former)
}

// pick chooses among those present but one. It depends on them alone and not on their order.
func pick(by policy.Distribution, present []Candidate, but PersonID) (Candidate, bool) {
	others := slices.DeleteFunc(slices.Clone(present), func(c Candidate) bool { return c.ID == but })
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

// chose gives the rosters after a choice: the same step may come to another one.
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
