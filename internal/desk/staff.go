package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// Group is a group of staff to whose members assignment rules assign tickets. Policies refer to it by its handle, which
// never changes.
type Group struct {
	Handle  string
	Title   string
	Members []Colleague // those who are not disabled, by name
	Fixed   bool        // policy.Everyone, whose members are all agents
}

// Check returns an Invalid fault that names every invalid field: handle, title.
func (g Group) Check() error {
	var wrong fault.Details
	switch {
	case g.Handle == policy.Everyone:
		wrong.Add("handle", "everyone is the group of all agents, which is always there")
	case !policy.ValidGroup(g.Handle):
		wrong.Add("handle", "must be 1 to 40 small letters, digits and hyphens, a letter first")
	}
	if !validName(g.Title, maxTitle) {
		wrong.Add("title", "must have 1 to 100 characters, in one line and all of them visible")
	}
	return wrong.Err()
}

// Present returns the number of members to whom rules can assign tickets now.
func (g Group) Present() int {
	n := 0
	for _, m := range g.Members {
		if !m.Away.Now() {
			n++
		}
	}
	return n
}

// Absence is the time in which a person is away. Rules assign no tickets to them, but people can. It ends at Until without
// their doing.
type Absence struct {
	Since time.Time // zero: available
	Until time.Time // zero: until they mark themselves as back
}

// Now reports whether the person is away.
func (a Absence) Now() bool { return !a.Since.IsZero() }

// Idle is an assignment rule that can assign tickets to no one.
type Idle struct {
	Rule    int // its number, from 1
	Group   string
	Missing bool // the group does not exist; otherwise all its members are away
}

// IdleRules returns the rules of a policy whose group is missing or has no available member.
func IdleRules(p *policy.Policy, groups []Group) []Idle {
	present := map[string]int{}
	for _, g := range groups {
		present[g.Handle] = g.Present()
	}
	var idle []Idle
	for i, rule := range p.Assignment {
		if n, exists := present[rule.Group]; n == 0 {
			idle = append(idle, Idle{Rule: i + 1, Group: rule.Group, Missing: !exists})
		}
	}
	return idle
}

// Colleague is a member of staff, to whom tickets can be assigned.
type Colleague struct {
	Ref
	Away Absence
	Load int // number of assigned tickets that are neither resolved nor closed
}
