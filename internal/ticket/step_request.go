package ticket

import (
	"time"
)

// MaxByHand is how many signals by hand one step takes, and MaxOwed how many mails and calls it returns: a step's request
// and its result are recorded in a history, and so are bounded.
const (
	MaxByHand = 100
	MaxOwed   = 500
)

// StepRequest asks for one step of a ticket. Exactly one of Command, Due, Bounced, Delivered, ByHand and Gate is set.
// Each may be asked for twice: the second time changes nothing and returns the ticket as it then is.
type StepRequest struct {
	Number    Number    `json:"number"`
	Mails     int       `json:"mails"` // the last mail that the asker knows of
	Command   int64     `json:"command,omitempty"`
	Due       time.Time `json:"due,omitzero"`
	Bounced   int       `json:"bounced,omitempty"`   // number of a mail that can't be delivered
	Delivered int       `json:"delivered,omitempty"` // number of a mail that asks the requester and that a server took
	ByHand    []ByHand  `json:"by_hand,omitempty"`   // in the order of their arrival, at most MaxByHand
	Gate      bool      `json:"gate,omitempty"`      // take what was accepted, then go on to now under the gate
}

// StepResult is what a step leaves behind.
type StepResult struct {
	Digest  Digest `json:"digest"`
	Owed    []Owed `json:"owed,omitempty"` // the first MaxOwed mails and calls after StepRequest.Mails that are neither sent nor given up
	Pending int64  `json:"pending"`        // number of the last command accepted; those after Digest.Command are still to be taken

	ByHand []ByHandOutcome `json:"by_hand,omitempty"` // of StepRequest.ByHand; one that is missing is on record and not yet decided
}

// Owed is a mail to be sent, or a webhook to be called, in the order of N for each recipient.
type Owed struct {
	N       int      `json:"n"`
	To      PersonID `json:"to,omitempty"` // of a mail
	Kind    MailKind `json:"kind"`         // KindWebhook for a call
	Webhook string   `json:"webhook,omitempty"`
	Asks    bool     `json:"asks,omitempty"` // the ticket is to be told that the mail was sent
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
