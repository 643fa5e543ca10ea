package ticket

// Role is what a person may do.
type Role string

// The roles. An operator sends manual commands from Temporal UI. Supportdesk does not know who that is, so operators can
// only do what needs no message.
const (
	RoleCustomer      Role = "customer"
	RoleAgent         Role = "agent"
	RoleSupervisor    Role = "supervisor"
	RoleAdministrator Role = "administrator"
	RoleOperator      Role = "operator"
	RoleDesk          Role = "desk" // Supportdesk itself, for due events and transitions
)

// Roles lists the roles that a person can be given.
func Roles() []Role { return []Role{RoleCustomer, RoleAgent, RoleSupervisor, RoleAdministrator} }

// Staff reports whether people with this role work for the desk.
func (r Role) Staff() bool {
	return r == RoleAgent || r == RoleSupervisor || r == RoleAdministrator
}

// Actor is who caused an event: a person's ID and the role they had when the command was accepted.
type Actor struct {
	ID   PersonID `json:"id,omitempty"` // empty for the desk and for operators
	Role Role     `json:"role"`
}

var deskActor = Actor{Role: RoleDesk}

// Commands reports whether people with this role may change what applies to the whole desk: policies and emergencies.
func (r Role) Commands() bool { return r == RoleSupervisor || r == RoleAdministrator }
