package panel

import (
	"net/http"
	"net/url"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// handOver reassigns an escalated ticket and saves the reason as a note. The note is sent after the assignment,
// because there is nothing to explain if another agent has taken the ticket meanwhile.
func (p *Pages) handOver(v *page.Visit) error {
	n, err := ticket.ParseNumber(v.Param("number"))
	if err != nil {
		return err
	}
	form, err := v.Form()
	if err != nil {
		return err
	}
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
			return p.showAnswer(v, n, http.StatusConflict, d, false, feedback{Text: d.mistake, Bad: true})
		}
	}
	return p.respond(v, r, d, "The ticket was handed over to "+r.Agent+".", of)
}
