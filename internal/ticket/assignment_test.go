package ticket_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// staffed gives deliveries in turn and the rest to whoever has least; both go on when the first response is broken.
const staffed = plain + `assignment:
  - {categories: [delivery], group: vans, by: round_robin, reassign_on_breach: [first_response, resolution]}
  - {group: everyone, by: least_loaded, reassign_on_breach: [first_response]}
`

const agentThree ticket.PersonID = "P-AGENTTHREE"

func there(id ticket.PersonID, load int, turn int64) ticket.Candidate {
	return ticket.Candidate{ID: id, Handle: "handle-of-" + string(id), Load: load, Turn: turn}
}

// staffedLife is a ticket of a category, submitted to those who are there.
func staffedLife(t *testing.T, category string, rosters ticket.Rosters) *life {
	t.Helper()
	p := parse(t, staffed)
	l := &life{t: t, policy: p, ticket: ticket.Draft(number, customer, 1, p), rosters: rosters}
	l.granted(0, byCustomer, ticket.Command{
		Verb: ticket.VerbSubmit, Message: 1, Priority: policy.PriorityNormal, Category: category,
	})
	return l
}

func TestAssignment_fallsOn(t *testing.T) {
	for name, c := range map[string]struct {
		category string
		present  []ticket.Candidate
		want     ticket.PersonID // empty: nobody
	}{
		"whoever was chosen longest ago":   {"delivery", []ticket.Candidate{there(agentOne, 0, 7), there(agentTwo, 9, 5)}, agentTwo},
		"whoever was never chosen":         {"delivery", []ticket.Candidate{there(agentOne, 0, 1), there(agentTwo, 9, 0)}, agentTwo},
		"whoever has least":                {"general", []ticket.Candidate{there(agentOne, 2, 0), there(agentTwo, 1, 9)}, agentTwo},
		"among equals, longest ago":        {"general", []ticket.Candidate{there(agentOne, 1, 4), there(agentTwo, 1, 3)}, agentTwo},
		"the lower ID at last":             {"general", []ticket.Candidate{there(agentTwo, 1, 3), there(agentOne, 1, 3)}, agentOne},
		"the only one":                     {"delivery", []ticket.Candidate{there(agentThree, 99, 99)}, agentThree},
		"nobody when no one is there":      {"general", []ticket.Candidate{}, ""},
		"nobody when no one is in turn":    {"delivery", []ticket.Candidate{}, ""},
		"the same in whatever order it is": {"delivery", []ticket.Candidate{there(agentTwo, 9, 5), there(agentOne, 0, 7)}, agentTwo},
	} {
		t.Run(name, func(t *testing.T) {
			group, rule := "vans", 1
			if c.category == "general" {
				group, rule = policy.Everyone, 2
			}
			l := staffedLife(t, c.category, ticket.Rosters{group: c.present})
			want := ticket.Event{N: 2, Kind: ticket.EventNobodyAvailable, At: birth, By: byDesk, Command: 1, Group: group, Rule: rule}
			mails, status := []string{"receipt to P-CUSTOMER"}, ticket.StatusNew
			if c.want != "" {
				want.Kind, want.Assignee, want.Handle = ticket.EventAssigned, c.want, "handle-of-"+string(c.want)
				want.Status, status = ticket.StatusOpen, ticket.StatusOpen
				mails = append(mails, "assignment to P-CUSTOMER", "assigned to "+string(c.want))
			}
			if len(l.events) != 2 || !reflect.DeepEqual(l.events[1], want) {
				t.Errorf("got %+v\nwant %+v", l.events[1:], want)
			}
			same(t, "mails", owed(l.mails), mails)
			if l.ticket.Assignee != c.want || l.ticket.Status != status {
				t.Errorf("%q has it, it is %s", l.ticket.Assignee, l.ticket.Status)
			}
		})
	}
}

// TestAssignment_asksForTheRosterItLacks: the same step with it decides, and one that nobody answers assigns nothing.
func TestAssignment_asksForTheRosterItLacks(t *testing.T) {
	l := staffedLife(t, "delivery", nil)
	if l.lacks != "vans" || l.ticket.Assignee != "" || len(l.events) != 1 {
		t.Errorf("lacks %q, %q has it after %v", l.lacks, l.ticket.Assignee, kinds(l.events))
	}
	if l := staffedLife(t, "delivery", ticket.Rosters{policy.Everyone: nil}); l.lacks != "vans" {
		t.Errorf("another group's roster is taken for it: lacks %q", l.lacks)
	}
	if l := staffedLife(t, "delivery", ticket.Rosters{"vans": nil}); l.lacks != "" {
		t.Errorf("an empty roster is no roster: lacks %q", l.lacks)
	}
}

func TestAssignment_whatNoRuleIsForWaits(t *testing.T) {
	l := submitted(t, plain)
	if l.lacks != "" || l.ticket.Assignee != "" || len(l.events) != 1 {
		t.Errorf("lacks %q, %q has it after %v", l.lacks, l.ticket.Assignee, kinds(l.events))
	}
}

func TestAssignment_ofAnotherCategoryOnlyWhileNobodyHasIt(t *testing.T) {
	reclassify := ticket.Command{Verb: ticket.VerbReclassify, Category: "general"}
	waiting := staffedLife(t, "delivery", ticket.Rosters{"vans": {}, policy.Everyone: {there(agentTwo, 0, 0)}})
	r := waiting.granted(1, byAgent, reclassify)
	same(t, "events", kinds(r.Events), []ticket.EventKind{ticket.EventReclassified, ticket.EventAssigned})
	if e := r.Events[1]; e.By != byDesk || e.Command != 2 || e.Group != policy.Everyone || e.Assignee != agentTwo {
		t.Errorf("got %+v", e)
	}
	held := staffedLife(t, "delivery", ticket.Rosters{"vans": {there(agentOne, 0, 0)}, policy.Everyone: {there(agentTwo, 0, 0)}})
	same(t, "events of one that somebody has", kinds(held.granted(1, byAgent, reclassify).Events), []ticket.EventKind{ticket.EventReclassified})
	raised := staffedLife(t, "delivery", ticket.Rosters{"vans": {}})
	same(t, "events of another priority", kinds(raised.granted(1, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: "high"}).Events),
		[]ticket.EventKind{ticket.EventReclassified})
	resolved := staffedLife(t, "delivery", ticket.Rosters{"vans": {}, policy.Everyone: {there(agentTwo, 0, 0)}})
	resolved.does(1, byHand, ticket.VerbResolve)
	same(t, "events of a resolved one", kinds(resolved.granted(2, byAgent, reclassify).Events), []ticket.EventKind{ticket.EventReclassified})
}

func TestAssignment_aBreachGivesItToSomebodyElse(t *testing.T) {
	l := staffedLife(t, "delivery", ticket.Rosters{"vans": {there(agentOne, 0, 0), there(agentTwo, 9, 5)}})
	if l.ticket.Assignee != agentOne {
		t.Fatalf("%q has it", l.ticket.Assignee)
	}
	l.until(100)
	last := slices.IndexFunc(l.events, func(e ticket.Event) bool { return e.Kind == ticket.EventBreached })
	same(t, "events", kinds(l.events[last:]), []ticket.EventKind{ticket.EventBreached, ticket.EventAssigned, ticket.EventEscalated})
	e := l.events[last+1]
	if e.By != byDesk || e.Command != 0 || e.Promise != policy.FirstResponse || e.Assignee != agentTwo || e.Rule != 1 || !e.At.Equal(at(100)) {
		t.Errorf("got %+v", e)
	}
	same(t, "mails", owed(l.mails[4:]), []string{
		"assignment to P-CUSTOMER", "assigned to P-AGENTTWO", "handed-over to P-AGENTONE", "escalation to P-AGENTTWO", "escalation to supervisors",
	})
	l.until(200) // the resolution's: back to the other, though agentTwo was chosen longer ago than agentOne in the roster read
	if l.ticket.Assignee != agentOne {
		t.Errorf("%q has it after the second breach", l.ticket.Assignee)
	}
}

func TestAssignment_aBreachLeavesItWhereNobodyElseIs(t *testing.T) {
	l := staffedLife(t, "delivery", ticket.Rosters{"vans": {there(agentOne, 0, 0)}})
	l.until(100)
	i := slices.IndexFunc(l.events, func(e ticket.Event) bool { return e.Kind == ticket.EventNobodyAvailable })
	if i < 0 || l.events[i].Promise != policy.FirstResponse || l.ticket.Assignee != agentOne {
		t.Errorf("%q has it after %v", l.ticket.Assignee, kinds(l.events))
	}
}

func TestAssignment_aBreachOfAnotherPromiseOrOfAResolvedTicketMovesNothing(t *testing.T) {
	rosters := ticket.Rosters{policy.Everyone: {there(agentOne, 0, 0), there(agentTwo, 1, 0)}}
	l := staffedLife(t, "general", rosters)
	l.says(1, byAgent, ticket.VerbAgentReply)
	l.until(200)
	if e := l.events[len(l.events)-1]; l.ticket.Assignee != agentOne || l.ticket.Resolution.BreachedAt.IsZero() {
		t.Errorf("%q has it after %+v", l.ticket.Assignee, e)
	}
	resolved := staffedLife(t, "general", rosters)
	resolved.granted(99, byHand, ticket.Command{Verb: ticket.VerbResolve})
	resolved.until(100)
	if resolved.ticket.Assignee != agentOne || resolved.ticket.FirstResponse.BreachedAt.IsZero() {
		t.Errorf("%q has the resolved one after %v", resolved.ticket.Assignee, kinds(resolved.events))
	}
}

// TestAssignment_isRecordedOnce: the state says who has it, so nothing is chosen again.
func TestAssignment_isRecordedOnce(t *testing.T) {
	l := staffedLife(t, "general", ticket.Rosters{policy.Everyone: {there(agentOne, 0, 0), there(agentTwo, 1, 0)}})
	fold := ticket.Draft(number, customer, 1, l.policy)
	for _, e := range l.events {
		fold = ticket.Apply(fold, e)
	}
	if !reflect.DeepEqual(fold, l.ticket) || fold.Assignee != agentOne {
		t.Errorf("the fold is %+v", fold)
	}
	l.rosters = ticket.Rosters{policy.Everyone: {there(agentTwo, 0, 0)}}
	if r := l.says(1, byCustomer, ticket.VerbCustomerReply); r.Ticket.Assignee != agentOne || len(r.Events) != 1 {
		t.Errorf("%q has it after %v", r.Ticket.Assignee, kinds(r.Events))
	}
}
