package desk

import "github.com/holesalemart/supportdesk/internal/ticket"

// Person is somebody the desk knows. Staff have a handle, which is what Temporal and lists show of them.
type Person struct {
	ID      ticket.PersonID
	Role    ticket.Role
	Name    string
	Address string // e-mail
	Handle  string // staff only: letters, digits and hyphens; must not be a personal name where histories may not hold one
}

// Actor is the person as a command's author.
func (p Person) Actor() ticket.Actor { return ticket.Actor{ID: p.ID, Role: p.Role} }

// Ref is a person as others see them.
type Ref struct {
	ID     ticket.PersonID `json:"id"`
	Name   string          `json:"name"`
	Handle string          `json:"handle,omitempty"`
	Role   ticket.Role     `json:"role"`
}
