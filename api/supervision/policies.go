package supervision

import (
	"strconv"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const policiesPath = "/supervision/policies"

// editionView is a version beside what it says otherwise than the one before.
type editionView struct {
	desk.EditionRecord
	State, Badge string
	Changes      []policy.Difference
}

type policiesView struct {
	frame
	Versions []editionView
}

// versions gives every version as these pages show it, the newest first.
func (p *Pages) versions(v *page.Visit) ([]editionView, error) {
	records, err := p.book.Editions(v.Context())
	if err != nil {
		return nil, err
	}
	views, now, past := make([]editionView, len(records)), time.Now(), false
	for i, r := range records {
		views[i] = editionView{EditionRecord: r, State: "not in force yet", Badge: "badge-info"}
		switch {
		case past:
			views[i].State, views[i].Badge = "no longer in force", ""
		case !r.Effective.After(now):
			views[i].State, views[i].Badge, past = "in force", "badge-good", true
		}
		if i+1 < len(records) {
			views[i].Changes = r.Policy.Differences(records[i+1].Policy)
		}
	}
	return views, nil
}

func (p *Pages) policies(v *page.Visit) error {
	view := policiesView{frame: newFrame(v, "Policies", policiesPath)}
	var err error
	if view.Versions, err = p.versions(v); err != nil {
		return err
	}
	return v.Show("policies", view)
}

type versionView struct {
	frame
	Version editionView
	Others  []editionView // whose open tickets can be moved here
	Chosen  string        // the version, or the numbers, that were typed
	Numbers string
	Key     string
	Problem string
	Run     *desk.Rehearsal
	Done    *desk.Adoption
	Audit   desk.AdoptionAudit
}

// Clock names a promise.
func (versionView) Clock(m desk.PromiseMove) string { return clockName(m.Clock) }

// version reads the version in a path and everything that its page shows.
func (p *Pages) version(v *page.Visit) (view versionView, err error) {
	view.frame = newFrame(v, "Policy version "+v.Param("version"), policiesPath)
	versions, err := p.versions(v)
	if err != nil {
		return view, err
	}
	for _, e := range versions {
		switch {
		case strconv.FormatInt(e.Version, 10) == v.Param("version"):
			view.Version = e
		case e.Tickets > 0:
			view.Others = append(view.Others, e)
		}
	}
	if view.Version.Policy == nil {
		return view, fault.New(fault.NotFound, "there is no such version of the policy")
	}
	view.Key = view.Once()
	view.Audit, err = p.book.Audit(v.Context(), view.Version.Version)
	return view, err
}

// policyVersion shows one. A page that is open already asks for what was moved alone.
func (p *Pages) policyVersion(v *page.Visit) error {
	view, err := p.version(v)
	if err != nil {
		return err
	}
	if v.Partial() {
		return v.Fragment("policy-version", "audit", view)
	}
	return v.Show("policy-version", view)
}

// adoptPolicy shows what a move would come to, and with act=move makes it.
func (p *Pages) adoptPolicy(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	view, err := p.version(v)
	if err != nil {
		return err
	}
	view.Chosen, view.Numbers = form.Get("from"), form.Get("tickets")
	choice, err := chosen(view.Chosen, view.Numbers)
	number := view.Version.Version
	if err == nil && form.Get("act") == "move" {
		var done desk.Adoption
		if done, err = p.book.Adopt(v.Context(), v.Person, number, choice, v.Once()); err == nil {
			view.Done = &done
			view.Audit, err = p.book.Audit(v.Context(), number)
		}
	} else if err == nil {
		var run desk.Rehearsal
		run, err = p.book.DryRun(v.Context(), number, choice, time.Now())
		view.Run = &run
	}
	if problem, status, ours := formProblem(err); ours {
		view.Problem, view.Run = problem, nil
		return v.ShowStatus(status, "policy-version", view)
	}
	if err != nil {
		return err
	}
	return v.Show("policy-version", view)
}

// chosen reads a choice: a version, or numbers between spaces or commas.
func chosen(from, numbers string) (desk.Choice, error) {
	var c desk.Choice
	for _, text := range strings.FieldsFunc(numbers, func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) }) {
		n, err := ticket.ParseNumber(text)
		if err != nil {
			return c, fault.Field("tickets", "%.40q is no ticket's number", text)
		}
		c.Tickets = append(c.Tickets, n)
	}
	if len(c.Tickets) == 0 && from != "" {
		version, err := strconv.ParseInt(from, 10, 64)
		if err != nil {
			return c, fault.Field("from_version", "is no version")
		}
		c.From = version
	}
	return c, nil
}
