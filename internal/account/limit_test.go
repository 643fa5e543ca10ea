package account_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Staff can run bulk commands several times in a row, their programs have more, and a customer's token has no more than
// the customer.
func TestCommands_dependsOnRoleAndToken(t *testing.T) {
	customer, agent := desk.Person{Role: ticket.RoleCustomer}, desk.Person{Role: ticket.RoleAgent}
	program, customers := agent, customer
	program.Token, customers.Token = true, true
	if account.CommandLimit(customers) != account.CommandLimit(customer) {
		t.Error("a customer's token has an allowance of its own")
	}
	if of := account.CommandLimit(agent); of.Burst < 5*desk.MaxBulk || of.Burst <= account.CommandLimit(customer).Burst {
		t.Errorf("an agent has %+v", of)
	}
	if of := account.CommandLimit(program); of.Burst <= account.CommandLimit(agent).Burst || of.Interval >= account.CommandLimit(agent).Interval {
		t.Errorf("a program has %+v", of)
	}
	confirmed, unconfirmed := desk.Person{Sender: desk.SenderConfirmed}, desk.Person{Sender: desk.SenderUnconfirmed}
	keys := map[string]bool{}
	for _, of := range []account.RateLimit{account.TicketLimit(confirmed), account.TicketLimit(unconfirmed), account.CommandLimit(confirmed), account.CommandLimit(unconfirmed), account.TicketLimit(customer), account.CommandLimit(customer), account.CommandLimit(agent), account.CommandLimit(program)} {
		keys[string(of.Key([]byte("secret"), "P-1"))] = true
		if twice := of.Scaled(2); twice.Burst != 2*of.Burst || twice.Interval != of.Interval/2 || twice.Horizon(1) != time.Duration(twice.Burst-1)*twice.Interval {
			t.Errorf("twice %+v is %+v", of, twice)
		}
	}
	if len(keys) != 8 {
		t.Errorf("%d keys of eight allowances", len(keys))
	}
}
