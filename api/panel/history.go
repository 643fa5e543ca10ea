package panel

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// mailView is a mail that the ticket owed.
type mailView struct {
	What, To string
	Status   string // sent, waiting, put off, bounced
	At       time.Time
	Reason   string // of a bounce
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
			view.Status, view.Reason = "put off", "A mail server asked for a later try."
		}
		all = append(all, view)
	}
	return all, bounced
}

// sentTo names the recipient, and where to if that was not their own address.
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

// callView is a webhook that the ticket owed a call.
type callView struct {
	What, To string
	Status   string // sent, owed, failed
	Class    string // how it is coloured: as a mail in the same state
	At       time.Time
	Reason   string // of the last try that failed
}

func calls(called []desk.WebhookDelivery) (all []callView, failed bool) {
	for _, c := range called {
		view := callView{
			What: fmt.Sprintf("rung %d for the %s", c.EscalationStep, humanize(string(c.Clock))), To: c.Webhook,
			Status: string(c.Status), Class: "waiting", At: c.Owed,
		}
		switch {
		case c.Status == desk.DeliverySent:
			view.Class, view.At = "sent", c.Settled
		case c.Status == desk.DeliveryFailed:
			view.Class, view.At, view.Reason, failed = "bounced", c.Settled, c.Reason, true
		case c.Tries > 0:
			view.Reason = fmt.Sprintf("Tried %s so far, and again soon: %s.", times(c.Tries), c.Reason)
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

// commandView is a command that was accepted.
type commandView struct {
	What, Who, Result string
	State             string // met, late, soon: how its result is coloured
	At                time.Time
	Reason            string // of a refusal
}

func commands(asked []desk.CommandRecord) []commandView {
	all := make([]commandView, 0, len(asked))
	for _, c := range asked {
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

// commandText is what was asked, with what the verb's fields named.
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
