package supervision

import (
	"fmt"
	"math"
	"time"

	"github.com/holesalemart/supportdesk/internal/chart"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
)

// viewClock returns the charts and the tables of one target's report.
func viewClock(r report.Promises, c report.ClockSummary) clockView {
	view := clockView{ClockSummary: c, ID: "first", Name: "First responses"}
	if c.Clock == policy.Resolution {
		view.ID, view.Name = "resolution", "Resolutions"
	}
	labels := make([]string, len(c.Weeks))
	met, breached := make([]float64, len(c.Weeks)), make([]float64, len(c.Weeks))
	median, p90 := make([]float64, len(c.Weeks)), make([]float64, len(c.Weeks))
	for i, w := range c.Weeks {
		labels[i] = w.Week.In(r.Zone).Format("2 Jan")
		met[i], breached[i] = float64(w.Met), float64(w.Breached)
		median[i], p90[i] = seconds(w.Tally, w.Median), seconds(w.Tally, w.P90)
	}
	view.Bars = chart.Chart{
		ID: view.ID + "-bars", Title: view.Name + " met and breached, by week", Desc: describeTargets(c.Total, len(c.Weeks)), Labels: labels,
		Series: []chart.Series{{Name: "met", Class: "chart-met", Values: met}, {Name: "breached", Class: "chart-breached", Values: breached}},
		Scale:  chart.CountScale(),
	}.Bars()
	view.Lines = chart.Chart{
		ID: view.ID + "-lines", Title: "Time taken, by week", Desc: describeDurations(c.Total), Labels: labels,
		Series: []chart.Series{{Name: "median", Class: "chart-median", Values: median}, {Name: "90th percentile", Class: "chart-p90", Values: p90}},
		Scale:  chart.DurationScale(),
	}.Lines()
	view.Tables = tables(r.Zone, view.ID, c)
	return view
}

// seconds returns a duration for the chart: NaN if nothing was delivered.
func seconds(t report.Tally, d time.Duration) float64 {
	if t.Delivered == 0 {
		return math.NaN()
	}
	return d.Seconds()
}

func describeTargets(t report.Tally, weeks int) string {
	return fmt.Sprintf("Of %d decided in %d weeks, %d were met and %d breached. The table by week has the numbers.",
		t.Judged(), weeks, t.Met, t.Breached)
}

func describeDurations(t report.Tally) string {
	if t.Delivered == 0 {
		return "No data."
	}
	return fmt.Sprintf("Over the entire period, the median is %s and the 90th percentile %s. The table by week has the numbers.",
		chart.FormatDuration(t.Median), chart.FormatDuration(t.P90))
}

func tables(zone *time.Location, id string, c report.ClockSummary) []tableView {
	table := func(part, caption, key string, lines []report.Line, name func(report.Line) string) tableView {
		t := tableView{ID: id + "-" + part, Caption: caption, Key: key}
		for _, l := range lines {
			t.Rows = append(t.Rows, rowView{name(l), l.Tally})
		}
		return t
	}
	return []tableView{
		table("weeks", "By week", "Week of", c.Weeks, func(l report.Line) string { return l.Week.In(zone).Format("2 Jan 2006") }),
		table("priorities", "By priority", "Priority", c.Priorities, func(l report.Line) string { return string(l.Priority) }),
		table("categories", "By category", "Category", c.Categories, func(l report.Line) string { return l.Category }),
		table("agents", "By agent", "Agent", c.Agents, func(l report.Line) string { return agentName(l.Agent) }),
	}
}

func agentName(r desk.Ref) string {
	if r.ID == "" {
		return "unassigned"
	}
	return r.Name
}
