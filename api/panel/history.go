package panel

import (
	"cmp"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// historyItem is a line of the ticket's history: an email, a webhook call or a command.
type historyItem struct {
	What, Whom string // Whom is its recipient, or who asked for the command
	Status     string
	Class      string // CSS class of the status
	At         time.Time
	Reason     string // why it failed, was deferred or was refused
}

// mails returns the emails of a ticket, and whether one of them bounced.
func mails(posted []desk.Posted) (all []historyItem, bounced bool) {
	for _, m := range posted {
		item := historyItem{What: humanize(string(m.Kind)), Whom: sentTo(m), Status: "waiting", Class: "mail-waiting", At: m.Owed, Reason: m.Reason}
		switch {
		case m.Status == desk.DeliverySent:
			item.Status, item.Class, item.At = "sent", "mail-sent", m.Settled
		case m.Status == desk.DeliveryBounced:
			item.Status, item.Class, item.At, bounced = "bounced", "mail-bounced", m.Settled, true
		case !m.Deferred.IsZero():
			item.Status, item.Class, item.Reason = "deferred", "mail-deferred", "A mail server asked us to try again later."
		}
		all = append(all, item)
	}
	return all, bounced
}

// sentTo returns the name of the recipient, with the address if it was not the recipient's own.
func sentTo(m desk.Posted) string {
	to := m.To.Name
	if m.Address != "" {
		to += " at " + m.Address
	}
	if m.Resends > 0 {
		to += ", again"
	}
	return to
}

// calls returns the webhook calls of a ticket, and whether one of them failed.
func calls(called []desk.WebhookDelivery) (all []historyItem, failed bool) {
	for _, c := range called {
		item := historyItem{
			What: fmt.Sprintf("escalation step %d for the %s", c.EscalationStep, clockLabel(c.Clock)), Whom: c.Webhook,
			Status: string(c.Status), Class: "mail-waiting", At: c.Owed,
		}
		switch {
		case c.Status == desk.DeliverySent:
			item.Class, item.At = "mail-sent", c.Settled
		case c.Status == desk.DeliveryFailed:
			item.Class, item.At, item.Reason, failed = "mail-bounced", c.Settled, c.Reason, true
		case c.Tries == 1:
			item.Reason = fmt.Sprintf("Tried once so far, and will be tried again: %s.", c.Reason)
		case c.Tries > 1:
			item.Reason = fmt.Sprintf("Tried %d times so far, and will be tried again: %s.", c.Tries, c.Reason)
		}
		all = append(all, item)
	}
	return all, failed
}

// commands returns the accepted commands of a ticket with their outcomes.
func commands(records []desk.CommandRecord) []historyItem {
	all := make([]historyItem, 0, len(records))
	for _, c := range records {
		item := historyItem{What: commandText(c), Whom: actorName(c.By.Role, c.By), At: c.At, Status: "waiting", Class: "soon"}
		switch {
		case c.Decided && c.Outcome.Refused:
			item.Status, item.Class, item.Reason = "refused", "late", cmp.Or(c.Outcome.Reason, humanize(c.Outcome.Code))
		case c.Decided:
			item.Status, item.Class = "done", "met"
		}
		all = append(all, item)
	}
	return all
}

// commandText describes a command: its number, its verb and the values of its fields.
func commandText(c desk.CommandRecord) string {
	what := fmt.Sprintf("%d. %s", c.Seq, humanize(string(c.Verb)))
	if c.Agent != nil {
		what += " to " + c.Agent.Name
	}
	named := map[string]string{"priority": string(c.Priority), "category": c.Category}
	for _, f := range c.Verb.Definition().Fields {
		if value := named[f.Name]; value != "" {
			what += " " + value
		}
	}
	return what
}
