package supervision

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/holiday"
	"github.com/holesalemart/supportdesk/internal/policy"
)

type editorView struct {
	frame
	Document, Reason, Effective string
	ZoneName                    string
	Key                         string
	Draft                       *desk.Draft
	Problem                     string
	Imported                    string // result of an import
}

// importYears is how many years of holidays are imported, starting with the current one.
const importYears = 3

func (p *Pages) editor(v *page.Visit, form url.Values) (editorView, error) {
	_, inForce, document, err := p.policyReader.PolicyInForce(v.Context())
	if err != nil {
		return editorView{}, err
	}
	view := editorView{
		frame: newFrame(v, "New policy version", policiesPath), Document: string(document), ZoneName: inForce.Zone.String(),
	}
	view.Key = view.IdempotencyKey()
	if form != nil {
		view.Document = normalizeLines(form.Get("document"))
		view.Reason, view.Effective = form.Get("reason"), form.Get("effective_at")
		view.ZoneName = zoneOf(form.Get("zone"), inForce.Zone).String()
	}
	return view, nil
}

// normalizeLines converts the line breaks of a browser and ensures a trailing one.
func normalizeLines(text string) string {
	return strings.TrimRight(strings.ReplaceAll(text, "\r\n", "\n"), "\n") + "\n"
}

func (p *Pages) newPolicy(v *page.Visit) error {
	view, err := p.editor(v, nil)
	if err != nil {
		return err
	}
	return p.showEditor(v, http.StatusOK, view)
}

// showEditor shows the editor with the check of its document; for htmx, the check alone.
func (p *Pages) showEditor(v *page.Visit, status int, view editorView) error {
	draft, err := p.publisher.CheckDraft(v.Context(), []byte(view.Document), time.Now())
	if err != nil {
		return err
	}
	view.Draft = &draft
	if v.Partial() {
		return v.Fragment("policy-editor", "findings", view)
	}
	return v.ShowStatus(status, "policy-editor", view)
}

// draftPolicy checks a document, or with act=publish publishes it.
func (p *Pages) draftPolicy(v *page.Visit, form url.Values) error {
	view, err := p.editor(v, form)
	if err != nil {
		return err
	}
	if form.Get("act") != "publish" || v.Partial() {
		return p.showEditor(v, http.StatusOK, view)
	}
	var f input.Fields
	publication := desk.Publication{Document: []byte(view.Document), Reason: normalizeLines(view.Reason), IdempotencyKey: v.IdempotencyKey()}
	publication.Effective = parseLocal(&f, "effective_at", view.Effective, zoneOf(view.ZoneName, time.UTC))
	if err = f.Err(); err == nil {
		var published desk.Published
		if published, err = p.publisher.Publish(v.Context(), v.Person, publication); err == nil {
			v.Flash("Version %d has been published. It takes effect on %s.", published.Version, view.Words(published.Effective))
			return v.Redirect(policiesPath)
		}
	}
	problem, status, ours := formProblem(err)
	if !ours {
		return err
	}
	view.Problem = problem
	return p.showEditor(v, status, view)
}

// importHolidays merges the days of a calendar into the document in the form.
func (p *Pages) importHolidays(v *page.Visit) error {
	form, file, err := v.Upload("calendar", holiday.MaxFile)
	if err != nil {
		return err
	}
	view, err := p.editor(v, form)
	if err != nil {
		return err
	}
	status := http.StatusOK
	var added []policy.Holiday
	days, err := holiday.Parse(bytes.NewReader(file), holiday.Years(time.Now().UTC(), importYears))
	if err == nil {
		var merged []byte
		if merged, added, err = policy.MergeHolidays([]byte(view.Document), days); err == nil {
			view.Document = string(merged)
		}
	}
	switch problem, code, ours := formProblem(err); {
	case ours:
		view.Problem, status = problem, code
	case err != nil:
		return err
	case len(added) == 0:
		view.Imported = "The document already contains all days of the calendar."
	default:
		view.Imported = "Holidays added: " + strings.TrimPrefix(policy.HolidaysYAML(added), "holidays:\n")
	}
	return p.showEditor(v, status, view)
}

// formProblem returns the message above a form with errors; false if the error is not about the form.
func formProblem(err error) (string, int, bool) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return "", 0, false
	}
	words := f.Message
	for i, d := range f.Details {
		if i == 0 {
			words = ""
		} else {
			words += "; "
		}
		words += strings.ReplaceAll(d.Field, "_", " ") + " " + d.Message
	}
	switch f.Kind {
	case fault.Invalid:
		return words, http.StatusUnprocessableEntity, true
	case fault.Conflict:
		return words, http.StatusConflict, true
	default:
		return "", 0, false
	}
}
