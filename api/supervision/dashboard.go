package supervision

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
)

type dashboardView struct {
	frame
	report.Overview
	MostLoad int              // of one agent; at least 1
	Lasting  []desk.Emergency // in force or planned
	Searches []searchView     // in Temporal UI; none when the desk knows of none
}

// searchView is a search that Temporal UI is asked for.
type searchView struct{ Name, Says, Address string }

// running is what every search begins with. The searches are those of docs/temporal-ui.md.
const running = `WorkflowType = 'Ticket' AND ExecutionStatus = 'Running' AND `

// searches find running workflows by the contract's search attributes. What asks for a day ends with it.
var searches = []struct{ name, says, query string }{
	{"Due today", "the next promise of a ticket falls due before midnight", running + `PromiseDue < '%s'`},
	{"Broken", "a promise was broken and has not been given since", running + `Breached = true`},
	{"Nobody has answered", "a promise was broken and its escalation climbs on", running + `EscalationRung > 0`},
	{"Nobody has taken", "a ticket without an agent", running + `Assignee IS NULL`},
	{"Waiting for the requester", "a promise stands still until the requester answers", running + `PausedFor = 'waiting'`},
	{"Stopped by an emergency", "a promise stands still until an emergency is over", running + `PausedFor = 'emergency'`},
}

// search asks for a day where its query has room for one.
func search(query string, midnight time.Time) string {
	if strings.Contains(query, "%s") {
		return fmt.Sprintf(query, midnight.UTC().Format(time.RFC3339))
	}
	return query
}

// midnight is the end of the day that an instant lies in, in a zone.
func midnight(now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, zone)
}

func (p *Pages) dashboard(v *page.Visit) error {
	o, err := p.reports.Overview(v.Context(), time.Now())
	if err != nil {
		return err
	}
	lasting, err := p.command.Current(v.Context())
	if err != nil {
		return err
	}
	view := dashboardView{Lasting: lasting, frame: newFrame(v, "Overview", "/supervision"), Overview: o, MostLoad: 1}
	for _, l := range o.Agents {
		view.MostLoad = max(view.MostLoad, l.Load())
	}
	for _, s := range searches {
		if address := view.WorkflowSearch(search(s.query, midnight(view.Now, view.Zone))); address != "" {
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

// BandName is an age in words.
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

// Old reports whether tickets of an age band have lived long.
func (dashboardView) Old(b report.AgeBand) bool { return b.From >= 7 }

// Broken names an escalation's promises.
func (dashboardView) Broken(e report.Escalation) string {
	broken := e.Broken()
	switch {
	case len(broken) > 1:
		return "both promises"
	case len(broken) == 1:
		return clockName(broken[0])
	default:
		return ""
	}
}

// List is the address of staff's list of what an agent has.
func (dashboardView) List(agent desk.Ref) string {
	return "/desk?" + url.Values{"queue": {"all"}, "status": {"not-closed"}, "assignee": {agent.Handle}}.Encode()
}

func clockName(name policy.ClockName) string {
	if name == policy.FirstResponse {
		return "first response"
	}
	return "resolution"
}

// gather is how long changes are collected before a page is told to look again.
const gather = 2 * time.Second

// live tells an open dashboard that something changed. It says so at once to whoever comes, or comes again: what
// changed since their page was made, nobody has told them.
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
					due = time.After(gather)
				}
			case <-due:
				due = nil
				err = send("changed", "changed")
			}
		}
		return err
	})
}
