package panel

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// doneText returns the confirmation of a command from the registry: a sentence about the field that was set, if there
// is one, else the sentence of the verb.
func doneText(r desk.Request) string {
	values := map[string]string{"agent": r.Agent, "address": r.Address}
	d := r.Verb.Definition()
	for _, f := range d.Fields {
		if value := values[f.Name]; f.Done != "" && value != "" {
			return fmt.Sprintf(f.Done, value)
		}
	}
	return d.Done
}

// formHandler handles a form that was posted for a ticket.
type formHandler func(v *page.Visit, n ticket.Number, form url.Values) error

// posted returns the handler that calls h with the ticket in the path and the posted form.
func posted(h formHandler) func(*page.Visit) error {
	return page.Form(func(v *page.Visit, form url.Values) error {
		n, err := ticket.ParseNumber(v.Param("number"))
		if err != nil {
			return err
		}
		return h(v, n, form)
	})
}

// command returns the handler of a form for a verb that takes no message.
func (p *Pages) command(verb ticket.Verb) formHandler {
	return func(v *page.Visit, n ticket.Number, form url.Values) error {
		var f input.Fields
		r := input.Command(&f, verb, instants(form, verb, v.Zone))
		typed := draft{escalation: escalationDraft{Reason: form.Get("reason")}}
		if verb.Takes("person") {
			typed.person = typedPerson(verb.Definition().For(ticket.RoleAgent)[0].Path, form)
		}
		if err := f.Err(); err != nil {
			return p.respondError(v, n, typed, err)
		}
		r.Number, r.IdempotencyKey = n, v.IdempotencyKey()
		return p.submit(v, r, typed)
	}
}

// write returns the handler of a composer's form. If the message is not accepted, the form is shown again with its
// text.
func (p *Pages) write(m mode) formHandler {
	return func(v *page.Visit, n ticket.Number, form url.Values) error {
		d := draft{kind: m.Key, body: form.Get("body"), alone: form.Get("recipients") == input.ToRequester}
		err := v.UploadFiles(p.files, v.Person)
		d.files = v.Attached()
		if err != nil {
			return p.respondError(v, n, d, err)
		}
		if form.Get("fill") != "" {
			return p.insertCanned(v, n, d, form.Get("canned"))
		}
		if form.Get("preview") != "" {
			d.preview = true
			return p.showTicket(v, n, http.StatusOK, d, feedback{})
		}
		var f input.Fields
		r := input.Command(&f, m.verb, form)
		r.Number, r.IdempotencyKey = n, v.IdempotencyKey()
		if left := missingPlaceholder(d.body); left != "" && m.Key.Public() {
			f.Reject("body", "still contains %s; replace it before you send", left)
		}
		if err := f.Err(); err != nil {
			return p.respondError(v, n, d, err)
		}
		return p.submit(v, r, d)
	}
}

// missingPlaceholder returns a placeholder of a canned reply that is still in the text, or "".
func missingPlaceholder(body string) string {
	for _, name := range desk.Placeholders() {
		if placeholder := "{{" + name + "}}"; strings.Contains(body, placeholder) {
			return placeholder
		}
	}
	return ""
}

// submit sends a command and responds with its outcome.
func (p *Pages) submit(v *page.Visit, r desk.Request, d draft) error {
	return p.respond(v, r, d, doneText(r), request.Ask(v.Context(), p.desk, v.Person, r))
}

// respond writes the response to a command. doneText is the confirmation if the command succeeded.
func (p *Pages) respond(v *page.Visit, r desk.Request, d draft, done string, a request.Answer) error {
	outcome := a.Outcome
	switch {
	case a.State == request.Failed:
		return p.respondError(v, r.Number, d, a.Err)
	case a.State == request.Pending:
		done = "Accepted. This may take a moment."
	case outcome.Refused && outcome.Code == ticket.CodeTaken:
		return p.respondError(v, r.Number, d, p.alreadyAssigned(v, r.Number, outcome))
	case outcome.Refused && outcome.Code == ticket.CodeUnseen:
		return p.respondUnseen(v, r, d, outcome)
	case outcome.Refused:
		return p.respondError(v, r.Number, d, fault.NewConflict(outcome.Code, "%s", outcome.Reason))
	default:
		done += p.assigneeWarning(v, r)
	}
	v.Accepted()
	return p.showAnswer(v, r.Number, http.StatusOK, d.next(), d.kind != "", done)
}

// assigneeWarning returns a warning if the agent to whom r assigns the ticket is away. It is empty if the agent is
// available or if that can't be determined.
func (p *Pages) assigneeWarning(v *page.Visit, r desk.Request) string {
	if r.Agent == "" {
		return ""
	}
	shared, err := p.loadShared(v)
	if warning := shared.awayWarning(r.Agent, v.Layout("", "")); err == nil && warning != "" {
		return " " + warning
	}
	return ""
}

// alreadyAssigned returns the error for an assignment that was refused because the ticket has been assigned to another
// agent.
func (p *Pages) alreadyAssigned(v *page.Visit, n ticket.Number, outcome ticket.Outcome) error {
	record, err := p.desk.Ticket(v.Context(), v.Person, n)
	if err != nil {
		return err
	}
	reason := outcome.Reason
	if record.Assignee != nil {
		reason = record.Assignee.Name + " has this ticket now; take it again if you still want to"
	}
	return fault.NewConflict(outcome.Code, "%s", reason)
}

// respondError shows the ticket with the error and the draft. It returns errors that have no place on the page.
func (p *Pages) respondError(v *page.Visit, n ticket.Number, d draft, err error) error {
	status, ok := formStatus(err)
	switch status {
	case http.StatusTooManyRequests:
		v.RetryAfter(err)
	case http.StatusServiceUnavailable:
		if form, wrong := v.Form(); wrong == nil {
			d.idempotencyKey = form.Get("idempotency_key")
		}
	}
	if !ok {
		return err
	}
	d.mistake = errorSentence(err)
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Code == ticket.CodeNothing && d.escalation.Reason == "" {
		status = http.StatusOK
	}
	return p.showAnswer(v, n, status, d, d.kind != "", d.mistake)
}

// formStatus returns the status of a page that shows an error beside its form. It returns false for an error that has a
// page of its own.
func formStatus(err error) (status int, ok bool) {
	switch kind := fault.KindOf(err); kind {
	case fault.Invalid, fault.TooLarge:
		return http.StatusUnprocessableEntity, true
	case fault.Conflict, fault.Limited, fault.Unavailable, fault.Forbidden:
		return request.Status(kind), true
	default:
		return 0, false
	}
}

// showAnswer shows the current state of the ticket with a sentence, which is about an error unless the status is 200.
// Browsers without scripts are redirected to the ticket after a success.
func (p *Pages) showAnswer(v *page.Visit, n ticket.Number, status int, d draft, spoke bool, text string) error {
	message := feedback{Text: text, Bad: status != http.StatusOK}
	switch {
	case !v.Partial() && message.Bad:
		return p.showTicket(v, n, status, d, message)
	case !v.Partial():
		v.Flash("%s", text)
		s, _ := readSearch(v, v.Queries())
		to := s.ticketAddress(n)
		if d.kind != "" {
			to += "&mode=" + string(d.kind)
		}
		return v.Redirect(to)
	}
	view, err := p.loadTicket(v, n, d)
	if err != nil {
		return err
	}
	view.Swap, view.Spoke, view.Said = true, spoke, message
	view.Composer.Swap, view.Composer.Live = spoke, !spoke
	if spoke {
		v.SetHeader("HX-Trigger", "desk:"+map[bool]string{true: "refused", false: "sent"}[message.Bad])
	}
	return v.Fragment("desk", "answer", view)
}

// respondUnseen shows a draft again that was refused because others wrote in the meantime, together with their messages. The
// form then marks these as seen, so that it is accepted when it is sent again.
func (p *Pages) respondUnseen(v *page.Visit, r desk.Request, d draft, o ticket.Outcome) error {
	entries, err := p.desk.Timeline(v.Context(), v.Person, r.Number)
	if err != nil {
		return err
	}
	var writers []string
	for _, e := range desk.Unseen(entries, v.Person, r.Seen) {
		if name := actorName(e.By.Role, e.Author); !slices.Contains(writers, name) {
			writers = append(writers, name)
		}
	}
	d.seen = r.Seen
	what := "this was not sent"
	if d.kind == "" {
		v.SetHeader("HX-Trigger-After-Settle", "desk:unseen")
		what = "the ticket was not closed: read it, then close it again if you still want to"
	}
	return p.respondError(v, r.Number, d, fault.NewConflict(o.Code, "%s replied in the meantime, and %s", strings.Join(writers, " and "), what))
}

// unseen returns the lines because of which a draft was refused. It returns none if the draft was not refused for that
// reason.
func unseen(all []line, entries []desk.Entry, by desk.Person, d draft) (lines []line) {
	if d.seen == 0 {
		return nil
	}
	for _, e := range desk.Unseen(entries, by, d.seen) {
		lines = append(lines, all[slices.IndexFunc(all, func(l line) bool { return l.N == e.N })])
	}
	return lines
}

// readSeen parses the number of the last timeline entry that each row of a list showed.
func readSeen(f *input.Fields, form url.Values) map[ticket.Number]int {
	seen := map[ticket.Number]int{}
	for name := range form {
		if n, is := strings.CutPrefix(name, "seen-"); is {
			seen[ticket.Number(n)] = f.Entry("what was seen", form.Get(name))
		}
	}
	return seen
}
