package ticket

import "time"

// State is what PostgreSQL keeps of a ticket after a step.
type State struct {
	Ticket  Ticket `json:"ticket"`
	Command int64  `json:"command"` // number of the last command taken
	Mails   int    `json:"mails"`   // number of the last mail owed
	Next    Moment `json:"next,omitzero"`
	Rung    int    `json:"rung,omitempty"`   // see Ticket.Rung
	Paused  bool   `json:"paused,omitempty"` // see Ticket.Paused
	Shown   *Shown `json:"shown,omitempty"`  // nil: kept before there was one
}

// MaxByHand is how many signals by hand one step takes, MaxOwed how many mails and calls it returns, and MaxOutcomes how
// many outcomes it names: a step's request and its result are recorded in a history, and so are bounded.
const (
	MaxByHand   = 100
	MaxOwed     = 500
	MaxOutcomes = 10
)

// StepRequest asks for one step of a ticket. Exactly one of Command, Due, Bounced, Delivered, ByHand and Gate is set.
// Each may be asked for twice: the second time changes nothing and returns the ticket as it then is.
type StepRequest struct {
	Number    Number    `json:"number"`
	Mails     int       `json:"last_mail"` // the last mail that the asker knows of
	Command   int64     `json:"command,omitempty"`
	Due       time.Time `json:"due,omitzero"`
	Bounced   int       `json:"bounced,omitempty"`   // number of a mail that can't be delivered
	Delivered int       `json:"delivered,omitempty"` // number of a mail that asks the requester and that a server took
	ByHand    []ByHand  `json:"manual,omitempty"`    // in the order of their arrival, at most MaxByHand
	Gate      bool      `json:"catch_up,omitempty"`  // take what was accepted, then go on to now under the gate
}

// StepResult is what a step leaves behind.
type StepResult struct {
	Outcomes []string `json:"outcomes,omitempty"` // of the first MaxOutcomes commands that it decided, for people to read; a repeated step decides none

	Digest  Digest `json:"digest"`
	Owed    []Owed `json:"owed,omitempty"` // the first MaxOwed mails and calls after StepRequest.Mails that are neither sent nor given up
	Pending int64  `json:"last_command"`   // number of the last command accepted; those after Digest.Command are still to be taken

	ByHand []ByHandOutcome `json:"manual,omitempty"` // of StepRequest.ByHand; one that is missing is on record and not yet decided
}

// Owed is a mail to be sent, or a webhook to be called, in the order of N for each recipient.
type Owed struct {
	N       int      `json:"n"`
	To      PersonID `json:"to,omitempty"` // of a mail
	Kind    MailKind `json:"kind"`         // KindWebhook for a call
	Webhook string   `json:"webhook,omitempty"`
	Asks    bool     `json:"asks,omitempty"`   // the ticket is to be told that the mail was sent
	Handle  string   `json:"handle,omitempty"` // the recipient's; the requester has none
}

// Recipient names who is to get it, without saying who a requester is.
func (o Owed) Recipient() string {
	switch {
	case o.Kind == KindWebhook:
		return "webhook " + o.Webhook
	case o.Handle != "":
		return o.Handle
	case o.Kind.ToStaff():
		return string(o.To)
	default:
		return "the requester"
	}
}

// Lane is what the order of N is kept in: a person's mails, or a webhook's calls.
func (o Owed) Lane() string {
	if o.Kind == KindWebhook {
		return "webhook " + o.Webhook
	}
	return string(o.To)
}

// MailRequest asks for one mail of a ticket to be sent, or for one of its webhooks to be called.
type MailRequest struct {
	Number Number `json:"number"`
	N      int    `json:"n"`
}

// MailResult tells whether the mail can never be delivered, or the webhook was given up.
type MailResult struct {
	Bounced bool `json:"bounced,omitempty"`
}
