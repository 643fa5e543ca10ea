package ticket_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// assignmentPolicy assigns deliveries in turn and everything else to the least loaded agent, and reassigns on breaches.
const assignmentPolicy = plainPolicy + `assignment:
  - {categories: [delivery], group: vans, by: round_robin, reassign_on_breach: [first_response, resolution]}
  - {group: everyone, by: least_loaded, reassign_on_breach: [first_response]}
`

const agentThree ticket.PersonID = "P-AGENTTHREE"

func candidate(id ticket.PersonID, load int, turn int64) ticket.Candidate {
	return ticket.Candidate{ID: id, Handle: "handle-of-" + string(id), Load: load, Turn: turn}
}

// submittedIn returns a fixture whose ticket was submitted in a category, with some agents available.
func submittedIn(t *testing.T, category string, rosters ticket.Rosters) *fixture {
	t.Helper()
	p := parse(t, assignmentPolicy)
	f := &fixture{t: t, policy: p, ticket: ticket.Draft(number, customer, 1, p), rosters: rosters}
	f.mustDecide(0, byCustomer, ticket.Command{
		Verb: ticket.VerbSubmit, Message: 1, Priority: policy.PriorityNormal, Category: category,
	})
	return f
}

func TestAssignment_choosesByTheRule(t *testing.T) {
	for name, c := range map[string]struct {
		category string
		present  []ticket.Candidate
		want     ticket.PersonID // empty: no one
	}{
		"who was chosen longest ago":       {"delivery", []ticket.Candidate{candidate(agentOne, 0, 7), candidate(agentTwo, 9, 5)}, agentTwo},
		"who was never chosen":             {"delivery", []ticket.Candidate{candidate(agentOne, 0, 1), candidate(agentTwo, 9, 0)}, agentTwo},
		"who has the fewest":               {"general", []ticket.Candidate{candidate(agentOne, 2, 0), candidate(agentTwo, 1, 9)}, agentTwo},
		"among equals, longest ago":        {"general", []ticket.Candidate{candidate(agentOne, 1, 4), candidate(agentTwo, 1, 3)}, agentTwo},
		"the lower ID at last":             {"general", []ticket.Candidate{candidate(agentTwo, 1, 3), candidate(agentOne, 1, 3)}, agentOne},
		"the only one":                     {"delivery", []ticket.Candidate{candidate(agentThree, 99, 99)}, agentThree},
		"no one when no one is there":      {"general", []ticket.Candidate{}, ""},
		"no one when no one is in turn":    {"delivery", []ticket.Candidate{}, ""},
		"the same in whatever order it is": {"delivery", []ticket.Candidate{candidate(agentTwo, 9, 5), candidate(agentOne, 0, 7)}, agentTwo},
	} {
		t.Run(name, func(t *testing.T) {
			group, rule := "vans", 1
			if c.category == "general" {
				group, rule = policy.Everyone, 2
			}
			f := submittedIn(t, c.category, ticket.Rosters{group: c.present})
			want := ticket.Event{N: 2, Kind: ticket.EventNoAgentAvailable, At: submission, By: byDesk, Command: 1, Group: group, Rule: rule}
			mails, status := []string{"receipt to P-CUSTOMER"}, ticket.StatusNew
			if c.want != "" {
				want.Kind, want.Assignee, want.Handle = ticket.EventAssigned, c.want, "handle-of-"+string(c.want)
				want.Status, status = ticket.StatusOpen, ticket.StatusOpen
				mails = append(mails, "assignment to P-CUSTOMER", "assigned to "+string(c.want))
			}
			if len(f.events) != 2 || !reflect.DeepEqual(f.events[1], want) {
				t.Errorf("got %+v\nwant %+v", f.events[1:], want)
			}
			wantEqual(t, "mails", mailLines(f.mails), mails)
			if f.ticket.Assignee != c.want || f.ticket.Status != status {
				t.Errorf("%q has it, it is %s", f.ticket.Assignee, f.ticket.Status)
			}
		})
	}
}

// Without the roster the step assigns no one.
func TestAssignment_asksForAMissingRoster(t *testing.T) {
	f := submittedIn(t, "delivery", nil)
	if f.lacks != "vans" || f.ticket.Assignee != "" || len(f.events) != 1 {
		t.Errorf("lacks %q, %q has it after %v", f.lacks, f.ticket.Assignee, kinds(f.events))
	}
	if f := submittedIn(t, "delivery", ticket.Rosters{policy.Everyone: nil}); f.lacks != "vans" {
		t.Errorf("another group's roster is taken for it: lacks %q", f.lacks)
	}
	if f := submittedIn(t, "delivery", ticket.Rosters{"vans": nil}); f.lacks != "" {
		t.Errorf("an empty roster is no roster: lacks %q", f.lacks)
	}
}

func TestAssignment_withoutARuleAssignsNoOne(t *testing.T) {
	f := submitted(t, plainPolicy)
	if f.lacks != "" || f.ticket.Assignee != "" || len(f.events) != 1 {
		t.Errorf("lacks %q, %q has it after %v", f.lacks, f.ticket.Assignee, kinds(f.events))
	}
}

func TestAssignment_byANewCategoryOnlyWhileUnassigned(t *testing.T) {
	reclassify := ticket.Command{Verb: ticket.VerbReclassify, Category: "general"}
	waiting := submittedIn(t, "delivery", ticket.Rosters{"vans": {}, policy.Everyone: {candidate(agentTwo, 0, 0)}})
	r := waiting.mustDecide(1, byAgent, reclassify)
	wantEqual(t, "events", kinds(r.Events), []ticket.EventKind{ticket.EventReclassified, ticket.EventAssigned})
	if e := r.Events[1]; e.By != byDesk || e.Command != 2 || e.Group != policy.Everyone || e.Assignee != agentTwo {
		t.Errorf("got %+v", e)
	}
	held := submittedIn(t, "delivery", ticket.Rosters{"vans": {candidate(agentOne, 0, 0)}, policy.Everyone: {candidate(agentTwo, 0, 0)}})
	wantEqual(t, "events of one that someone has", kinds(held.mustDecide(1, byAgent, reclassify).Events), []ticket.EventKind{ticket.EventReclassified})
	raised := submittedIn(t, "delivery", ticket.Rosters{"vans": {}})
	wantEqual(t, "events of another priority", kinds(raised.mustDecide(1, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: "high"}).Events),
		[]ticket.EventKind{ticket.EventReclassified})
	resolved := submittedIn(t, "delivery", ticket.Rosters{"vans": {}, policy.Everyone: {candidate(agentTwo, 0, 0)}})
	resolved.do(1, byOperator, ticket.VerbResolve)
	wantEqual(t, "events of a resolved one", kinds(resolved.mustDecide(2, byAgent, reclassify).Events), []ticket.EventKind{ticket.EventReclassified})
}

func TestAssignment_reassignsOnABreach(t *testing.T) {
	f := submittedIn(t, "delivery", ticket.Rosters{"vans": {candidate(agentOne, 0, 0), candidate(agentTwo, 9, 5)}})
	if f.ticket.Assignee != agentOne {
		t.Fatalf("%q has it", f.ticket.Assignee)
	}
	f.advance(100)
	last := slices.IndexFunc(f.events, func(e ticket.Event) bool { return e.Kind == ticket.EventBreached })
	wantEqual(t, "events", kinds(f.events[last:]), []ticket.EventKind{ticket.EventBreached, ticket.EventAssigned, ticket.EventEscalated})
	e := f.events[last+1]
	if e.By != byDesk || e.Command != 0 || e.Promise != policy.FirstResponse || e.Assignee != agentTwo || e.Rule != 1 || !e.At.Equal(at(100)) {
		t.Errorf("got %+v", e)
	}
	wantEqual(t, "mails", mailLines(f.mails[4:]), []string{
		"assignment to P-CUSTOMER", "assigned to P-AGENTTWO", "handed-over to P-AGENTONE", "escalation to P-AGENTTWO", "escalation to supervisors",
	})
	f.advance(200) // the resolution's: back to the other, though agentTwo was chosen longer ago than agentOne in the roster read
	if f.ticket.Assignee != agentOne {
		t.Errorf("%q has it after the second breach", f.ticket.Assignee)
	}
}

func TestAssignment_keepsTheAssigneeWhenNoOneElseIsAvailable(t *testing.T) {
	f := submittedIn(t, "delivery", ticket.Rosters{"vans": {candidate(agentOne, 0, 0)}})
	f.advance(100)
	i := slices.IndexFunc(f.events, func(e ticket.Event) bool { return e.Kind == ticket.EventNoAgentAvailable })
	if i < 0 || f.events[i].Promise != policy.FirstResponse || f.ticket.Assignee != agentOne {
		t.Errorf("%q has it after %v", f.ticket.Assignee, kinds(f.events))
	}
}

func TestAssignment_reassignsForListedPromisesOfUnresolvedTicketsOnly(t *testing.T) {
	rosters := ticket.Rosters{policy.Everyone: {candidate(agentOne, 0, 0), candidate(agentTwo, 1, 0)}}
	f := submittedIn(t, "general", rosters)
	f.write(1, byAgent, ticket.VerbAgentReply)
	f.advance(200)
	if e := f.events[len(f.events)-1]; f.ticket.Assignee != agentOne || f.ticket.Resolution.BreachedAt.IsZero() {
		t.Errorf("%q has it after %+v", f.ticket.Assignee, e)
	}
	resolved := submittedIn(t, "general", rosters)
	resolved.mustDecide(99, byOperator, ticket.Command{Verb: ticket.VerbResolve})
	resolved.advance(100)
	if resolved.ticket.Assignee != agentOne || resolved.ticket.FirstResponse.BreachedAt.IsZero() {
		t.Errorf("%q has the resolved one after %v", resolved.ticket.Assignee, kinds(resolved.events))
	}
}

// The state names the assignee, so later steps do not choose again.
func TestAssignment_isChosenOnce(t *testing.T) {
	f := submittedIn(t, "general", ticket.Rosters{policy.Everyone: {candidate(agentOne, 0, 0), candidate(agentTwo, 1, 0)}})
	fold := ticket.Draft(number, customer, 1, f.policy)
	for _, e := range f.events {
		fold = ticket.Apply(fold, e)
	}
	if !reflect.DeepEqual(fold, f.ticket) || fold.Assignee != agentOne {
		t.Errorf("the fold is %+v", fold)
	}
	f.rosters = ticket.Rosters{policy.Everyone: {candidate(agentTwo, 0, 0)}}
	if r := f.write(1, byCustomer, ticket.VerbCustomerReply); r.Ticket.Assignee != agentOne || len(r.Events) != 1 {
		t.Errorf("%q has it after %v", r.Ticket.Assignee, kinds(r.Events))
	}
}
