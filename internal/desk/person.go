package desk

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Person is a person with an account. Staff have a handle, a neutral name that Temporal and lists show.
type Person struct {
	ID      ticket.PersonID
	Role    ticket.Role
	Name    string
	Address string // e-mail
	Handle  string // staff only: letters, digits and hyphens; not a personal name where those must not be in histories
	Token   bool   `db:"-"` // authenticated by an API token
}

// Actor is the person as a command's author.
func (p Person) Actor() ticket.Actor { return ticket.Actor{ID: p.ID, Role: p.Role} }

// Ref is a reference to a person with what others may see of them.
type Ref struct {
	ID     ticket.PersonID `json:"id"`
	Name   string          `json:"name"`
	Handle string          `json:"handle,omitempty"`
	Role   ticket.Role     `json:"role"`
}

// Ref is the person as others see them.
func (p Person) Ref() Ref { return Ref{ID: p.ID, Name: p.Name, Handle: p.Handle, Role: p.Role} }

const (
	maxName    = 200 // characters
	maxAddress = 254 // bytes, RFC 5321
)

var (
	handleShape = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)
	idShape     = regexp.MustCompile(`^P-[0-9A-HJKMNP-TV-Z]{10}$`)
)

// Check returns an Invalid fault that names every invalid field: role, name, address, handle.
func (p Person) Check() error {
	var wrong fault.Details
	if !slices.Contains(ticket.Roles(), p.Role) {
		wrong.Add("role", "must be customer, agent, supervisor or administrator")
	}
	if !ValidName(p.Name) {
		wrong.Add("name", "must have 1 to 200 characters, in one line and all of them visible")
	}
	if !ValidAddress(p.Address) {
		wrong.Add("address", "must be an email address")
	}
	switch {
	case p.Role == ticket.RoleCustomer && p.Handle != "":
		wrong.Add("handle", "is for staff only")
	case p.Role.Staff() && (!handleShape.MatchString(p.Handle) || idShape.MatchString(strings.ToUpper(p.Handle))):
		wrong.Add("handle", "must be 1 to 40 letters, digits and hyphens, and not look like a person's ID")
	}
	return wrong.Err()
}

// ValidID reports whether text has the shape of a person's ID.
func ValidID(text string) bool { return idShape.MatchString(text) }

// ValidAddress reports whether text is an e-mail address and nothing else.
func ValidAddress(text string) bool {
	a, err := mail.ParseAddress(text)
	return err == nil && a.Address == text && len(text) <= maxAddress
}

// ValidName reports whether text can be a person's name: one line without invisible characters.
func ValidName(name string) bool { return validName(name, maxName) }
