package supervision

import (
	"context"
	"errors"
	"net/http"
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
	Problem string            // that is no field's
	Most    int
}

// rehearsalView is what would happen, and the form that makes it happen.
type rehearsalView struct {
	emergencyFrame
	desk.DryRun
	ID      ticket.EmergencyID // empty: it would be a new one
	Declare declareForm
	Change  changeForm
}

// Ends reports whether the emergency would be lifted or cancelled.
func (v rehearsalView) Ends() bool { return v.ID != "" && v.Change.Act == "end" }

// Begins reports whether it would begin at once.
func (v rehearsalView) Begins() bool { return v.ID == "" && v.Declare.Start == "now" }

// Quiet reports whether nobody would be written to, soon or later.
func (v rehearsalView) Quiet() bool { return v.Tells == "" && len(v.Upcoming) == 0 }

// newEmergency shows the form.
func (p *Pages) newEmergency(v *page.Visit) error {
	view := declareView{emergencyFrame: newEmergencyFrame(v, "Declare an emergency"), Most: desk.MaxNotice}
	view.Form = declareForm{Key: view.Once(), Zone: v.Zone.String(), Start: "now", Delay: "24", DelayUnit: "hours", Kinds: kinds}
	return v.Show("emergency-new", view)
}

// rehearse shows what declaring would do, before anybody does it.
func (p *Pages) rehearse(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	typed, plan, err := readDeclare(form, v.Zone)
	view := rehearsalView{emergencyFrame: newEmergencyFrame(v, "What it would do"), Declare: typed}
	if err == nil && form.Get("back") == "" {
		if view.DryRun, err = p.command.DryDeclare(v.Context(), v.Person, plan); err == nil {
			return v.Show("emergency-rehearsal", view)
		}
	}
	return p.declareAgain(v, typed, err)
}

// declare does it. Whatever has changed since the rehearsal, it is the same emergency that was looked at.
func (p *Pages) declare(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	typed, plan, err := readDeclare(form, v.Zone)
	if err == nil {
		plan.Once = v.Once()
		var e desk.Emergency
		if e, err = p.command.Declare(v.Context(), v.Person, plan); err == nil {
			seen(v.Context(), e.From)
			v.Flash("The emergency is declared. Its tickets are being told; their promises are right already.")
			return v.Redirect(emergencyPath(e.ID))
		}
	}
	return p.declareAgain(v, typed, err)
}

// seen waits for an instant that is about to come, so that the next page shows what was asked for as done: what happens
// now happens from the next whole second on.
func seen(ctx context.Context, at time.Time) {
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

// declareAgain gives back what was typed.
func (p *Pages) declareAgain(v *page.Visit, typed declareForm, wrong error) error {
	view := declareView{emergencyFrame: newEmergencyFrame(v, "Declare an emergency"), Form: typed, Most: desk.MaxNotice}
	status := http.StatusOK
	if wrong != nil {
		if status, view.Errors, view.Problem = explain(wrong); status == 0 {
			return wrong
		}
	}
	if fault.KindOf(wrong) != fault.Unavailable || wrong == nil {
		view.Form.Key = view.Once() // it was not taken
	}
	return v.ShowStatus(status, "emergency-new", view)
}

// explain gives the status of a form that comes back, and what is wrong with it; 0 when that can't be said in a form.
func explain(err error) (status int, fields map[string]string, problem string) {
	f, known := errors.AsType[*fault.Error](err)
	if !known {
		return 0, nil, ""
	}
	switch f.Kind {
	case fault.Invalid:
		fields = map[string]string{}
		for _, d := range f.Details {
			fields[d.Field] = d.Message
		}
		return http.StatusUnprocessableEntity, fields, ""
	case fault.Conflict:
		return http.StatusConflict, nil, f.Message
	case fault.Limited:
		return http.StatusTooManyRequests, nil, f.Message
	case fault.Unavailable:
		return http.StatusServiceUnavailable, nil, "This can't be done at the moment. What you typed is still here: please try again."
	}
	return 0, nil, ""
}

// rehearseChange shows what a change, or the end, would do.
func (p *Pages) rehearseChange(v *page.Visit) error {
	return p.change(v, func(typed changeForm, c desk.EmergencyChange, id ticket.EmergencyID) error {
		view := rehearsalView{emergencyFrame: newEmergencyFrame(v, "What it would do"), Change: typed, ID: id}
		var err error
		if typed.Act == "end" {
			view.DryRun, err = p.command.DryEnd(v.Context(), v.Person, id)
		} else {
			view.DryRun, err = p.command.DryChange(v.Context(), v.Person, id, c)
		}
		if err != nil {
			return err
		}
		return v.Show("emergency-rehearsal", view)
	})
}

// ended says what its end means for promises.
func ended(e desk.Emergency) string {
	switch {
	case e.Stage(time.Now()) == desk.StageCancelled:
		return "The emergency is cancelled. It won't begin."
	case e.Kind == ticket.EmergencyDelayed:
		return "The emergency is lifted. Targets become no longer; those of tickets that were open in it stay as they are."
	default:
		return "The emergency is lifted. Clocks run again; tickets are being told."
	}
}

// changeEmergency does it.
func (p *Pages) changeEmergency(v *page.Visit) error {
	return p.change(v, func(typed changeForm, c desk.EmergencyChange, id ticket.EmergencyID) error {
		var e desk.Emergency
		var err error
		said := "The emergency is changed, from now on."
		if typed.Act == "end" {
			e, err = p.command.End(v.Context(), v.Person, id)
			said = ended(e)
		} else {
			e, err = p.command.Change(v.Context(), v.Person, id, c)
		}
		if err != nil {
			return err
		}
		seen(v.Context(), e.From)
		seen(v.Context(), e.Until)
		v.Flash("%s", said)
		return v.Redirect(emergencyPath(id))
	})
}

// change reads the form, does what is asked, and gives the form back when that can't be done.
func (p *Pages) change(v *page.Visit, do func(changeForm, desk.EmergencyChange, ticket.EmergencyID) error) error {
	id, err := emergencyID(v)
	if err != nil {
		return err
	}
	form, err := v.Form()
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
	status, fields, problem := explain(err)
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
