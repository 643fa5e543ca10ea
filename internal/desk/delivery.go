package desk

import "github.com/holesalemart/supportdesk/internal/ticket"

// Delivery is an accepted command that its ticket's workflow has not been told of yet.
type Delivery struct {
	Number  ticket.Number
	Command ticket.Command
	Actor   string // handle of who asks; empty for customers
}
