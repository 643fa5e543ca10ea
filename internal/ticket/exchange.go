package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// State is what a ticket's workflow keeps and its history records: small, and without a word that anybody wrote. What
// the workflow shows of a ticket is worked out by the step and recorded here, so that a change of the domain's rules
// changes nothing in a replay.
type State struct {
	Ticket  Ticket `json:"ticket"`
	Command int64  `json:"command"` // number of the last command taken
	Mails   int    `json:"mails"`   // number of the last mail owed
	Next    Moment `json:"next,omitzero"`
	Rung    int    `json:"rung,omitempty"`   // see Ticket.Rung
	Paused  bool   `json:"paused,omitempty"` // see Ticket.Paused
	Shown   *Shown `json:"shown,omitempty"`  // nil: kept before there was one
}

// StepRequest asks for one step of a ticket. Exactly one of Command, Due, Bounced, Delivered, ByHand and Gate is set. Each may be
// asked for twice: the second time changes nothing and gives the state as it then is.
type StepRequest struct {
	Number    Number    `json:"number"`
	Mails     int       `json:"mails"` // the last mail that the asker knows of
	Command   int64     `json:"command,omitempty"`
	Due       time.Time `json:"due,omitzero"`
	Bounced   int       `json:"bounced,omitempty"`   // number of a mail that can't be delivered
	Delivered int       `json:"delivered,omitempty"` // number of a mail that asks the requester and that a server took
	ByHand    *ByHand   `json:"by_hand,omitempty"`
	Gate      bool      `json:"gate,omitempty"` // take what was accepted, then go on to now under the gate
}

// StepResult is what a step leaves behind.
type StepResult struct {
	State   State  `json:"state"`
	Owed    []Owed `json:"owed,omitempty"` // mails and calls after StepRequest.Mails that are neither sent nor given up
	Pending int64  `json:"pending"`        // number of the last command accepted; those after State.Command are still to be taken
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

// ByHand is a signal that did not come through the API: it has no number yet and names nobody. A step gives it
// one, so that it becomes a command like any other.
type ByHand struct {
	Key       string          `json:"key"` // the same for every try of one signal
	Verb      Verb            `json:"verb"`
	Malformed bool            `json:"malformed,omitempty"` // its payload can't be read; it is to be refused
	Agent     string          `json:"agent,omitempty"`     // handle or ID
	Priority  policy.Priority `json:"priority,omitempty"`
	Category  string          `json:"category,omitempty"`
	Emergency string          `json:"emergency,omitempty"`
	Extension time.Duration   `json:"extension,omitempty"`
	Policy    int64           `json:"policy,omitempty"`
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
