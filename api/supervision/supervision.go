// Package supervision serves the pages of supervisors and administrators: overview, SLA performance, ratings,
// suggestions, mail, groups, emergencies and policies. It shows the reports of internal/desk and decides nothing. It
// knows no SQL, and of Temporal only the URLs of its UI.
package supervision

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed all:templates
var templates embed.FS

// reports computes the reports; see desk.Reports.
type reports interface {
	Overview(ctx context.Context, now time.Time) (desk.Overview, error)
	Promises(context.Context, desk.PromiseFilter) (desk.PromiseReport, error)
	Ratings(ctx context.Context, from, to time.Time) (desk.RatingReport, error)
	Mailroom(ctx context.Context, now time.Time, lately bool) (s desk.MailState, waiting, bounced []desk.Parcel, err error)
}

// store reads and changes single records.
type store interface {
	groups
	Staff(context.Context) ([]desk.Colleague, error)
	Suggestions(ctx context.Context, unread bool, limit int) (all []desk.Suggestion, waiting int, err error)
	MarkSuggestion(ctx context.Context, id int64, read bool) error
	PolicyInForce(context.Context) (version int64, p *policy.Policy, document []byte, err error)
}

// feed notifies of changes.
type feed interface {
	// Subscribe returns the changes of a ticket, or of all tickets if the number is empty, until leave is called.
	Subscribe(ticket.Number) (changes <-chan desk.Change, leave func())
}

// Pages serves the supervisors' pages.
type Pages struct {
	reports     reports
	store       store
	feed        feed
	emergencies emergencies
	publisher   policies
}

// New returns the pages.
func New(r reports, a store, f feed, e emergencies, b policies) *Pages {
	return &Pages{reports: r, store: a, feed: f, emergencies: e, publisher: b}
}

// Area returns the area of these pages.
func (p *Pages) Area() page.Area {
	own, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return page.Area{Name: "supervision", Templates: own, Routes: p.routes()}
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
		{Path: "/supervision/mail", Label: "Mail"}, {Path: "/supervision/groups", Label: "Groups"},
		{Path: emergenciesPath, Label: "Emergencies"}, {Path: policiesPath, Label: "Policies"},
	}
	for i := range tabs {
		tabs[i].Current = tabs[i].Path == f.Tab
	}
	return tabs
}
