package panel

import (
	"net/http"
	"net/url"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// escalationView is the page behind the link in an escalation's mail. It shows no messages of the ticket; reading them
// requires signing in.
type escalationView struct {
	page.Layout
	Token    string
	Number   ticket.Number
	As       string // name of the recipient of the link
	Record   desk.View
	Breached []breachView
	Reason   string
	Error    string
}

// breachView is a breach whose escalation has not been acknowledged.
type breachView struct {
	What           string
	Due            time.Time
	EscalationStep int
}

// readLink validates the link in the address. If the link has expired or was revoked, it writes the response and
// returns over as true.
func (p *Pages) readLink(v *page.Visit) (n ticket.Number, by desk.Person, over bool, err error) {
	if !p.linkLimiter.Allow(v.Source()) {
		return "", desk.Person{}, false, fault.New(fault.Limited, "too many requests; try again in a moment")
	}
	grant, by, err := p.store.ReadEscalationLink(v.Context(), v.Param("token"))
	if link.Expired(err) {
		v.Flash("That link has expired. Sign in to acknowledge the escalation.")
		return grant.Number, desk.Person{}, true, v.Redirect("/desk/tickets/" + string(grant.Number))
	}
	if link.Revoked(err) {
		ended := escalationView{Layout: v.Layout("This link no longer works", ""), Number: grant.Number}
		return grant.Number, desk.Person{}, true, v.ShowStatus(http.StatusGone, "link-ended", ended)
	}
	return grant.Number, by, false, err
}

// escalation shows the escalations that can be acknowledged. A GET changes nothing, because mail scanners follow every
// link.
func (p *Pages) escalation(v *page.Visit) error {
	n, by, over, err := p.readLink(v)
	if err != nil || over {
		return err
	}
	return p.showEscalation(v, n, by, "", nil)
}

// acknowledge acknowledges the escalation in the name of the link's recipient.
func (p *Pages) acknowledge(v *page.Visit) error {
	n, by, over, err := p.readLink(v)
	if err != nil || over {
		return err
	}
	form, err := v.Form()
	if err != nil {
		return err
	}
	var f input.Fields
	r := input.Command(&f, ticket.VerbAcknowledge, form)
	if err := f.Err(); err != nil {
		return p.showEscalation(v, n, by, form.Get("reason"), err)
	}
	r.Number, r.IdempotencyKey = n, v.IdempotencyKey()
	switch a := request.Ask(v.Context(), p.desk, by, r); a.State {
	case request.Failed:
		return p.showEscalation(v, n, by, form.Get("reason"), a.Err)
	case request.Pending:
		v.Flash("Your acknowledgement was accepted. It may take a moment.")
	case request.Refused:
		return p.showEscalation(v, n, by, form.Get("reason"), fault.NewConflict(a.Outcome.Code, "the escalation was not acknowledged: %s", a.Outcome.Reason))
	default:
		v.Flash("Escalation acknowledged. Thank you.")
	}
	return v.Redirect("/e/" + v.Param("token"))
}

// showEscalation shows the page, with the reason that was typed and the error because of which it was not taken.
func (p *Pages) showEscalation(v *page.Visit, n ticket.Number, by desk.Person, reason string, wrong error) error {
	status, ok := http.StatusOK, true
	if wrong != nil {
		status, ok = formStatus(wrong)
	}
	if !ok {
		return wrong
	}
	record, err := p.desk.Ticket(v.Context(), by, n)
	if err != nil {
		return err
	}
	view := escalationView{
		Layout: v.Layout("Escalation of "+string(n), ""), Token: v.Param("token"), Number: n, As: by.Name, Record: record, Reason: reason,
	}
	if wrong != nil {
		view.Error = errorSentence(wrong)
	}
	for _, name := range policy.ClockNames() {
		if promise := record.Ticket.Promise(name); promise.Escalating() {
			view.Breached = append(view.Breached, breachView{What: clockLabel(name), Due: promise.BreachedAt, EscalationStep: promise.EscalationSteps})
		}
	}
	return v.ShowStatus(status, "escalation", view)
}

// handOver reassigns an escalated ticket and saves the reason as a note. The note is sent after the assignment,
// because there is nothing to explain if another agent has taken the ticket meanwhile.
func (p *Pages) handOver(v *page.Visit, n ticket.Number, form url.Values) error {
	var f input.Fields
	r := input.Command(&f, ticket.VerbAssign, form)
	if r.Agent == "" {
		f.Reject("agent", "is missing: choose a colleague")
	}
	var note desk.Request
	if reason := form.Get("reason"); reason != "" {
		note = input.Command(&f, ticket.VerbNote, url.Values{"body": {reason}})
		note.Number, note.IdempotencyKey = n, v.IdempotencyKey()
	}
	d := draft{escalation: escalationDraft{Handover: true, To: r.Agent, Reason: form.Get("reason")}}
	if err := f.Err(); err != nil {
		return p.respondError(v, n, d, err)
	}
	r.Number, r.IdempotencyKey = n, v.IdempotencyKey()
	of := request.Ask(v.Context(), p.desk, v.Person, r)
	if of.Err == nil && of.State != request.Refused && note.Verb != "" {
		if note.IdempotencyKey.Key != "" {
			note.IdempotencyKey.Key += ":why"
		}
		if noted := request.Ask(v.Context(), p.desk, v.Person, note); noted.Err != nil || noted.State == request.Refused {
			d.escalation.AsNote = true
			d.mistake = "The ticket was handed over, but your reason could not be saved. It is in the note box: save it again."
			return p.showAnswer(v, n, http.StatusConflict, d, false, d.mistake)
		}
	}
	return p.respond(v, r, d, "The ticket was handed over to "+r.Agent+".", of)
}
