package desk

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Person is a person with an account. Staff have a handle, a neutral name that Temporal and lists show.
type Person struct {
	ID      ticket.PersonID
	Role    ticket.Role
	Name    string
	Address string // email
	Handle  string // staff only: letters, digits and hyphens; not a personal name where those must not be in histories
	Token   bool   `db:"-"` // authenticated by an API token

	Sender EmailSender `db:"-"` // how sure it is that they wrote the email by which they act
}

// EmailSender is how sure it is that a person wrote an email by which they act. It is empty if they don't act by email.
type EmailSender string

// The senders of emails.
const (
	SenderConfirmed   EmailSender = "confirmed"   // by their domain, or by something that was sent to them alone
	SenderUnconfirmed EmailSender = "unconfirmed" // others may have written their address
)

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

// MaxName and MaxAddress are the maximum length of a name in characters, and that of an email address in bytes (RFC 5321,
// section 4.5.3.1).
const (
	MaxName    = 200
	MaxAddress = 254

	maxLocalPart = 64 // bytes of an address before the @
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

// ValidAddress reports whether a text is an email address and nothing else, of the length that mail servers accept, with nothing
// invisible in it.
func ValidAddress(address string) bool {
	parsed, err := mail.ParseAddress(address)
	return err == nil && parsed.Address == address && len(address) <= MaxAddress && strings.LastIndexByte(address, '@') <= maxLocalPart &&
		withoutInvisible(address) == address && !strings.ContainsFunc(address, forbidden)
}

// ValidName reports whether text can be a person's name: one line without invisible characters.
func ValidName(name string) bool { return validName(name, MaxName) }

// Group is a group of staff to whose members assignment rules assign tickets. Policies refer to it by its handle, which
// never changes.
type Group struct {
	Handle  string
	Title   string
	Members []Colleague // those who are not disabled, by name
	Fixed   bool        // policy.Everyone, whose members are all agents
}

// Check returns an Invalid fault that names every invalid field: handle, title.
func (g Group) Check() error {
	var wrong fault.Details
	switch {
	case g.Handle == policy.Everyone:
		wrong.Add("handle", "the group everyone always exists and consists of all agents")
	case !policy.ValidGroup(g.Handle):
		wrong.Add("handle", "must be 1 to 40 lower-case letters, digits and hyphens, starting with a letter")
	}
	if !validName(g.Title, maxTitle) {
		wrong.Add("title", "must have 1 to 100 characters, in one line and all of them visible")
	}
	return wrong.Err()
}

// Present returns the number of members to whom rules can assign tickets now.
func (g Group) Present() int {
	n := 0
	for _, m := range g.Members {
		if !m.Away.Now() {
			n++
		}
	}
	return n
}

// Absence is the time in which a person is away. Rules assign no tickets to them, but people can. It ends at Until without
// their doing.
type Absence struct {
	Since time.Time // zero: available
	Until time.Time // zero: until they mark themselves as back
}

// Now reports whether the person is away.
func (a Absence) Now() bool { return !a.Since.IsZero() }

// Idle is an assignment rule that can assign tickets to no one.
type Idle struct {
	Rule    int // its number, from 1
	Group   string
	Missing bool // the group does not exist; otherwise all its members are away
}

// IdleRules returns the rules of a policy whose group is missing or has no available member.
func IdleRules(p *policy.Policy, groups []Group) []Idle {
	present := map[string]int{}
	for _, g := range groups {
		present[g.Handle] = g.Present()
	}
	var idle []Idle
	for i, rule := range p.Assignment {
		if n, exists := present[rule.Group]; n == 0 {
			idle = append(idle, Idle{Rule: i + 1, Group: rule.Group, Missing: !exists})
		}
	}
	return idle
}

// Colleague is a member of staff, to whom tickets can be assigned.
type Colleague struct {
	Ref
	Away Absence
	Load int // number of assigned tickets that are neither resolved nor closed
}

// Involved is a person who is in a ticket: its requester or a participant.
type Involved struct {
	Ref
	Address  string // for staff only, otherwise empty
	Contact  bool   // without an account
	Disabled bool   // receives no mails
}
