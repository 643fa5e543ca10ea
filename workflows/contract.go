// Package workflows defines the workflows of Supportdesk. A ticket's workflow waits for a command or the next due event,
// takes one step, and waits again. The emergency workflow notifies open tickets of transitions of the emergency schedule.
// Package ticket decides what a step does, and PostgreSQL stores it. Workflow code reads no clock, time zone, database or
// text that people wrote.
//
// Files of the ticket workflow begin with ticket_, and those of the emergency workflow with emergency_; others are shared.
package workflows

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The task queues. Mail has its own, so that its rate can be limited and a slow SMTP server delays nothing else. So has the
// emergency workflow, which must not wait behind the tickets that it notifies.
const (
	TicketQueue    = "tickets"
	MailQueue      = "mail"
	EmergencyQueue = "emergency"
)

// The names by which workflows and activities are registered and shown.
const (
	TicketWorkflow  = "Ticket"
	StepActivity    = "Step"
	MailActivity    = "SendMail"
	SendNowActivity = "SendMailNow" // local: within the workflow task
	TicketQuery     = "ticket"

	EmergencyWorkflow = "Emergency"
	EmergencyID       = "emergency" // there is only one
	EmergencyQuery    = "emergency"

	PrepareAnnouncementsActivity = "PrepareAnnouncements"
	SendAnnouncementsActivity    = "SendAnnouncements"
)

// TicketID returns the ID of a ticket's workflow.
func TicketID(number ticket.Number) string { return string(number) }

// Start is the input of a ticket's workflow. The first run has number and page; runs continued as new have the rest too.
type Start struct {
	Number       ticket.Number          `json:"number"`
	Page         string                 `json:"page,omitempty"` // address of the ticket's page for staff
	Digest       ticket.Digest          `json:"digest,omitzero"`
	LastDelivery int                    `json:"last_delivery,omitempty"`      // number of the last delivery in Owed or settled
	LastCommand  int64                  `json:"last_command,omitempty"`       // number of the last command received
	Owed         []ticket.Owed          `json:"pending_deliveries,omitempty"` // deliveries not yet settled, in order
	Claims       []Claim                `json:"claims,omitempty"`             // command numbers of signals since the last step
	Bounced      []int                  `json:"bounced,omitempty"`            // numbers of deliveries that failed, not yet recorded
	Delivered    []int                  `json:"delivered,omitempty"`          // numbers of delivered mails that ask for an answer, not yet recorded
	Manual       []ticket.ManualCommand `json:"manual,omitempty"`             // manual commands not yet taken
	Received     map[ticket.Verb]int    `json:"received,omitempty"`           // number of signals of each name in all runs
	Outcomes     []ManualOutcome        `json:"outcomes,omitempty"`           // of the last manual commands, oldest first
	CatchUp      bool                   `json:"catch_up,omitempty"`           // a step must decide what was accepted and apply the emergency schedule
	Awaits       bool                   `json:"awaits,omitempty"`             // see ticket.StepResult.Awaits
}

// Claim is a command number in a signal. If PostgreSQL has no such command, the signal did not come from the API.
type Claim struct {
	Seq  int64       `json:"seq"`
	Verb ticket.Verb `json:"verb"`
	Nth  int         `json:"nth"` // among the signals of that name
}

// Signal is the payload of every signal; the signal's name is the verb. A signal from the API has the command's number, and
// its other fields are only informative: a step loads the command from PostgreSQL. A signal with Schedule asks the ticket
// to apply the emergency schedule; it may come late, twice or never. A manual command has neither Seq nor Schedule, but the
// fields of its verb.
type Signal struct {
	Seq int64     `json:"seq,omitempty"`
	By  string    `json:"by,omitempty"` // handle, or the role of people without one
	At  time.Time `json:"at,omitzero"`  // when the command was accepted

	Agent           string          `json:"agent,omitempty"` // assign: handle or ID
	Priority        policy.Priority `json:"priority,omitempty"`
	Category        string          `json:"category,omitempty"`
	Emergency       string          `json:"emergency,omitempty"`
	Seconds         int64           `json:"seconds,omitempty"`          // emergency-extend
	Schedule        int64           `json:"schedule,omitempty"`         // emergency verbs: revision of the emergency schedule
	AttributesAfter int64           `json:"attributes_after,omitempty"` // with Schedule: delay allowed for search attributes, in seconds
	Policy          int64           `json:"policy,omitempty"`           // adopt-policy: the version
	Until           time.Time       `json:"until,omitzero"`             // snooze
}

// ManualOutcome is the outcome of a manual command, in words.
type ManualOutcome struct {
	At      time.Time `json:"at"`
	Outcome string    `json:"outcome"`
}

// Report is the result of the query. Its size is bounded; complete ledgers are in the API and the panel.
type Report struct {
	Summary     []string      `json:"summary,omitempty"` // the digest in words
	Digest      ticket.Digest `json:"digest"`
	LastCommand int64         `json:"last_command"`                       // number of the last command received
	Owed        []ticket.Owed `json:"pending_deliveries"`                 // the first deliveries not yet settled, in order
	OwedTotal   int           `json:"pending_deliveries_total,omitempty"` // number of deliveries not yet settled

	Outcomes []ManualOutcome `json:"outcomes,omitempty"` // of the last manual commands, oldest first
}
