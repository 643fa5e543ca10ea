package app_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestTimeline_showsCustomersPublicEntries(t *testing.T) {
	s, d := newTickets(policy.Default())
	supervisor := desk.Ref{ID: "P-9", Name: "Sue"}
	event := func(n int, kind ticket.EventKind, by ticket.Actor) ticket.Event {
		return ticket.Event{N: n, Kind: kind, By: by}
	}
	s.entries = []desk.Entry{
		{Event: event(1, ticket.EventSubmitted, ticket.Actor{ID: customer.ID, Role: ticket.RoleCustomer}), Body: "Where is it?"},
		{Event: event(2, ticket.EventNoted, ticket.Actor{ID: "P-2", Role: ticket.RoleAgent}), Body: "canary"},
		{Event: event(3, ticket.EventAgentReplied, ticket.Actor{ID: "P-2", Role: ticket.RoleAgent}), Body: "canary", Internal: true},
		{Event: event(4, ticket.EventPolicyAdopted, ticket.Actor{ID: supervisor.ID, Role: ticket.RoleSupervisor}), Author: supervisor},
	}
	all, err := d.Timeline(t.Context(), desk.Person{ID: "P-2", Role: ticket.RoleAgent}, number)
	if err != nil || len(all) != 4 || all[3].Author != supervisor {
		t.Errorf("staff see %+v, %v", all, err)
	}
	shown, err := d.Timeline(t.Context(), customer, number)
	if err != nil || len(shown) != 2 || shown[0].N != 1 || shown[1].N != 2 || shown[1].Kind != ticket.EventPolicyAdopted {
		t.Fatalf("the customer sees %+v, %v", shown, err)
	}
	if moved := shown[1]; moved.By != (ticket.Actor{Role: ticket.RoleSupervisor}) || moved.Author != (desk.Ref{}) {
		t.Errorf("of the move they see %+v", moved)
	}
}
