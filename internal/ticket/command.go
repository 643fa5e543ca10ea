package ticket

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Verb is what a command asks for. Each verb but submit is also the name of a signal of the ticket workflow.
type Verb string

// The verbs.
const (
	VerbSubmit             Verb = "submit"
	VerbAssign             Verb = "assign"
	VerbCustomerReply      Verb = "customer-reply"
	VerbAgentReply         Verb = "agent-reply"
	VerbRequestInformation Verb = "request-information"
	VerbProgressUpdate     Verb = "progress-update"
	VerbNote               Verb = "note"
	VerbReclassify         Verb = "reclassify"
	VerbResolve            Verb = "resolve"
	VerbClose              Verb = "close"
	VerbReopen             Verb = "reopen"
	VerbWithdraw           Verb = "withdraw"
	VerbAcknowledge        Verb = "acknowledge-escalation"
	VerbEmergencyPause     Verb = "emergency-pause"
	VerbEmergencyExtend    Verb = "emergency-extend"
	VerbEmergencyResume    Verb = "emergency-resume"
	VerbAdoptPolicy        Verb = "adopt-policy"
	VerbResend             Verb = "resend-mail"
	VerbSnooze             Verb = "snooze"
	VerbWake               Verb = "wake"
	VerbAddParticipant     Verb = "add-participant"
	VerbRemoveParticipant  Verb = "remove-participant"
	VerbChangeRequester    Verb = "change-requester"
	VerbLeave              Verb = "leave"
	VerbMergePerson        Verb = "merge-person"
)

// Command is one request to do something with a ticket. Its text is stored separately, under Message.
type Command struct {
	Seq       int64 // number within the ticket, from 1 without gaps; the submission is 1
	Verb      Verb
	By        Actor
	At        time.Time // when it was accepted: whole seconds, UTC, not before the previous command
	Message   int64     // ID of the text; 0: none
	Assignee  PersonID  // assign: the new assignee
	Handle    string    // assign: their handle; a reply that assigns the ticket: the actor's
	Guarded   bool      // assign: refuse unless Expected is the assignee
	Expected  PersonID  // empty: none
	Priority  policy.Priority
	Category  string
	Emergency string         // emergency verbs: ID or name
	Extension time.Duration  // emergency-extend: by how much targets are extended; whole seconds
	Policy    int64          // adopt-policy: the version
	Adopt     *policy.Policy // adopt-policy: that version's document; nil: it does not exist
	Resend    *BouncedMail   // resend-mail: the mail; nil: it does not exist
	Until     time.Time      // snooze: when the ticket wakes
	Person    PersonID       // add-participant, remove-participant, change-requester: whom; customer-reply: the author, if they join with it; merge-person: who takes the place of Merged
	Merged    PersonID       // merge-person: a contact who turned out to be Person
	Alone     bool           // its message is for the requester alone; a customer's: for staff alone
	Quiet     bool           // submit: no automatic email is sent to the requester
	Seen      int            // number of the last timeline entry that the sender had seen; 0: unknown
	Malformed bool           // a manual command that is malformed, and so refused
	Repeats   int64          // number of an earlier manual command with the same key, for which it is refused; 0: none

	Unrecordable bool // PostgreSQL refuses the result, so the command is refused
}

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

// ManualCommand is a command sent as a signal or an update from Temporal UI. It has no number and its sender is unknown.
// The step that takes it assigns a number, after which it is a command like any other.
type ManualCommand struct {
	Key       string          `json:"key"` // identifies the signal or update, and is the same for every delivery of it
	Run       string          `json:"run"` // ID of the run that received it; a reset starts another run
	Verb      Verb            `json:"verb"`
	Malformed bool            `json:"malformed,omitempty"` // refuse it
	Agent     string          `json:"agent,omitempty"`     // handle or ID
	Priority  policy.Priority `json:"priority,omitempty"`
	Category  string          `json:"category,omitempty"`
	Emergency string          `json:"emergency,omitempty"`
	Extension time.Duration   `json:"extension,omitempty"`
	Policy    int64           `json:"policy,omitempty"`
	Until     time.Time       `json:"until,omitzero"`
}

// ManualOutcome is the outcome of a ManualCommand.
type ManualOutcome struct {
	Key     string `json:"key"`
	Refused bool   `json:"refused,omitempty"`
	Code    string `json:"code,omitempty"` // of a refusal
}

// ManualVerbs returns the verbs that can be manual commands. The others need a message, the requester or a mail to choose.
func ManualVerbs() []Verb {
	return slices.DeleteFunc(Signals(), func(v Verb) bool { return byVerb[v].Manual == "" })
}

// MissingField returns the name of a required field that is not set, or of several fields of which one is required, joined
// by "or". It returns an empty string if none is missing.
func (c ManualCommand) MissingField() string {
	d, set := byVerb[c.Verb], c.fields()
	for _, f := range d.Fields {
		if f.Required&FromSignal != 0 && !slices.Contains(set, f.Name) {
			return f.Name
		}
	}
	if len(d.OneOf) > 0 && !slices.ContainsFunc(d.OneOf, func(name string) bool { return slices.Contains(set, name) }) {
		return strings.Join(d.OneOf, " or ")
	}
	return ""
}

// The names of the fields of manual commands in their payloads.
const (
	fieldAgent     = "agent"
	fieldPriority  = "priority"
	fieldCategory  = "category"
	fieldEmergency = "emergency"
	fieldSeconds   = "seconds"
	fieldPolicy    = "policy"
	fieldUntil     = "until"
)

// The names of further fields of requests.
const (
	fieldPerson = "person"
	fieldTo     = "recipients"
)

// maxManualText is the maximum length of a text field of a manual command, in bytes.
const maxManualText = 200

// Checked returns the command itself if it is well-formed. Otherwise, if a field is not one of its verb or has a value that
// can't be stored, it returns a malformed command without fields, to be refused.
func (c ManualCommand) Checked() ManualCommand {
	if c.Malformed || !c.readable() {
		return ManualCommand{Key: c.Key, Run: c.Run, Verb: c.Verb, Malformed: true}
	}
	return c
}

// readable reports whether the command has only fields of its verb, with valid values.
func (c ManualCommand) readable() bool {
	for _, field := range c.fields() {
		if !c.Verb.acceptedInSignal(field) {
			return false
		}
	}
	if c.Priority != "" && !c.Priority.Valid() || c.Policy < 0 || c.Extension < 0 {
		return false
	}
	for _, text := range []string{c.Agent, c.Category, c.Emergency} {
		if len(text) > maxManualText || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
			return false
		}
	}
	return true
}

// fields returns the names of the fields that are set.
func (c ManualCommand) fields() []string {
	var set []string
	for _, f := range []struct {
		name string
		is   bool
	}{
		{fieldAgent, c.Agent != ""}, {fieldPriority, c.Priority != ""}, {fieldCategory, c.Category != ""},
		{fieldEmergency, c.Emergency != ""}, {fieldSeconds, c.Extension != 0}, {fieldPolicy, c.Policy != 0},
		{fieldUntil, !c.Until.IsZero()},
	} {
		if f.is {
			set = append(set, f.name)
		}
	}
	return set
}
