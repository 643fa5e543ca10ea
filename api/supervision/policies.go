package supervision

import (
	"net/url"
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

// policyVersionView is a version with its changes from the previous one.
type policyVersionView struct {
	desk.PolicyVersionRecord
	State, Badge string
	Changes      []policy.Difference
}

type policiesView struct {
	frame
	Versions []policyVersionView
}

// versions returns all versions, newest first.
func (p *Pages) versions(v *page.Visit) ([]policyVersionView, error) {
	records, err := p.publisher.PolicyVersions(v.Context())
	if err != nil {
		return nil, err
	}
	views, now, past := make([]policyVersionView, len(records)), time.Now(), false
	for i, r := range records {
		views[i] = policyVersionView{PolicyVersionRecord: r, State: "upcoming", Badge: "badge-info"}
		switch {
		case past:
			views[i].State, views[i].Badge = "superseded", ""
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
	Version policyVersionView
	Others  []policyVersionView // versions with open tickets that can be moved to this one
	Chosen  string              // version as typed
	Numbers string
	Key     string
	Problem string
	Run     *desk.AdoptionDryRun
	Done    *desk.Adoption
	Audit   desk.AdoptionAudit
}

// version loads the version in the path and everything that its page shows.
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
	view.Key = view.IdempotencyKey()
	view.Audit, err = p.publisher.Audit(v.Context(), view.Version.Version)
	return view, err
}

// policyVersion shows a version. For htmx it renders the list of moved tickets alone.
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

// adoptPolicy shows a dry run of moving tickets to a version, or with act=move moves them.
func (p *Pages) adoptPolicy(v *page.Visit, form url.Values) error {
	view, err := p.version(v)
	if err != nil {
		return err
	}
	view.Chosen, view.Numbers = form.Get("from"), form.Get("tickets")
	choice, err := parseChoice(view.Chosen, view.Numbers)
	number := view.Version.Version
	if err == nil && form.Get("act") == "move" {
		var done desk.Adoption
		if done, err = p.publisher.Adopt(v.Context(), v.Person, number, choice, v.IdempotencyKey()); err == nil {
			view.Done = &done
			view.Audit, err = p.publisher.Audit(v.Context(), number)
		}
	} else if err == nil {
		var run desk.AdoptionDryRun
		run, err = p.publisher.DryRun(v.Context(), number, choice, time.Now())
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

// parseChoice parses a choice of tickets: a version, or numbers separated by spaces or commas.
func parseChoice(from, numbers string) (desk.TicketChoice, error) {
	var c desk.TicketChoice
	for _, text := range strings.FieldsFunc(numbers, func(r rune) bool { return strings.ContainsRune(" ,;\r\n\t", r) }) {
		n, err := ticket.ParseNumber(text)
		if err != nil {
			return c, fault.Field("tickets", "%.40q is not a ticket number", text)
		}
		c.Tickets = append(c.Tickets, n)
	}
	if len(c.Tickets) == 0 && from != "" {
		version, err := strconv.ParseInt(from, 10, 64)
		if err != nil {
			return c, fault.Field("from_version", "is not a version")
		}
		c.From = version
	}
	return c, nil
}
