package panel

import (
	"net/url"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// newTicketPage is the form with which agents open a ticket for a customer who called or came in.
type newTicketPage struct {
	page.Layout
	Policy *policy.Policy
	Typed  newTicketForm
	Errors map[string]string // by field
	Wrong  string
}

// newTicketForm holds the form as typed.
type newTicketForm struct{ Address, Name, Subject, Body, Category, Priority, Order string }

// Priorities returns the priorities, which agents may always choose.
func (newTicketPage) Priorities() []policy.Priority { return policy.Priorities() }

// newTicket shows the empty form. The address may be given in the query.
func (p *Pages) newTicket(v *page.Visit) error {
	view, err := p.newTicketView(v, newTicketForm{Address: v.Query("address"), Priority: string(policy.PriorityNormal)})
	if err != nil {
		return err
	}
	return v.Show("new-ticket", view)
}

func (p *Pages) newTicketView(v *page.Visit, typed newTicketForm) (newTicketPage, error) {
	view := newTicketPage{Layout: v.Layout("New ticket", "/desk"), Typed: typed}
	var err error
	_, view.Policy, _, err = p.desk.PolicyInForce(v.Context())
	return view, err
}

// openTicket submits the ticket and redirects to it. If it is not accepted, the form is shown again as typed.
func (p *Pages) openTicket(v *page.Visit, form url.Values) error {
	typed := newTicketForm{
		Address: form.Get("address"), Name: form.Get("name"), Subject: form.Get("subject"), Body: form.Get("body"),
		Category: form.Get("category"), Priority: form.Get("priority"), Order: form.Get("order"),
	}
	sub, err := parseNewTicket(typed)
	if err == nil {
		sub.IdempotencyKey = v.IdempotencyKey()
		var receipt desk.Receipt
		if receipt, err = p.desk.Submit(v.Context(), v.Person, sub); err == nil {
			v.Flash("Ticket opened. %s receives the receipt.", typed.Address)
			return v.Redirect("/desk/tickets/" + string(receipt.Number))
		}
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.Limited, fault.Unavailable:
	default:
		return err
	}
	view, wrong := p.newTicketView(v, typed)
	if wrong != nil {
		return wrong
	}
	view.Errors, view.Wrong = page.FieldErrors(err), errorSentence(err)
	if len(view.Errors) > 0 {
		view.Wrong = "Please check the marked fields."
	}
	return v.ShowError(err, "new-ticket", view)
}

func parseNewTicket(typed newTicketForm) (desk.Submission, error) {
	var f input.Fields
	return desk.Submission{
		Requester: input.Whom(&f, "requester", typed.Address, typed.Name),
		Subject:   f.Line("subject", typed.Subject, desk.MaxSubject),
		Body:      f.Words("body", typed.Body),
		Category:  f.Optional("category", typed.Category, input.MaxWord),
		Priority:  policy.Priority(typed.Priority),
		Order:     f.Optional("order", typed.Order, input.MaxOrder),
	}, f.Err()
}
