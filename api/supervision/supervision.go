// Package supervision serves the pages of supervisors and administrators: overview, SLA performance, ratings,
// suggestions, email, groups, emergencies and policies. It shows the reports of internal/desk and decides nothing. It
// knows no SQL, and of Temporal only the URLs of its UI.
package supervision

import (
	"context"
	"embed"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/report"
)

//go:embed all:templates
var templates embed.FS

// reports computes the reports; see app.Reports.
type reports interface {
	Overview(ctx context.Context, now time.Time) (report.Overview, error)
	Promises(context.Context, report.PromiseFilter) (report.Promises, error)
	Ratings(ctx context.Context, from, to time.Time) (report.Ratings, error)
	MailDelivery(ctx context.Context, now time.Time, lately bool) (s report.MailStatus, waiting, bounced []report.Mail, err error)
}

// suggestionBox holds suggestions; see app.Suggestions.
type suggestionBox interface {
	Suggestions(ctx context.Context, by desk.Person, unread bool, limit int) (newest []desk.Suggestion, count int, err error)
	MarkSuggestion(ctx context.Context, by desk.Person, id int64, read bool) error
}

// Pages serves the supervisors' pages.
type Pages struct {
	reports      reports
	policyReader request.PolicyReader
	box          suggestionBox
	staffing     staffing
	feed         request.Feed
	emergencies  request.Emergencies
	publisher    request.Policies
}

// New returns the pages.
func New(r reports, p request.PolicyReader, b suggestionBox, s staffing, f request.Feed, e request.Emergencies, v request.Policies) *Pages {
	return &Pages{reports: r, policyReader: p, box: b, staffing: s, feed: f, emergencies: e, publisher: v}
}

// Area returns the area of these pages.
func (p *Pages) Area() page.Area { return page.NewArea("supervision", templates, p.routes()) }

// routes lists all routes of these pages, which are for supervisors and administrators only.
func (p *Pages) routes() []page.Route {
	who := page.Supervisors
	return []page.Route{
		page.Get("/supervision", who, p.dashboard),
		page.Get("/supervision/live", who, p.live),
		page.Get("/supervision/promises", who, p.promises(showPromises)),
		page.Get("/supervision/promises.csv", who, p.promises(sendPromises)),
		page.Get("/supervision/ratings", who, p.ratings),
		page.Get("/supervision/suggestions", who, p.suggestions),
		page.Post("/supervision/suggestions/:id/reading", who, page.Form(p.readSuggestion)),
		page.Get("/supervision/mail", who, p.mail),
		page.Get("/supervision/groups", who, p.groups),
		page.Post("/supervision/groups", who, page.Form(p.makeGroup)),
		page.Post("/supervision/groups/:group/title", who, page.Form(p.renameGroup)),
		page.Post("/supervision/groups/:group/members", who, page.Form(p.joinGroup)),
		page.Post("/supervision/groups/:group/deletion", who, p.deleteGroup),
		page.Get(emergenciesPath, who, p.listEmergencies),
		page.Post(emergenciesPath, who, page.Form(p.declare)),
		page.Get("/supervision/emergencies/new", who, p.newEmergency),
		page.Post("/supervision/emergencies/dry-run", who, page.Form(p.dryRun)),
		page.Get("/supervision/emergencies/:id", who, p.emergency),
		page.Post("/supervision/emergencies/:id", who, page.Form(p.changeEmergency)),
		page.Post("/supervision/emergencies/:id/dry-run", who, page.Form(p.dryRunChange)),
		page.Get(policiesPath, who, p.policies),
		page.Get("/supervision/policies/new", who, p.newPolicy),
		page.Post("/supervision/policies/new", who, page.Form(p.draftPolicy)),
		page.Post("/supervision/policies/new/holidays", who, p.importHolidays),
		page.Get("/supervision/policies/:version", who, p.policyVersion),
		page.Post("/supervision/policies/:version/adoption", who, page.Form(p.adoptPolicy)),
	}
}

// frame is shared by the pages of this area.
type frame struct {
	page.Layout
	Tab string // path of the current tab
}

func newFrame(v *page.Visit, title, tab string) frame {
	return frame{Layout: v.Layout(title, "/supervision"), Tab: tab}
}

// Tabs returns the pages of this area.
func (f frame) Tabs() []page.NavItem {
	tabs := []page.NavItem{
		{Path: "/supervision", Label: "Overview"}, {Path: "/supervision/promises", Label: "SLA"},
		{Path: "/supervision/ratings", Label: "Ratings"}, {Path: "/supervision/suggestions", Label: "Suggestions"},
		{Path: "/supervision/mail", Label: "Email"}, {Path: "/supervision/groups", Label: "Groups"},
		{Path: emergenciesPath, Label: "Emergencies"}, {Path: policiesPath, Label: "Policies"},
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Path == f.Tab
	}
	return tabs
}
