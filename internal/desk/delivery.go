package desk

import "github.com/holesalemart/supportdesk/internal/ticket"

// Delivery is an accepted command of which the relay has not signaled the ticket's workflow yet.
type Delivery struct {
	Number  ticket.Number
	Command ticket.Command
	Actor   string // handle of the command's author; empty for customers
}
