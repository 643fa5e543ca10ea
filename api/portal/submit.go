package portal

import (
	"net/url"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type formView struct {
	page.Layout
	Policy  *policy.Policy
	Typed   submissionForm
	Errors  map[string]string // by field
	Problem string            // error that belongs to no field
	Follows *desk.View        // the closed ticket before this one; nil: none
	Key     string            // idempotency key of the form
	First   string            // target of the first response in words
	Sent    ticket.Number     // the ticket that was submitted with this form before; empty: none
	Differs bool              // what is typed now is not what was submitted
	Attach  page.AttachField

	Composer page.Composer
}

// submissionForm holds the form of a submission as typed.
type submissionForm struct{ Subject, Body, Format, Category, Priority, Order, Follows string }

// Priorities returns the priorities, which the form shows if the policy lets customers choose.
func (formView) Priorities() []policy.Priority { return policy.Priorities() }

// form shows an empty form. The form of a follow-up is filled in from the ticket before.
func (p *Pages) form(v *page.Visit) error {
	key := v.FormKey()
	if key == "" {
		return v.AddFormKey()
	}
	view, err := p.newForm(v, submissionForm{Priority: string(policy.PriorityNormal), Follows: v.Query("follows")})
	if err != nil {
		return err
	}
	view.Key = key
	if view.Sent, err = p.records.SentWith(v.Context(), v.Person, page.OnceKey(view.Key)); err != nil {
		return err
	}
	if view.Follows != nil {
		view.Typed.Subject, view.Typed.Category, view.Typed.Order = view.Follows.Subject, view.Follows.Ticket.Category, view.Follows.Order
	}
	return v.Show("new", view)
}

func (p *Pages) newForm(v *page.Visit, typed submissionForm) (formView, error) {
	view := formView{Layout: v.Layout("Support Ticket", "/tickets/new"), Typed: typed}
	view.Key, view.Attach = view.IdempotencyKey(), v.AttachField("/files", p.files.Limits())
	_, inForce, _, err := p.desk.PolicyInForce(v.Context())
	if err != nil {
		return view, err
	}
	view.Policy, view.First = inForce, inForce.DescribeTarget(policy.FirstResponse)
	if typed.Follows == "" {
		return view, nil
	}
	n, err := ticket.ParseNumber(typed.Follows)
	if err != nil {
		return view, err
	}
	before, err := p.desk.Ticket(v.Context(), v.Person, n)
	if err != nil {
		return view, err
	}
	view.Follows = &before
	return view, nil
}

// submit submits a new ticket and redirects to its receipt. If it is not accepted, the form is shown again as typed.
func (p *Pages) submit(v *page.Visit, form url.Values) error {
	typed := submissionForm{
		Subject: form.Get("subject"), Body: form.Get("body"), Format: form.Get("format"), Category: form.Get("category"),
		Priority: form.Get("priority"), Order: form.Get("order"), Follows: form.Get("follows"),
	}
	err := v.UploadFiles(p.files, v.Person)
	if err == nil && form.Get("preview") != "" {
		return p.previewForm(v, form, typed)
	}
	var s desk.Submission
	if err == nil {
		s, err = parseSubmission(typed, form["files"])
	}
	if err == nil {
		s.IdempotencyKey = v.IdempotencyKey()
		var receipt desk.Receipt
		if receipt, err = p.desk.Submit(v.Context(), v.Person, s); err == nil {
			return v.Redirect(ticketAddress(receipt.Number) + "/receipt")
		}
	}
	return p.showFormError(v, form, typed, err)
}

// previewForm shows the form again as typed, with a preview of its message, for browsers without scripts.
func (p *Pages) previewForm(v *page.Visit, form url.Values, typed submissionForm) error {
	view, err := p.newForm(v, typed)
	if err != nil {
		return err
	}
	if page.ValidKey(form.Get("idempotency_key")) {
		view.Key = form.Get("idempotency_key")
	}
	view.Composer = view.NewComposer(true, typed.Body)
	return v.Show("new", view)
}

func parseSubmission(typed submissionForm, ids []string) (desk.Submission, error) {
	var f input.Fields
	files := input.Files(&f, ids)
	s := desk.Submission{
		Files:    files,
		Subject:  f.Line("subject", typed.Subject, desk.MaxSubject),
		Body:     f.Message("body", typed.Body, true, files),
		Format:   f.Format("format", typed.Format),
		Category: f.Optional("category", typed.Category, input.MaxWord),
		Priority: policy.Priority(typed.Priority),
		Order:    f.Optional("order", typed.Order, input.MaxOrder),
		Follows:  f.Number("follows", typed.Follows),
	}
	return s, f.Err()
}

// showFormError shows the form again as typed. It keeps its key if the submission may have been accepted.
func (p *Pages) showFormError(v *page.Visit, form url.Values, typed submissionForm, wrong error) error {
	kind := fault.KindOf(wrong)
	if kind != fault.Invalid && kind != fault.Unavailable && kind != fault.Conflict && kind != fault.Limited && kind != fault.TooLarge {
		return wrong
	}
	view, err := p.newForm(v, typed)
	if fault.KindOf(err) == fault.NotFound { // not a ticket of theirs
		view.Typed.Follows, err = "", nil
	}
	if err != nil && fault.KindOf(err) != fault.Unavailable {
		return err
	}
	if page.ValidKey(form.Get("idempotency_key")) { // nothing was accepted with this key
		view.Key = form.Get("idempotency_key")
	}
	if kind == fault.Conflict {
		if view.Sent, err = p.records.SentWith(v.Context(), v.Person, v.IdempotencyKey().Key); err != nil {
			return err
		}
	}
	switch {
	case view.Sent != "": // submitted before, with another text
		view.Differs, view.Key = true, view.IdempotencyKey()
	case kind == fault.Unavailable:
		view.Key = form.Get("idempotency_key")
		view.Problem = "We can't accept your request at the moment. What you wrote is still here: please try again later."
	case kind == fault.Limited:
		view.Problem = errorSentence("Your request was not accepted:", wrong) + " What you wrote is still here."
	case kind == fault.Conflict:
		view.Problem = errorSentence("Your request was not accepted:", wrong)
	default:
		view.Errors = page.FieldErrors(wrong)
		if files := view.Errors["files"]; files != "" {
			view.Attach.Error = page.Sentence("the files " + files)
		}
		view.Problem = "Please check the marked fields."
	}
	return v.ShowError(wrong, "new", view)
}
