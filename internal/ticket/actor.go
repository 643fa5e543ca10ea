package ticket

// Role is what a person may do.
type Role string

// The roles. An operator is whoever signals a workflow by hand, in Temporal UI: nobody the desk knows, but
// somebody who was let in there, so only what needs no words is open to them.
const (
	RoleCustomer      Role = "customer"
	RoleAgent         Role = "agent"
	RoleSupervisor    Role = "supervisor"
	RoleAdministrator Role = "administrator"
	RoleOperator      Role = "operator"
	RoleDesk          Role = "desk" // Supportdesk itself, when a moment falls due
)

// Roles lists the roles that a person can be given.
func Roles() []Role { return []Role{RoleCustomer, RoleAgent, RoleSupervisor, RoleAdministrator} }

// Staff reports whether a person of this role works here.
func (r Role) Staff() bool {
	return r == RoleAgent || r == RoleSupervisor || r == RoleAdministrator
}

// Actor is who does something: an ID and the role they had when it was accepted.
type Actor struct {
	ID   PersonID `json:"id,omitempty"` // empty for the desk and for operators
	Role Role     `json:"role"`
}

var theDesk = Actor{Role: RoleDesk}

// Commands reports whether a person of this role may change what holds for the whole desk.
func (r Role) Commands() bool { return r == RoleSupervisor || r == RoleAdministrator }
