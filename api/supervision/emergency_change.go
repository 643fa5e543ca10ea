package supervision

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type declareView struct {
	emergencyFrame
	Form    declareForm
	Errors  map[string]string // by field
	Problem string            // not about a field
	Most    int
}

// dryRunView is the result of a dry run with the form to confirm it.
type dryRunView struct {
	emergencyFrame
	desk.DryRun
	ID      ticket.EmergencyID // empty: a new emergency
	Declare declareForm
	Change  changeForm
}

// Ends reports whether the emergency would be lifted or cancelled.
func (v dryRunView) Ends() bool { return v.ID != "" && v.Change.Act == "end" }

// Begins reports whether the emergency would begin immediately.
func (v dryRunView) Begins() bool { return v.ID == "" && v.Declare.Start == "now" }

// Quiet reports whether no mail would be sent, now or later.
func (v dryRunView) Quiet() bool { return v.Announces == "" && len(v.Upcoming) == 0 }

// newEmergency shows the form.
func (p *Pages) newEmergency(v *page.Visit) error {
	view := declareView{emergencyFrame: newEmergencyFrame(v, "Declare an emergency"), Most: desk.MaxNotice}
	view.Form = declareForm{Key: view.IdempotencyKey(), Zone: v.Zone.String(), Start: "now", Delay: "24", DelayUnit: "hours", Kinds: kinds}
	return v.Show("emergency-new", view)
}

// dryRun shows a dry run of declaring an emergency.
func (p *Pages) dryRun(v *page.Visit, form url.Values) error {
	typed, plan, err := readDeclare(form, v.Zone)
	view := dryRunView{emergencyFrame: newEmergencyFrame(v, "Dry run"), Declare: typed}
	if err == nil && form.Get("back") == "" {
		if view.DryRun, err = p.emergencies.DryDeclare(v.Context(), v.Person, plan); err == nil {
			return v.Show("emergency-dry-run", view)
		}
	}
	return p.redisplay(v, typed, err)
}

// declare declares an emergency.
func (p *Pages) declare(v *page.Visit, form url.Values) error {
	typed, plan, err := readDeclare(form, v.Zone)
	if err == nil {
		plan.IdempotencyKey = v.IdempotencyKey()
		var e desk.Emergency
		if e, err = p.emergencies.Declare(v.Context(), v.Person, plan); err == nil {
			waitUntil(v.Context(), e.From)
			v.Flash("The emergency has been declared. Deadlines are already correct; tickets are being updated.")
			return v.Redirect(emergencyPath(e.ID))
		}
	}
	return p.redisplay(v, typed, err)
}

// waitUntil waits for an instant in the near future, so that the next page shows the change: a change made now takes
// effect at the next full second.
func waitUntil(ctx context.Context, at time.Time) {
	ahead := time.Until(at)
	if ahead <= 0 || ahead > 2*time.Second {
		return
	}
	timer := time.NewTimer(ahead)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// redisplay shows the form again with what was typed.
func (p *Pages) redisplay(v *page.Visit, typed declareForm, wrong error) error {
	view := declareView{emergencyFrame: newEmergencyFrame(v, "Declare an emergency"), Form: typed, Most: desk.MaxNotice}
	status := http.StatusOK
	if wrong != nil {
		if status, view.Errors, view.Problem = formErrors(wrong); status == 0 {
			return wrong
		}
	}
	if fault.KindOf(wrong) != fault.Unavailable || wrong == nil {
		view.Form.Key = view.IdempotencyKey() // the previous key was not used
	}
	return v.ShowStatus(status, "emergency-new", view)
}

// formErrors returns the status and messages for a form with errors; a status of 0 means that the error can't be shown
// in a form.
func formErrors(err error) (status int, fields map[string]string, problem string) {
	f, known := errors.AsType[*fault.Error](err)
	if !known {
		return 0, nil, ""
	}
	switch f.Kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity, page.FieldErrors(err), ""
	case fault.Conflict:
		return http.StatusConflict, nil, f.Message
	case fault.Limited:
		return http.StatusTooManyRequests, nil, f.Message
	case fault.Unavailable:
		return http.StatusServiceUnavailable, nil, "This isn't possible at the moment. Your input is still here; please try again."
	}
	return 0, nil, ""
}

// dryRunChange shows a dry run of a change or the end.
func (p *Pages) dryRunChange(v *page.Visit, form url.Values) error {
	return p.change(v, form, func(typed changeForm, c desk.EmergencyChange, id ticket.EmergencyID) (err error) {
		view := dryRunView{emergencyFrame: newEmergencyFrame(v, "Dry run"), Change: typed, ID: id}
		if typed.Act == "end" {
			view.DryRun, err = p.emergencies.DryEnd(v.Context(), v.Person, id)
		} else {
			view.DryRun, err = p.emergencies.DryChange(v.Context(), v.Person, id, c)
		}
		if err != nil {
			return err
		}
		return v.Show("emergency-dry-run", view)
	})
}

// endMessage describes the effect of the end on clocks.
func endMessage(e desk.Emergency) string {
	switch {
	case e.Stage(time.Now()) == desk.StageCancelled:
		return "The emergency has been cancelled. It won't begin."
	case e.Kind == ticket.EmergencyDelayed:
		return "The emergency has been lifted. Targets that were extended stay extended; new tickets get the usual ones."
	default:
		return "The emergency has been lifted. Clocks are running again; tickets are being updated."
	}
}

// changeEmergency changes or ends an emergency.
func (p *Pages) changeEmergency(v *page.Visit, form url.Values) error {
	return p.change(v, form, func(typed changeForm, c desk.EmergencyChange, id ticket.EmergencyID) error {
		var e desk.Emergency
		var err error
		said := "The emergency has been changed, effective immediately."
		if typed.Act == "end" {
			e, err = p.emergencies.End(v.Context(), v.Person, id)
			said = endMessage(e)
		} else {
			e, err = p.emergencies.Change(v.Context(), v.Person, id, c)
		}
		if err != nil {
			return err
		}
		waitUntil(v.Context(), e.From)
		waitUntil(v.Context(), e.Until)
		v.Flash("%s", said)
		return v.Redirect(emergencyPath(id))
	})
}

// change reads the form, calls do, and shows the form again if that fails.
func (p *Pages) change(v *page.Visit, form url.Values, do func(changeForm, desk.EmergencyChange, ticket.EmergencyID) error) error {
	id, err := emergencyID(v)
	if err != nil {
		return err
	}
	typed, c, err := readChange(form, v.Zone)
	if err == nil {
		err = do(typed, c, id)
	}
	if err == nil {
		return nil
	}
	status, fields, problem := formErrors(err)
	if status == 0 {
		return err
	}
	view, readErr := p.emergencyView(v, id)
	if readErr != nil {
		return readErr
	}
	typed.Key = view.Form.Key
	if typed.Act == "change" {
		view.Form = typed
	}
	view.Errors, view.Problem = fields, problem
	return v.ShowStatus(status, "emergency", view)
}
