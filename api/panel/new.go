package panel

import (
	"cmp"
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
	Policy   *policy.Policy
	Typed    newTicketForm
	Errors   map[string]string // by field
	Wrong    string
	Key      string // idempotency key of the form
	Attach   page.AttachField
	Composer page.Composer
}

// newTicketForm holds the form as typed.
type newTicketForm struct{ Channel, Address, Name, Subject, Body, Format, Category, Priority, Order string }

// Priorities returns the priorities, which agents may always choose.
func (newTicketPage) Priorities() []policy.Priority { return policy.Priorities() }

// Channel returns the choice of how the customer contacted the agent.
func (n newTicketPage) Channel() choice {
	return newChoice("How they contacted you", "channel", n.Typed.Channel, []option{
		{Value: string(desk.ChannelPhone), Text: "By phone"}, {Value: string(desk.ChannelInPerson), Text: "In person"},
	})
}

// newTicket shows the empty form. The address may be given in the query.
func (p *Pages) newTicket(v *page.Visit) error {
	typed := newTicketForm{Channel: string(desk.ChannelPhone), Address: v.Query("address"), Priority: string(policy.PriorityNormal)}
	view, err := p.newTicketView(v, typed)
	if err != nil {
		return err
	}
	return v.Show("new-ticket", view)
}

func (p *Pages) newTicketView(v *page.Visit, typed newTicketForm) (newTicketPage, error) {
	view := newTicketPage{Layout: v.Layout("New ticket", "/desk"), Typed: typed, Attach: v.AttachField("/files", p.files.Limits())}
	view.Key = view.IdempotencyKey()
	var err error
	_, view.Policy, _, err = p.desk.PolicyInForce(v.Context())
	return view, err
}

// openTicket submits the ticket and redirects to it. If it is not accepted, the form is shown again as typed.
func (p *Pages) openTicket(v *page.Visit, form url.Values) error {
	typed := newTicketForm{
		Channel: cmp.Or(form.Get("channel"), string(desk.ChannelPhone)), Address: form.Get("address"), Name: form.Get("name"), Subject: form.Get("subject"),
		Body: form.Get("body"), Format: form.Get("format"), Category: form.Get("category"), Priority: form.Get("priority"), Order: form.Get("order"),
	}
	err := v.UploadFiles(p.files, v.Person)
	preview := err == nil && form.Get("preview") != ""
	if err == nil && !preview {
		var sub desk.Submission
		if sub, err = parseNewTicket(typed, form["files"]); err == nil {
			sub.IdempotencyKey = v.IdempotencyKey()
			var receipt desk.Receipt
			if receipt, err = p.desk.Submit(v.Context(), v.Person, sub); err == nil {
				v.Flash("Ticket opened. %s receives the receipt.", typed.Address)
				return v.Redirect("/desk/tickets/" + string(receipt.Number))
			}
		}
	}
	if _, shown := formStatus(err); err != nil && !shown {
		return err
	}
	return p.showNewTicket(v, typed, preview, err)
}

// showNewTicket shows the form again as typed: with a preview of its message, for browsers without scripts, or with what is
// wrong.
func (p *Pages) showNewTicket(v *page.Visit, typed newTicketForm, preview bool, wrong error) error {
	view, err := p.newTicketView(v, typed)
	if err != nil {
		return err
	}
	form, err := v.Form()
	if err != nil {
		return err
	}
	if page.ValidKey(form.Get("idempotency_key")) && fault.KindOf(wrong) != fault.Conflict { // nothing else was accepted with it
		view.Key = form.Get("idempotency_key")
	}
	view.Composer = view.NewComposer(preview, typed.Body)
	if preview {
		return v.Show("new-ticket", view)
	}
	view.Errors, view.Wrong = page.FieldErrors(wrong), errorSentence(wrong)
	if len(view.Errors) > 0 {
		view.Wrong = "Please check the marked fields."
	}
	if files := view.Errors["files"]; files != "" {
		view.Attach.Error = page.Sentence("the files " + files)
	}
	return v.ShowError(wrong, "new-ticket", view)
}

func parseNewTicket(typed newTicketForm, ids []string) (desk.Submission, error) {
	var f input.Fields
	files := input.Files(&f, ids)
	return desk.Submission{
		Channel:   f.Channel("channel", typed.Channel),
		Requester: input.Whom(&f, "requester", typed.Address, typed.Name),
		Subject:   f.Line("subject", typed.Subject, desk.MaxSubject),
		Body:      f.Message("body", typed.Body, true, files),
		Format:    f.Format("format", typed.Format),
		Files:     files,
		Category:  f.Optional("category", typed.Category, input.MaxWord),
		Priority:  policy.Priority(typed.Priority),
		Order:     f.Optional("order", typed.Order, input.MaxOrder),
	}, f.Err()
}
