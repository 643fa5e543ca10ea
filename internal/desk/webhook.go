package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// WebhookCall is a webhook that an event owes: everything that it is told, and no word that anybody wrote.
type WebhookCall struct {
	Number  ticket.Number
	N       int    // its number among what the ticket owes
	Event   int    // the timeline number of the event that owes it
	Epoch   int64  // of the database when the event was written
	Webhook string // its name in the policy

	Clock          policy.ClockName
	EscalationStep int
	Priority       policy.Priority
	Breached       time.Time // the deadline that passed
	Due            time.Time // when the rung fell due
	Fired          time.Time // and when it fired; later than Due if no worker ran
}

// WebhookDelivery is a webhook that a ticket owes or owed, and what became of it.
type WebhookDelivery struct {
	WebhookCall
	Status   DeliveryStatus // owed, sent or failed
	Owed     time.Time
	Deferred time.Time // of the first try that failed; zero: none did
	Tries    int       // that failed
	Reason   string    // of the last try that failed
	Settled  time.Time // zero while it is owed
}
