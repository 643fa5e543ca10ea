package demo

import (
	"context"
	"fmt"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Cast is everybody who appears. The first of each kind are those whom `supportdesk up` lets in.
type Cast struct {
	Customers  []desk.Person
	Agents     []desk.Person
	Supervisor desk.Person
}

const agents = 5

// unreachable customers have an address that mail bounces from: one in so many.
const unreachable = 20

// customersFor is how many customers write so many tickets.
func customersFor(tickets int) int { return min(max(tickets/10, 10), 2000) }

// assemble finds everybody, and adds who is missing. Whoever has been shut out since stays out, and is an error only
// if nobody is left to play the part.
func assemble(ctx context.Context, k keeper, customers int) (Cast, error) {
	var cast Cast
	people := []desk.Person{
		{Role: ticket.RoleSupervisor, Name: "Demo Supervisor", Address: "supervisor@demo.example", Handle: "supervisor-1"},
		{Role: ticket.RoleAgent, Name: "Demo Agent", Address: "agent@demo.example", Handle: "agent-1"},
		{Role: ticket.RoleCustomer, Name: "Demo Customer", Address: "customer@demo.example"},
	}
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
		found, err := find(ctx, k, p)
		switch {
		case fault.KindOf(err) == fault.NotFound:
			continue
		case err != nil:
			return Cast{}, fmt.Errorf("invite %s: %w", p.Name, err)
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
		return Cast{}, fault.New(fault.Conflict, "the demo's customers, agents or supervisor are disabled, or have other roles")
	}
	return cast, nil
}

// find gives somebody who is there, by handle where they have changed their address, or adds them. It is NotFound for
// somebody who has been disabled.
func find(ctx context.Context, k keeper, p desk.Person) (desk.Person, error) {
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
