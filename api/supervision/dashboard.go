package supervision

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/report"
)

type dashboardView struct {
	frame
	report.Overview
	MostLoad int              // of one agent; at least 1
	Lasting  []desk.Emergency // in force or planned
	Searches []searchView     // in Temporal UI; none if its address is not configured
}

// searchView is a link to a search in Temporal UI.
type searchView struct{ Name, Says, Address string }

// runningPrefix starts every search. The searches are those of docs/temporal-ui.md.
const runningPrefix = `WorkflowType = 'Ticket' AND ExecutionStatus = 'Running' AND `

// searches find running workflows by search attributes. %s is replaced by the end of the day.
var searches = []struct{ name, says, query string }{
	{"Due today", "tickets with a deadline before midnight", runningPrefix + `PromiseDue < '%s'`},
	{"Overdue", "tickets with a breached target that is still open", runningPrefix + `Breached = true`},
	{"Escalated", "tickets with an escalation that is not answered", runningPrefix + `EscalationStep > 0`},
	{"Unassigned", "tickets without an agent", runningPrefix + `Assignee IS NULL`},
	{"Waiting for the requester", "clocks are paused until the requester replies", runningPrefix + `PausedFor = 'waiting'`},
	{"Paused by an emergency", "clocks are paused until the emergency ends", runningPrefix + `PausedFor = 'emergency'`},
	{"Failing", "tickets that wait because their workflow fails again and again",
		runningPrefix + `TemporalReportedProblems IN ('category=WorkflowTaskFailed', 'category=WorkflowTaskTimedOut')`},
}

// searchQuery inserts the end of the day into a query that has a placeholder.
func searchQuery(query string, midnight time.Time) string {
	if strings.Contains(query, "%s") {
		return fmt.Sprintf(query, midnight.UTC().Format(time.RFC3339))
	}
	return query
}

// endOfDay returns the end of an instant's day in a time zone.
func endOfDay(now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

func (p *Pages) dashboard(v *page.Visit) error {
	o, err := p.reports.Overview(v.Context(), time.Now())
	if err != nil {
		return err
	}
	lasting, err := p.emergencies.Current(v.Context())
	if err != nil {
		return err
	}
	view := dashboardView{Lasting: lasting, frame: newFrame(v, "Overview", "/supervision"), Overview: o, MostLoad: 1}
	for _, l := range o.Agents {
		view.MostLoad = max(view.MostLoad, l.Load())
	}
	for _, s := range searches {
		if address := view.WorkflowSearch(searchQuery(s.query, endOfDay(view.Now, view.Zone))); address != "" {
			view.Searches = append(view.Searches, searchView{s.name, s.says, address})
		}
	}
	if v.Partial() {
		return v.Fragment("dashboard", "board", view)
	}
	return v.Show("dashboard", view)
}

// InForce reports whether an emergency has begun.
func (v dashboardView) InForce(e desk.Emergency) bool { return e.Stage(v.Now) == desk.StageInForce }

// BandName returns the label of an age band.
func (dashboardView) BandName(b report.AgeBand) string {
	switch {
	case b.From == 0:
		return fmt.Sprintf("under %d\u00a0d", b.To)
	case b.To == 0:
		return fmt.Sprintf("%d\u00a0d or more", b.From)
	default:
		return fmt.Sprintf("%d to %d\u00a0d", b.From, b.To)
	}
}

// Old reports whether tickets in an age band are old.
func (dashboardView) Old(b report.AgeBand) bool { return b.From >= 7 }

// BreachedTargets returns the breached targets of an escalation.
func (v dashboardView) BreachedTargets(e report.Escalation) string {
	breached := e.Breached()
	switch {
	case len(breached) > 1:
		return "both"
	case len(breached) == 1:
		return breached[0].Words()
	default:
		return ""
	}
}

// List returns the URL of an agent's tickets.
func (dashboardView) List(agent desk.Ref) string {
	return "/desk?" + url.Values{"queue": {"all"}, "status": {"not-closed"}, "assignee": {agent.Handle}}.Encode()
}

// debounce is how long changes are collected before a page is told to reload.
const debounce = 2 * time.Second

// live notifies open dashboards of changes. It sends a first event on connection, because changes since the page was
// rendered would be missed.
func (p *Pages) live(v *page.Visit) error {
	changes, leave := p.feed.Subscribe("")
	defer leave()
	return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
		err := send("changed", "changed")
		var due <-chan time.Time
		for err == nil {
			select {
			case <-ctx.Done():
				return nil
			case <-page.Heartbeat():
				err = send("", "")
			case c := <-changes:
				if c.Kind != desk.ChangePresence && due == nil {
					due = time.After(debounce)
				}
			case <-due:
				due = nil
				err = send("changed", "changed")
			}
		}
		return err
	})
}
