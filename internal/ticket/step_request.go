package ticket

import (
	"fmt"
	"time"
)

// MaxManual limits the manual commands of a step, MaxOwed the deliveries that it returns, and MaxOutcomes the outcomes.
// They bound what the workflow's history records of a step.
const (
	MaxManual   = 100
	MaxOwed     = 500
	MaxOutcomes = 10
)

// StepRequest asks for a step of a ticket. Exactly one of Command, Due, Bounced, Delivered, Manual and CatchUp is set. A
// repeated request changes nothing and returns the ticket as it then is.
type StepRequest struct {
	Number       Number          `json:"number"`
	LastDelivery int             `json:"last_delivery"` // number of the last delivery that the workflow knows of
	Command      int64           `json:"command,omitempty"`
	Due          time.Time       `json:"due,omitzero"`
	Bounced      int             `json:"bounced,omitempty"`   // number of a delivery that failed
	Delivered    int             `json:"delivered,omitempty"` // number of a delivered mail that asks for an answer
	Manual       []ManualCommand `json:"manual,omitempty"`    // in order of arrival, at most MaxManual
	CatchUp      bool            `json:"catch_up,omitempty"`  // decide what was accepted, then advance to now by the schedule

	SendMails bool `json:"send_mails,omitempty"` // no earlier delivery is pending, so the worker may send the step's mails itself
}

// StepResult is the result of a step.
type StepResult struct {
	// Outcomes describes the outcomes of the first MaxOutcomes commands that the step decided. A repeated step decides none.
	Outcomes []string `json:"outcomes,omitempty"`

	// Sent describes the mails that the worker sent with the step, for people who read the history.
	Sent []string `json:"sent,omitempty"`

	Digest      Digest `json:"digest"`
	Owed        []Owed `json:"pending_deliveries,omitempty"` // the first MaxOwed pending deliveries after StepRequest.LastDelivery
	LastCommand int64  `json:"last_command"`                 // number of the last command accepted; those after Digest.Command are undecided

	Manual []ManualOutcome `json:"manual,omitempty"` // of StepRequest.Manual, except those recorded and undecided

	// SendNow is whether the workflow may send the mails of Owed within its workflow task, if the step did not. The worker that took the step sets
	// it, so that a replay does the same. Workers of releases that sent none in this way never set it.
	SendNow bool `json:"send_now,omitempty"`

	// FewerEvents is whether the workflow may omit from its history what is not needed, such as search attributes that have not
	// changed. As with SendNow, the worker that took the step sets it.
	FewerEvents bool `json:"fewer_events,omitempty"`

	// Awaits is whether the workflow may wait for a condition, which takes less of a worker's memory than a selector. It then handles
	// in another order what arrives at once. As with SendNow, the worker that took the step sets it.
	Awaits bool `json:"awaits,omitempty"`
}

// Owed is a pending delivery, a mail or a webhook call. Those of one recipient are made in the order of N.
type Owed struct {
	N           int      `json:"n"`
	To          PersonID `json:"to,omitempty"` // of a mail
	Kind        MailKind `json:"kind"`         // KindWebhook for a call
	Webhook     string   `json:"webhook,omitempty"`
	Asks        bool     `json:"asks,omitempty"`        // its delivery requires a step, since silence counts from it
	Handle      string   `json:"handle,omitempty"`      // of the recipient; customers have none
	Participant bool     `json:"participant,omitempty"` // the recipient is a participant
}

// Recipient describes the recipient without identifying a customer.
func (o Owed) Recipient() string {
	switch {
	case o.Kind == KindWebhook:
		return "webhook " + o.Webhook
	case o.Handle != "":
		return o.Handle
	case o.Kind.ToStaff():
		return string(o.To)
	case o.Participant:
		return "a participant"
	default:
		return "the requester"
	}
}

// Summary describes the mail.
func (o Owed) Summary() string { return fmt.Sprintf("email %d: %s to %s", o.N, o.Kind, o.Recipient()) }

// OrderKey returns the recipient within which deliveries are made in order: a person or a webhook.
func (o Owed) OrderKey() string {
	if o.Kind == KindWebhook {
		return "webhook " + o.Webhook
	}
	return string(o.To)
}

// DeliveryRequest asks for one delivery of a ticket, a mail or a webhook call.
type DeliveryRequest struct {
	Number Number `json:"number"`
	N      int    `json:"n"`
}

// DeliveryResult reports whether a delivery failed permanently. Pending is of a mail that was to be sent within a workflow task,
// and must be sent by a regular activity.
type DeliveryResult struct {
	Bounced bool `json:"bounced,omitempty"`
	Pending bool `json:"pending,omitempty"`
}
