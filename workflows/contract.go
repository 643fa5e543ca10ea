// Package workflows defines the workflows of Supportdesk. A ticket's workflow waits for a command or the next due event,
// takes one step, and waits again; the emergency workflow notifies open tickets of the emergency schedule. What a step
// does is decided by the domain and stored in PostgreSQL. Workflow code reads no clock, time zone, database or text that
// people wrote.
//
// Files are named after the workflow that they belong to, ticket_ or emergency_; the others are shared.
package workflows

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The task queues. Mail has its own, so that its rate can be limited and a slow SMTP server holds up nothing else. So
// does the emergency workflow, which must not wait behind the tickets that it notifies.
const (
	TicketQueue    = "tickets"
	MailQueue      = "mail"
	EmergencyQueue = "emergency"
)

// The names by which workflows and activities are registered and shown.
const (
	TicketWorkflow = "Ticket"
	StepActivity   = "Step"
	MailActivity   = "SendMail"
	TicketQuery    = "ticket"

	EmergencyWorkflow = "Emergency"
	EmergencyID       = "emergency" // there is one
	EmergencyQuery    = "emergency"

	PrepareAnnouncementsActivity = "PrepareAnnouncements"
	SendAnnouncementsActivity    = "SendAnnouncements"
)

// TicketID is the ID of a ticket's workflow.
func TicketID(number ticket.Number) string { return string(number) }

// Start is the input of a ticket's workflow: number and page at first, the rest when a run continues as new.
type Start struct {
	Number      ticket.Number          `json:"number"`
	Page        string                 `json:"page,omitempty"` // address of the ticket's page for staff
	Digest      ticket.Digest          `json:"digest,omitzero"`
	LastMail    int                    `json:"last_mail,omitempty"`    // number of the last mail among Owed, or settled
	LastCommand int64                  `json:"last_command,omitempty"` // number of the last command received
	Owed        []ticket.Owed          `json:"owed,omitempty"`         // mails not yet settled, in order
	Claims      []Claim                `json:"claims,omitempty"`       // numbers that signals carried since the last step
	Bounced     []int                  `json:"bounced,omitempty"`      // mails that bounced, not yet recorded
	Delivered   []int                  `json:"delivered,omitempty"`    // mails that ask and were sent, likewise
	Manual      []ticket.ManualCommand `json:"manual,omitempty"`       // manual commands not yet taken
	Received    map[ticket.Verb]int    `json:"received,omitempty"`     // number of signals of each name, ever
	Outcomes    []ManualOutcome        `json:"outcomes,omitempty"`     // of the last manual commands, the oldest first
	CatchUp     bool                   `json:"catch_up,omitempty"`     // the emergency schedule is to be applied
}

// Claim is a command number that a signal carried. If PostgreSQL has no such command, the signal was made up.
type Claim struct {
	Seq  int64       `json:"seq"`
	Verb ticket.Verb `json:"verb"`
	Nth  int         `json:"nth"` // among the signals of that name
}

// Signal is the payload of every signal; the signal's name is the verb. Signals from the API carry the command's number,
// and the rest is for people to read: a step loads the command itself from PostgreSQL. With Schedule a signal asks the
// ticket to apply the emergency schedule; it may come late, twice or never. A manual signal has neither, only the fields
// that its verb takes.
type Signal struct {
	Seq int64     `json:"seq,omitempty"`
	By  string    `json:"by,omitempty"` // handle, or role of those without one
	At  time.Time `json:"at,omitzero"`  // acceptance

	Agent           string          `json:"agent,omitempty"` // assign: handle or ID
	Priority        policy.Priority `json:"priority,omitempty"`
	Category        string          `json:"category,omitempty"`
	Emergency       string          `json:"emergency,omitempty"`
	Seconds         int64           `json:"seconds,omitempty"`          // emergency-extend
	Schedule        int64           `json:"schedule,omitempty"`         // emergency verbs: revision of the schedule that changed or reached a transition
	AttributesAfter int64           `json:"attributes_after,omitempty"` // with schedule: seconds that search attributes may wait
	Policy          int64           `json:"policy,omitempty"`           // adopt-policy: the version
	Until           time.Time       `json:"until,omitzero"`             // snooze
}

// ManualOutcome is what became of a manual command.
type ManualOutcome struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
}

// Report is the answer to the query: what the workflow knows, for a person to read. It is bounded; the whole ledgers are
// in the API and the panel.
type Report struct {
	Summary     []string      `json:"summary,omitempty"` // the digest in words
	Digest      ticket.Digest `json:"digest"`
	LastCommand int64         `json:"last_command"`         // number of the last command received
	Owed        []ticket.Owed `json:"owed"`                 // the first mails not yet sent, in order
	OwedTotal   int           `json:"owed_total,omitempty"` // how many there are

	Outcomes []ManualOutcome `json:"outcomes,omitempty"` // of the last manual commands, the oldest first
}
