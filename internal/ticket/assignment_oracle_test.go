package ticket_test

import (
	"fmt"
	"maps"
	"slices"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// assignmentOracle is the oracle of assignment rules: it reads a ticket's events, keeps its own count of loads and turns,
// and checks every choice.
type assignmentOracle struct {
	policy   *policy.Policy
	versions map[int64]*policy.Policy
	groups   map[string]map[ticket.PersonID]*candidateCount
	assignee ticket.PersonID
	category string
	status   ticket.Status
	before   ticket.Event
	chosen   int
}

// candidateCount is a candidate as the oracle counts them.
type candidateCount struct {
	load int
	turn int64
}

// drawRosters draws up to three available members for each group that a policy names.
func drawRosters(t *rapid.T, versions map[int64]*policy.Policy) ticket.Rosters {
	r := ticket.Rosters{}
	var rules []policy.Assignment
	for version := range int64(len(versions)) {
		rules = append(rules, versions[version+1].Assignment...)
	}
	for _, rule := range rules {
		r[rule.Group] = []ticket.Candidate{}
		for i := range rapid.IntRange(0, 3).Draw(t, "present in "+rule.Group) {
			r[rule.Group] = append(r[rule.Group], ticket.Candidate{
				ID: []ticket.PersonID{agentTwo, agentOne, "P-AGENTTHREE"}[i], Handle: fmt.Sprintf("agent-%d", i),
				Load: rapid.IntRange(1, 3).Draw(t, "load"), Turn: rapid.Int64Range(0, 3).Draw(t, "turn"),
			})
		}
	}
	return r
}

func newAssignmentOracle(p *policy.Policy, rosters ticket.Rosters) *assignmentOracle {
	o := &assignmentOracle{policy: p, groups: map[string]map[ticket.PersonID]*candidateCount{}}
	for group, present := range rosters {
		o.groups[group] = map[ticket.PersonID]*candidateCount{}
		for _, c := range present {
			o.groups[group][c.ID] = &candidateCount{c.Load, c.Turn}
		}
	}
	return o
}

// read checks the next event and adds it.
func (o *assignmentOracle) read(e ticket.Event) error {
	if want := o.owed(); want != (e.Group != "") {
		return fmt.Errorf("after %s a rule's event is owed: %v, and %s by %q follows", o.before.Kind, want, e.Kind, e.Group)
	}
	if e.Group != "" {
		if err := o.check(e); err != nil {
			return fmt.Errorf("%s in %s: %w", e.Kind, e.Group, err)
		}
	}
	if e.Assignee != "" {
		o.assignee = e.Assignee
	}
	if e.Category != "" {
		o.category = e.Category
	}
	if e.Status != "" {
		o.status = e.Status
	}
	if e.Kind == ticket.EventPolicyAdopted {
		o.policy = o.versions[e.Policy]
	}
	o.before = e
	return nil
}

// rule returns the first rule for the ticket's category, and false if there is none.
func (o *assignmentOracle) rule() (policy.Assignment, bool) {
	for _, rule := range o.policy.Assignment {
		if rule.Categories == nil || slices.Contains(rule.Categories, o.category) {
			return rule, true
		}
	}
	return policy.Assignment{}, false
}

// owed reports whether the last event must be followed by a choice.
func (o *assignmentOracle) owed() bool {
	rule, any := o.rule()
	if !any || o.status == ticket.StatusResolved || o.status == ticket.StatusClosed {
		return false
	}
	switch e := o.before; e.Kind {
	case ticket.EventSubmitted:
		return true
	case ticket.EventReclassified:
		return e.Category != "" && o.assignee == ""
	case ticket.EventBreached:
		return slices.Contains(rule.ReassignOnBreach, e.Promise)
	default:
		return false
	}
}

func (o *assignmentOracle) check(e ticket.Event) error {
	rule, _ := o.rule()
	present := maps.Clone(o.groups[rule.Group])
	delete(present, o.assignee)
	chosen, there := present[e.Assignee]
	switch {
	case e.By != byDesk || e.Group != rule.Group || o.policy.Assignment[e.Rule-1].Group != rule.Group:
		return fmt.Errorf("by %v, rule %d", e.By, e.Rule)
	case e.Kind == ticket.EventNoAgentAvailable && len(present) == 0:
		return nil
	case e.Kind != ticket.EventAssigned || !there:
		return fmt.Errorf("%q was chosen of %d", e.Assignee, len(present))
	}
	last := int64(0)
	for id, other := range o.groups[rule.Group] {
		last = max(last, other.turn)
		if id == o.assignee {
			continue
		}
		better := other.turn < chosen.turn || other.turn == chosen.turn && id < e.Assignee
		if rule.By == policy.ByLeastLoaded {
			better = other.load < chosen.load || other.load == chosen.load && better
		}
		if better {
			return fmt.Errorf("%s %+v was chosen before %s %+v", e.Assignee, *chosen, id, *other)
		}
	}
	chosen.turn = last + 1
	for _, group := range o.groups {
		if h := group[o.assignee]; h != nil {
			h.load--
		}
		if h := group[e.Assignee]; h != nil {
			h.load++
		}
	}
	o.chosen++
	return nil
}
