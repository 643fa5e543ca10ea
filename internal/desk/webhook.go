package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// WebhookCall is the data of one call of a webhook. It has no text that people wrote.
type WebhookCall struct {
	Number  ticket.Number
	N       int    // its number among the ticket's deliveries
	Event   int    // number of the event that caused it
	Epoch   int64  // of the database when the event was recorded
	Webhook string // name in the policy

	Clock          policy.ClockName
	EscalationStep int
	Priority       policy.Priority
	Breached       time.Time // the deadline that passed
	Due            time.Time // when the escalation step was due
	Fired          time.Time // when it fired; later than Due if no worker ran
}

// WebhookDelivery is a call of a webhook with its delivery status.
type WebhookDelivery struct {
	WebhookCall
	Status   DeliveryStatus // owed, sent or failed
	Owed     time.Time
	Deferred time.Time // of the first failed attempt; zero: none
	Tries    int       // failed attempts
	Reason   string    // of the last failed attempt
	Settled  time.Time // when it was sent or given up; zero: still owed
}
