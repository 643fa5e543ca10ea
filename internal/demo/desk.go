package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// People is all demo people. The first of each kind are those that `supportdesk up` prints sign-in links for.
type People struct {
	Customers  []desk.Person
	Agents     []desk.Person
	Supervisor desk.Person
}

// LocalPeople returns the people of the stack of `supportdesk up`, one of each role; the administrator is the last. Their names
// say that they are invented.
func LocalPeople() []desk.Person {
	return []desk.Person{
		{Role: ticket.RoleCustomer, Name: "Demo Customer", Address: "customer@demo.example"},
		{Role: ticket.RoleAgent, Name: "Demo Agent", Address: "agent@demo.example", Handle: "agent-1"},
		{Role: ticket.RoleSupervisor, Name: "Demo Supervisor", Address: "supervisor@demo.example", Handle: "supervisor-1"},
		{Role: ticket.RoleAdministrator, Name: "Demo Administrator", Address: "administrator@demo.example", Handle: "administrator-1"},
	}
}

const agents = 5

// bounceEvery is the interval of customers whose address bounces.
const bounceEvery = 20

// customersFor returns the number of customers for a number of tickets.
func customersFor(tickets int) int { return min(max(tickets/10, 10), 2000) }

// ensurePeople finds all demo people and adds those who are missing. Disabled people stay disabled; it is an error only
// if a role has none left.
func ensurePeople(ctx context.Context, k store, customers int) (People, error) {
	var cast People
	people := LocalPeople()[:3]
	for i := 2; i <= agents; i++ {
		people = append(people, desk.Person{
			Role: ticket.RoleAgent, Name: fmt.Sprintf("Demo Agent %d", i),
			Address: fmt.Sprintf("agent-%d@demo.example", i), Handle: fmt.Sprintf("demo-agent-%d", i),
		})
	}
	for i := 1; i < customers; i++ {
		people = append(people, desk.Person{
			Role: ticket.RoleCustomer, Name: fmt.Sprintf("Demo Customer %02d", i), Address: fmt.Sprintf("customer-%02d@demo.example", i),
		})
	}
	for _, p := range people {
		found, err := EnsurePerson(ctx, k, p)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			continue
		case err != nil:
			return People{}, fmt.Errorf("add %s: %w", p.Name, err)
		}
		switch found.Role {
		case ticket.RoleCustomer:
			cast.Customers = append(cast.Customers, found)
		case ticket.RoleAgent:
			cast.Agents = append(cast.Agents, found)
		case ticket.RoleSupervisor:
			cast.Supervisor = found
		}
	}
	if len(cast.Customers) == 0 || len(cast.Agents) == 0 || cast.Supervisor.ID == "" {
		return People{}, fault.New(fault.Conflict, "the demo's customers, agents or supervisor are disabled, or have other roles")
	}
	return cast, nil
}

type peopleStore interface {
	AddPerson(context.Context, desk.Person) (desk.Person, error)
	PersonByHandleOrAddress(context.Context, string) (desk.Person, error)
}

// EnsurePerson returns an existing person, by handle if their address has changed, or adds them. It returns a NotFound fault
// for a disabled one.
func EnsurePerson(ctx context.Context, k peopleStore, p desk.Person) (desk.Person, error) {
	added, err := k.AddPerson(ctx, p)
	if fault.KindOf(err) != fault.Conflict {
		return added, err
	}
	found, err := k.PersonByHandleOrAddress(ctx, p.Address)
	if fault.KindOf(err) == fault.NotFound && p.Handle != "" {
		return k.PersonByHandleOrAddress(ctx, p.Handle)
	}
	return found, err
}

// groups are groups for assignment rules, each with some of the agents, by index.
var groups = []struct {
	handle, title string
	members       []int
}{
	{"orders", "Demo: orders and delivery", []int{0, 1, 2}},
	{"money", "Demo: payments and returns", []int{2, 3}},
}

// awayFor is how long the last agent is away.
const awayFor = 3 * day

// createGroups creates the groups and sets one agent as away. An existing group keeps its members.
func createGroups(ctx context.Context, k store, cast People, now time.Time) error {
	for _, g := range groups {
		err := k.CreateGroup(ctx, cast.Supervisor, g.handle, g.title)
		if fault.KindOf(err) == fault.Conflict {
			continue
		}
		for _, i := range g.members {
			if err == nil && i < len(cast.Agents) {
				err = k.AddToGroup(ctx, cast.Supervisor, g.handle, cast.Agents[i].Handle)
			}
		}
		if err != nil {
			return fmt.Errorf("create group %s: %w", g.handle, err)
		}
	}
	last := cast.Agents[len(cast.Agents)-1]
	if len(cast.Agents) < agents {
		return nil // the remaining agents are needed
	}
	if _, err := k.SetAway(ctx, cast.Supervisor, last.Handle, now.Add(awayFor)); err != nil {
		return fmt.Errorf("set %s away: %w", last.Name, err)
	}
	return nil
}

// canned are shared canned replies.
var canned = []desk.CannedReply{
	{Title: "Demo: ask for the order number", Body: "Hello {{requester.name}},\n\nthank you for your message about “{{ticket.subject}}”. " +
		"Which order is it about? You'll find its number in the confirmation email.\n\n{{agent.name}}"},
	{Title: "Demo: on its way", Body: "Hello {{requester.name}},\n\norder {{ticket.order}} has left our warehouse. " +
		"If it has not arrived in three days, reply here and we'll look into it.\n\n{{agent.name}}"},
	{Title: "Demo: we are looking into it", Body: "Hello {{requester.name}},\n\nwe are looking into {{ticket.number}} and will resolve it by " +
		"{{promise.resolution}}. There is nothing you need to do until then.\n\n{{agent.name}}"},
	{Title: "Demo: the refund is paid", Body: "Hello {{requester.name}},\n\nwe have issued your refund. Depending on your bank it takes " +
		"up to three working days. If anything is missing, reply here or write to {{desk.contact}}.\n\n{{agent.name}}"},
}

// filters are shared saved filters.
var filters = []desk.SavedFilter{
	{Name: "Demo: urgent and not closed", Query: "priority=urgent&queue=all&status=unfinished"},
	{Name: "Demo: late and important", Query: "priority=high&queue=breached"},
}

// createRepliesAndFilters saves the shared replies and filters. Existing ones with the same title are left unchanged.
func createRepliesAndFilters(ctx context.Context, k store, author desk.Person) error {
	replies, err := k.CannedReplies(ctx, author)
	if err != nil {
		return fmt.Errorf("list canned replies: %w", err)
	}
	for _, c := range canned {
		if slices.ContainsFunc(replies, func(saved desk.CannedReply) bool { return saved.Title == c.Title }) {
			continue
		}
		c.Shared = true
		if _, err := k.SaveCanned(ctx, author, c); err != nil {
			return fmt.Errorf("save canned reply: %w", err)
		}
	}
	saved, err := k.SavedFilters(ctx, author)
	if err != nil {
		return fmt.Errorf("list saved filters: %w", err)
	}
	for _, f := range filters {
		if slices.ContainsFunc(saved, func(other desk.SavedFilter) bool { return other.Name == f.Name }) {
			continue
		}
		f.Shared = true
		if _, err := k.SaveFilter(ctx, author, f); err != nil {
			return fmt.Errorf("save filter: %w", err)
		}
	}
	return nil
}
