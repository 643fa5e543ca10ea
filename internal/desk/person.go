package desk

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Person is somebody the desk knows. Staff have a handle, which is what Temporal and lists show of them.
type Person struct {
	ID      ticket.PersonID
	Role    ticket.Role
	Name    string
	Address string // e-mail
	Handle  string // staff only: letters, digits and hyphens; must not be a personal name where histories may not hold one
	Token   bool   `db:"-"` // a program asks, with their API token
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

// maxName is in characters; RFC 5321 allows an address 254 bytes.
const (
	maxName    = 200
	maxAddress = 254
)

var (
	handleShape = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)
	idShape     = regexp.MustCompile(`^P-[0-9A-HJKMNP-TV-Z]{10}$`)
)

// Check gives an Invalid fault that names every field in which somebody can't be as described: role, name, address,
// handle.
func (p Person) Check() error {
	var wrong []fault.Detail
	complain := func(field, message string) { wrong = append(wrong, fault.Detail{Field: field, Message: message}) }
	if !slices.Contains(ticket.Roles(), p.Role) {
		complain("role", "must be customer, agent, supervisor or administrator")
	}
	if !ValidName(p.Name) {
		complain("name", "must have 1 to 200 characters, in one line and all of them visible")
	}
	if !ValidAddress(p.Address) {
		complain("address", "must be an email address")
	}
	switch {
	case p.Role == ticket.RoleCustomer && p.Handle != "":
		complain("handle", "is for staff only")
	case p.Role.Staff() && (!handleShape.MatchString(p.Handle) || idShape.MatchString(strings.ToUpper(p.Handle))):
		complain("handle", "must be 1 to 40 letters, digits and hyphens, and not look like a person's ID")
	}
	if len(wrong) > 0 {
		return fault.Fields(wrong...)
	}
	return nil
}

// ValidID reports whether text has the shape of a person's ID.
func ValidID(text string) bool { return idShape.MatchString(text) }

// ValidAddress reports whether text is an e-mail address and nothing else.
func ValidAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && len(text) <= maxAddress
}

// ValidName reports whether text can be somebody's name: one line of it, all of it visible.
func ValidName(name string) bool { return validName(name, maxName) }
