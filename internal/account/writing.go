package account

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// What a signed-in person may write, each row for one person. A customer who has a bad day sends a few tickets and a dozen
// replies; whoever goes on at the pace of the refill fills no queue. Staff act on a hundred tickets at once, several times
// in a row. Every one of these may cause mails, so the mails are bounded with them. Programs that hold a token of staff
// have an allowance of their own, so that they never keep their owner from working; a customer's have none, for any
// customer can make a token.
var (
	ticketsOfCustomer  = Allowance{name: "tickets of customer", Burst: 20, Each: time.Minute}
	commandsOfCustomer = Allowance{name: "commands of customer", Burst: 60, Each: 10 * time.Second}
	commandsOfStaff    = Allowance{name: "commands of staff", Burst: 1000, Each: time.Second}
	commandsOfToken    = Allowance{name: "commands of token", Burst: 5000, Each: 100 * time.Millisecond}
	invitationsOf      = Allowance{name: "invitations of", Burst: 50, Each: time.Minute} // a department in one go
)

// Tickets is the allowance for new tickets, which customers alone write.
func Tickets() Allowance { return ticketsOfCustomer }

// Commands is a person's allowance for everything else that they write: commands to tickets, ratings and suggestions.
func Commands(by desk.Person) Allowance {
	switch {
	case !by.Role.Staff():
		return commandsOfCustomer
	case by.Token:
		return commandsOfToken
	default:
		return commandsOfStaff
	}
}

// Times is an allowance that is a number of times as generous.
func (a Allowance) Times(n int) Allowance {
	a.Burst, a.Each = a.Burst*n, a.Each/time.Duration(n)
	return a
}

// Room is how far into the future an allowance may be spent for another n uses to fit.
func (a Allowance) Room(n int) time.Duration { return time.Duration(a.Burst-n) * a.Each }
