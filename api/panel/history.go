package panel

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// mailView is a mail of the ticket.
type mailView struct {
	What, To string
	Status   string // sent, waiting, deferred or bounced
	At       time.Time
	Reason   string // why it bounced
}

func mails(posted []desk.Posted) (all []mailView, bounced bool) {
	for _, m := range posted {
		view := mailView{What: humanize(string(m.Kind)), To: sentTo(m), Status: "waiting", At: m.Owed, Reason: m.Reason}
		switch {
		case m.Status == desk.DeliverySent:
			view.Status, view.At = "sent", m.Settled
		case m.Status == desk.DeliveryBounced:
			view.Status, view.At, bounced = "bounced", m.Settled, true
		case !m.Deferred.IsZero():
			view.Status, view.Reason = "deferred", "A mail server asked us to try again later."
		}
		all = append(all, view)
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

// callView is a webhook call of the ticket.
type callView struct {
	What, To string
	Status   string // a desk.DeliveryStatus
	Class    string // CSS class: the same as that of a mail in this state
	At       time.Time
	Reason   string // why the last attempt failed
}

func calls(called []desk.WebhookDelivery) (all []callView, failed bool) {
	for _, c := range called {
		view := callView{
			What: fmt.Sprintf("escalation step %d for the %s", c.EscalationStep, humanize(string(c.Clock))), To: c.Webhook,
			Status: string(c.Status), Class: "waiting", At: c.Owed,
		}
		switch {
		case c.Status == desk.DeliverySent:
			view.Class, view.At = "sent", c.Settled
		case c.Status == desk.DeliveryFailed:
			view.Class, view.At, view.Reason, failed = "bounced", c.Settled, c.Reason, true
		case c.Tries > 0:
			view.Reason = fmt.Sprintf("Tried %s so far, and will be tried again: %s.", times(c.Tries), c.Reason)
		}
		all = append(all, view)
	}
	return all, failed
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// commandView is an accepted command and its outcome.
type commandView struct {
	What, Who, Result string
	State             string // CSS class: met, late or soon
	At                time.Time
	Reason            string // why it was refused
}

func commands(records []desk.CommandRecord) []commandView {
	all := make([]commandView, 0, len(records))
	for _, c := range records {
		view := commandView{What: commandText(c), Who: actorName(c.By.Role, c.By), At: c.At, State: "soon", Result: "waiting"}
		switch {
		case c.Decided && c.Outcome.Refused:
			view.State, view.Result, view.Reason = "late", "refused", humanize(c.Outcome.Code)
			if c.Outcome.Reason != "" {
				view.Reason = c.Outcome.Reason
			}
		case c.Decided:
			view.State, view.Result = "met", "done"
		}
		all = append(all, view)
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
