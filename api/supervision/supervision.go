// Package supervision is the pages of supervisors and administrators: the desk at a glance, promises kept and broken,
// ratings, suggestions and mail. It shows what the desk's reports count and decides nothing. It knows no SQL and no
// Temporal but the addresses of its UI.
package supervision

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/report"
)

//go:embed all:templates
var templates embed.FS

// reports is what is counted; see app.Reports.
type reports interface {
	Overview(ctx context.Context, now time.Time) (report.Overview, error)
	Promises(context.Context, report.PromiseFilter) (report.Promises, error)
	Ratings(ctx context.Context, from, to time.Time) (report.Ratings, error)
	Mailroom(ctx context.Context, now time.Time, lately bool) (s report.MailStatus, waiting, bounced []report.Mail, err error)
}

// archive is what is read and marked one by one.
type archive interface {
	Suggestions(ctx context.Context, unread bool, limit int) (all []desk.Suggestion, waiting int, err error)
	MarkSuggestion(ctx context.Context, id int64, read bool) error
	request.PolicyReader
}

// Pages answers for the supervisors' routes.
type Pages struct {
	reports  reports
	archive  archive
	staffing staffing
	feed     request.Feed
	command  request.Emergencies
	book     request.Policies
}

// New makes the pages on the reports, the store, the staffing, the feed of changes, the command in emergencies and the policies.
func New(r reports, a archive, s staffing, f request.Feed, e request.Emergencies, b request.Policies) *Pages {
	return &Pages{reports: r, archive: a, staffing: s, feed: f, command: e, book: b}
}

// Area is the supervisors' part of the website.
func (p *Pages) Area() page.Area {
	own, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return page.Area{Name: "supervision", Templates: own, Routes: p.routes()}
}

// frame is what the pages of this area share: the layout and which of the tabs is the page's.
type frame struct {
	page.Layout
	Tab string // its path
}

func newFrame(v *page.Visit, title, tab string) frame {
	return frame{Layout: v.Layout(title, "/supervision"), Tab: tab}
}

// Tabs lists the pages of this area.
func (f frame) Tabs() []page.NavItem {
	tabs := []page.NavItem{
		{Path: "/supervision", Label: "Overview"}, {Path: "/supervision/promises", Label: "Promises"},
		{Path: "/supervision/ratings", Label: "Ratings"}, {Path: "/supervision/suggestions", Label: "Suggestions"},
		{Path: "/supervision/mail", Label: "Mail"}, {Path: "/supervision/groups", Label: "Groups"},
		{Path: emergenciesPath, Label: "Emergencies"}, {Path: policiesPath, Label: "Policies"},
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Path == f.Tab
	}
	return tabs
}
