package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// Group is agents that assignment rules give tickets to. A policy names it by its handle, which never changes.
type Group struct {
	Handle  string
	Title   string
	Members []Colleague // who is not disabled, by name
	Fixed   bool        // it is policy.Everyone: every agent, and nobody else can be in it
}

// Check gives an Invalid fault that names every field in which a group can't be as described: handle, title.
func (g Group) Check() error {
	var wrong []fault.Detail
	switch {
	case g.Handle == policy.Everyone:
		wrong = append(wrong, fault.Detail{Field: "handle", Message: "everyone is the group of all agents, which is always there"})
	case !policy.ValidGroup(g.Handle):
		wrong = append(wrong, fault.Detail{Field: "handle", Message: "must be 1 to 40 small letters, digits and hyphens, a letter first"})
	}
	if !validName(g.Title, maxTitle) {
		wrong = append(wrong, fault.Detail{Field: "title", Message: "must have 1 to 100 characters, in one line and all of them visible"})
	}
	if len(wrong) > 0 {
		return fault.Fields(wrong...)
	}
	return nil
}

// Present counts the members that rules can give tickets to now.
func (g Group) Present() int {
	n := 0
	for _, m := range g.Members {
		if !m.Away.Now() {
			n++
		}
	}
	return n
}

// Absence is since when somebody is away, if they are: rules give them no tickets, people still can. They are back at
// Until by themselves.
type Absence struct {
	Since time.Time // zero: they are here
	Until time.Time // zero: until they say so
}

// Now reports whether they are away.
func (a Absence) Now() bool { return !a.Since.IsZero() }

// Idle is a rule of a policy that gives tickets to nobody for want of members who are there.
type Idle struct {
	Rule    int // its number, from 1
	Group   string
	Missing bool // there is no such group; else nobody of it is there
}

// IdleRules lists a policy's rules whose group is missing, or has nobody who is there now.
func IdleRules(p *policy.Policy, groups []Group) []Idle {
	present := map[string]int{}
	for _, g := range groups {
		present[g.Handle] = g.Present()
	}
	var idle []Idle
	for i, rule := range p.Assignment {
		if n, there := present[rule.Group]; n == 0 {
			idle = append(idle, Idle{Rule: i + 1, Group: rule.Group, Missing: !there})
		}
	}
	return idle
}

// Colleague is somebody who works here and can be given tickets.
type Colleague struct {
	Ref
	Away Absence // from the zero value: they are here
	Load int     // tickets of theirs that are neither resolved nor closed
}
