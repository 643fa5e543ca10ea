package panel

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// reading turns a form into a command, and says what is told when it is done.
type reading func(*input.Fields, url.Values) (r desk.Request, done string)

func assignment(f *input.Fields, form url.Values) (desk.Request, string) {
	r := desk.Request{Verb: ticket.VerbAssign, Agent: f.Optional("agent", form.Get("agent"), input.MaxWord)}
	if form.Has("expected") {
		expected := f.Optional("expected", form.Get("expected"), input.MaxWord)
		r.Expected = &expected
	}
	if r.Agent == "" {
		return r, "The ticket is yours."
	}
	return r, "The ticket is assigned to " + r.Agent + "."
}

// classification sends what the form shows; what it does not change is left to the domain to notice.
func classification(f *input.Fields, form url.Values) (desk.Request, string) {
	r := desk.Request{
		Verb: ticket.VerbReclassify, Priority: policy.Priority(form.Get("priority")),
		Category: f.Optional("category", form.Get("category"), input.MaxWord),
	}
	if r.Priority != "" && !r.Priority.Valid() {
		f.Reject("priority", "is no priority")
	}
	return r, "The ticket is reclassified."
}

func acknowledgement(f *input.Fields, form url.Values) (desk.Request, string) {
	r := desk.Request{Verb: ticket.VerbAcknowledge}
	if form.Get("reason") != "" {
		r.Body = f.Words("reason", form.Get("reason"))
	}
	return r, "The escalation is acknowledged."
}

func resending(f *input.Fields, form url.Values) (desk.Request, string) {
	r := desk.Request{Verb: ticket.VerbResend, Address: f.Optional("address", strings.TrimSpace(form.Get("address")), 254)} // the longest address that mail has
	n, err := strconv.Atoi(form.Get("mail"))
	if err != nil || n < 1 {
		f.Reject("mail", "is no mail of this ticket")
	}
	r.Mail = n
	if r.Address == "" {
		return r, "The mail is sent again."
	}
	return r, "The mail is sent again, to " + r.Address + "."
}

func closure(f *input.Fields, form url.Values) (desk.Request, string) {
	return desk.Request{Verb: ticket.VerbClose, Seen: f.Entry("seen", form.Get("seen"))}, "The ticket is closed."
}

func reopening(*input.Fields, url.Values) (desk.Request, string) {
	return desk.Request{Verb: ticket.VerbReopen}, "The ticket is open again."
}

// command handles a form that asks something of a ticket.
func (p *Pages) command(read reading) func(*page.Visit) error {
	return func(v *page.Visit) error {
		n, err := ticket.ParseNumber(v.Param("number"))
		if err != nil {
			return err
		}
		form, err := v.Form()
		if err != nil {
			return err
		}
		var f input.Fields
		r, done := read(&f, form)
		typed := draft{escalation: escalationDraft{Reason: form.Get("reason")}}
		if err := f.Err(); err != nil {
			return p.refused(v, n, typed, err)
		}
		r.Number, r.Once = n, v.Once()
		return p.ask(v, r, typed, done)
	}
}

// write handles a composer's form. Whatever goes wrong, what was typed comes back.
func (p *Pages) write(m mode) func(*page.Visit) error {
	return func(v *page.Visit) error {
		n, err := ticket.ParseNumber(v.Param("number"))
		if err != nil {
			return err
		}
		form, err := v.Form()
		if err != nil {
			return err
		}
		d := draft{kind: m.Key, body: form.Get("body")}
		if form.Get("fill") != "" {
			return p.fill(v, n, d, form.Get("canned"))
		}
		var f input.Fields
		r := desk.Request{Number: n, Verb: m.verb, Body: f.Words("body", d.body), Once: v.Once()}
		if m.Key.Public() {
			r.Seen = f.Entry("seen", form.Get("seen"))
		}
		if left := unfilled(d.body); left != "" && m.Key.Public() {
			f.Reject("body", "still holds %s; write what belongs there", left)
		}
		if err := f.Err(); err != nil {
			return p.refused(v, n, d, err)
		}
		return p.ask(v, r, d, m.done)
	}
}

// unfilled is a placeholder of a canned reply that had no value; empty when there is none.
func unfilled(body string) string {
	for _, name := range desk.Placeholders() {
		if placeholder := "{{" + name + "}}"; strings.Contains(body, placeholder) {
			return placeholder
		}
	}
	return ""
}

// ask passes a command on and answers with what became of it. One that was accepted is kept, whatever happens next.
func (p *Pages) ask(v *page.Visit, r desk.Request, d draft, done string) error {
	accepted, outcome, decided, err := p.desk.Command(v.Context(), v.Person, r)
	return p.became(v, r, d, done, result{accepted, outcome, decided, err})
}

// result is what the desk answered to a command.
type result struct {
	accepted desk.Accepted
	outcome  ticket.Outcome
	decided  bool
	err      error
}

// became answers with what became of a command.
func (p *Pages) became(v *page.Visit, r desk.Request, d draft, done string, of result) error {
	accepted, outcome, decided, err := of.accepted, of.outcome, of.decided, of.err
	switch {
	case err != nil && accepted.Seq == 0:
		return p.refused(v, r.Number, d, err)
	case err != nil || !decided:
		v.Accepted()
		return p.answer(v, r.Number, http.StatusOK, d.sent(), d.kind != "", said{Text: "Accepted. It takes a moment to be decided."})
	case outcome.Refused && outcome.Code == ticket.CodeTaken:
		return p.refused(v, r.Number, d, p.taken(v, r.Number, outcome))
	case outcome.Refused && outcome.Code == ticket.CodeUnseen:
		return p.crossed(v, r, d, outcome)
	case outcome.Refused:
		return p.refused(v, r.Number, d, fault.Refusal(outcome.Code, "%s", outcome.Reason))
	}
	v.Accepted()
	return p.answer(v, r.Number, http.StatusOK, d.sent(), d.kind != "", said{Text: done + p.awayNow(v, r)})
}

// awayNow tells that whoever was given a ticket is away; nothing when they are here, or when it can't be learned.
func (p *Pages) awayNow(v *page.Visit, r desk.Request) string {
	if r.Verb != ticket.VerbAssign || r.Agent == "" {
		return ""
	}
	shared, err := p.common(v)
	if warning := shared.warning(r.Agent, v.Layout("", "")); err == nil && warning != "" {
		return " " + warning
	}
	return ""
}

// taken says who has a ticket that somebody else wanted.
func (p *Pages) taken(v *page.Visit, n ticket.Number, outcome ticket.Outcome) error {
	record, err := p.desk.Ticket(v.Context(), v.Person, n)
	if err != nil {
		return err
	}
	if record.Assignee == nil {
		return fault.Refusal(outcome.Code, "%s", outcome.Reason)
	}
	return fault.Refusal(outcome.Code, "%s has this ticket now; take it again if you still want to", record.Assignee.Name)
}

// refused gives back what was typed, with the reason.
func (p *Pages) refused(v *page.Visit, n ticket.Number, d draft, err error) error {
	status := http.StatusConflict
	switch fault.KindOf(err) {
	case fault.Invalid, fault.TooLarge:
		status = http.StatusUnprocessableEntity
	case fault.Conflict:
	case fault.Limited:
		v.RetryAfter(err)
		status = http.StatusTooManyRequests
	case fault.Unavailable:
		status = http.StatusServiceUnavailable
		if form, wrong := v.Form(); wrong == nil {
			d.once = form.Get("once")
		}
	case fault.Forbidden:
		status = http.StatusForbidden
	default:
		return err
	}
	d.mistake = mistake(err)
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Code == ticket.CodeNothing && d.escalation.Reason == "" {
		return p.answer(v, n, http.StatusOK, d, d.kind != "", said{Text: d.mistake})
	}
	return p.answer(v, n, status, d, d.kind != "", said{Text: d.mistake, Bad: true})
}

// answer shows the ticket as it is now. A browser without scripts is sent to it, unless something has to be put right.
func (p *Pages) answer(v *page.Visit, n ticket.Number, status int, d draft, spoke bool, heard said) error {
	if !v.Partial() {
		if status == http.StatusOK {
			v.Flash("%s", heard.Text)
			s, _ := readSearch(v, v.Queries())
			to := s.ticketAddress(n)
			if d.kind != "" {
				to += "&mode=" + string(d.kind)
			}
			return v.Redirect(to)
		}
		return p.showTicket(v, n, status, d, heard)
	}
	view, err := p.open(v, n, d)
	if err != nil {
		return err
	}
	view.Swap, view.Spoke, view.Said = true, spoke, heard
	view.Composer.Swap, view.Composer.Live = spoke, !spoke
	if spoke {
		v.SetHeader("HX-Trigger", "desk:"+map[bool]string{true: "refused", false: "sent"}[heard.Bad])
	}
	return v.Fragment("desk", "answer", view)
}

// id reads a number from the path.
func id(v *page.Visit) (int64, error) {
	n, err := strconv.ParseInt(v.Param("id"), 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.NotFound, "no page has this address")
	}
	return n, nil
}
