package api

import (
	"context"
	"errors"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
)

// reports returns reports for supervisors; see app.Reports.
type reports interface {
	Zone(context.Context) (*time.Location, error)
	Promises(context.Context, report.PromiseFilter) (report.Promises, error)
}

type reportInput struct {
	From     string       `query:"from" doc:"First day of submission, such as 2026-11-30, in the policy's time zone; absent: the report covers twelve weeks."`
	To       string       `query:"to" doc:"Last day, inclusive; absent: today."`
	Priority priorityName `query:"priority"`
	Category string       `query:"category"`
	Agent    string       `query:"agent" doc:"A handle or an ID."`
	Measure  string       `query:"measure" enum:"elapsed,counted" default:"elapsed" doc:"elapsed: times around the clock. counted: only the time that counts for the target."`
}

// reportView is the report on the promises of a period.
type reportView struct {
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to" doc:"Exclusive."`
	Zone     string            `json:"time_zone" doc:"The time zone of weeks and days."`
	Measure  report.Measure    `json:"measure"`
	Promises []clockReportView `json:"promises"`
}

type clockReportView struct {
	Clock      policy.ClockName `json:"clock"`
	Total      TallyView        `json:"total"`
	Weeks      []weekLine       `json:"weeks" doc:"By week of submission, every week of the period."`
	Priorities []priorityLine   `json:"priorities" doc:"By the priority at the time when the target was met, breached or cancelled; while it is pending, by the current one. The same holds for categories and agents."`
	Categories []categoryLine   `json:"categories"`
	Agents     []agentLine      `json:"agents"`
}

type weekLine struct {
	Week string `json:"week" doc:"The week's Monday."`
	TallyView
}

type priorityLine struct {
	Priority policy.Priority `json:"priority"`
	TallyView
}

type categoryLine struct {
	Category string `json:"category"`
	TallyView
}

type agentLine struct {
	Agent *assigneeView `json:"agent,omitempty" doc:"Absent: the tickets were unassigned."`
	TallyView
}

// TallyView counts the targets of a line. It is exported because huma leaves out embedded fields of unexported types.
type TallyView struct {
	Kept      int      `json:"met" doc:"The target was met before the deadline."`
	Breached  int      `json:"breached" doc:"The deadline passed first, even if the target was met later."`
	Owed      int      `json:"pending" doc:"Neither met nor breached yet."`
	Dropped   int      `json:"cancelled" doc:"The ticket was closed before the target was met or breached."`
	KeptShare *float64 `json:"met_share,omitempty" doc:"met / (met + breached); absent if both are 0."`
	Delivered int      `json:"delivered" doc:"Met in time or late."`
	Median    *int64   `json:"median_seconds,omitempty" doc:"The shortest time within which at least half of these were met."`
	P90       *int64   `json:"p90_seconds,omitempty" doc:"The shortest time within which at least nine in ten of these were met."`
}

// reportPromises returns how many promises of a period were met and breached.
func (s *server) reportPromises(ctx context.Context, in *reportInput) (view reportView, err error) {
	zone, err := s.Reports.Zone(ctx)
	if err != nil {
		return view, err
	}
	filter, err := in.filter(time.Now(), zone)
	if err != nil {
		return view, err
	}
	r, err := s.Reports.Promises(ctx, filter)
	return reportView{
		From: filter.From, To: filter.To, Zone: zone.String(), Measure: filter.Measure,
		Promises: viewEach(r.Clocks, func(c report.ClockSummary) clockReportView { return viewClockReport(c, zone) }),
	}, err
}

func (in *reportInput) filter(now time.Time, zone *time.Location) (report.PromiseFilter, error) {
	var f input.Fields
	filter := report.PromiseFilter{
		Priority: policy.Priority(in.Priority), Category: f.Optional("query.category", in.Category, input.MaxWord),
		Agent: f.Optional("query.agent", in.Agent, input.MaxWord), Measure: report.Measure(in.Measure),
	}
	var err error
	filter.From, filter.To, err = report.Period(now, zone, in.From, in.To)
	var wrong *fault.Error
	if errors.As(err, &wrong) {
		for _, d := range wrong.Details {
			f.Reject("query."+d.Field, "%s", d.Message)
		}
	}
	return filter, f.Err()
}

func viewClockReport(c report.ClockSummary, zone *time.Location) clockReportView {
	return clockReportView{
		Clock: c.Clock, Total: viewTally(c.Total),
		Weeks: viewEach(c.Weeks, func(l report.Line) weekLine {
			return weekLine{l.Week.In(zone).Format(time.DateOnly), viewTally(l.Tally)}
		}),
		Priorities: viewEach(c.Priorities, func(l report.Line) priorityLine { return priorityLine{l.Priority, viewTally(l.Tally)} }),
		Categories: viewEach(c.Categories, func(l report.Line) categoryLine { return categoryLine{l.Category, viewTally(l.Tally)} }),
		Agents:     viewEach(c.Agents, func(l report.Line) agentLine { return agentLine{viewRef(l.Agent), viewTally(l.Tally)} }),
	}
}

func viewTally(t report.Tally) TallyView {
	view := TallyView{Kept: t.Met, Breached: t.Breached, Owed: t.Pending, Dropped: t.Cancelled, Delivered: t.Delivered}
	if share, ok := t.Share(); ok {
		view.KeptShare = &share
	}
	if t.Delivered > 0 {
		median, p90 := int64(t.Median/time.Second), int64(t.P90/time.Second)
		view.Median, view.P90 = &median, &p90
	}
	return view
}
