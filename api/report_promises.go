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
	From     string       `query:"from" doc:"First day of submission, such as 2026-11-30, in the policy's zone. Without it the report has twelve weeks."`
	To       string       `query:"to" doc:"Last day, inclusive; today without it."`
	Priority priorityName `query:"priority"`
	Category string       `query:"category"`
	Agent    string       `query:"agent" doc:"A handle or an ID."`
	Measure  string       `query:"measure" enum:"elapsed,counted" default:"elapsed" doc:"Whether times are taken as they elapsed, or as the promise's clock counts them."`
}

type reportOutput struct{ Body reportView }

// reportView is the report on the promises of a period.
type reportView struct {
	From     time.Time         `json:"from"`
	To       time.Time         `json:"to" doc:"Exclusive."`
	Zone     string            `json:"time_zone" doc:"Of weeks and days."`
	Measure  report.Measure    `json:"measure"`
	Promises []clockReportView `json:"promises"`
}

type clockReportView struct {
	Clock      policy.ClockName `json:"clock"`
	Total      tallyView        `json:"total"`
	Weeks      []weekLine       `json:"weeks" doc:"By the week of submission, every one of the period."`
	Priorities []priorityLine   `json:"priorities" doc:"As they were when the promise was kept, broken or dropped; as they are while it is owed. So too below."`
	Categories []categoryLine   `json:"categories"`
	Agents     []agentLine      `json:"agents"`
}

type weekLine struct {
	Week string `json:"week" doc:"Its Monday."`
	tallyView
}

type priorityLine struct {
	Priority policy.Priority `json:"priority"`
	tallyView
}

type categoryLine struct {
	Category string `json:"category"`
	tallyView
}

type agentLine struct {
	Agent *assigneeView `json:"agent,omitempty" doc:"Missing: nobody."`
	tallyView
}

type tallyView struct {
	Kept      int      `json:"met" doc:"Delivered strictly before the deadline."`
	Breached  int      `json:"breached" doc:"The deadline came first, whatever was delivered later."`
	Owed      int      `json:"pending" doc:"Neither yet."`
	Dropped   int      `json:"cancelled" doc:"The ticket was closed before either."`
	KeptShare *float64 `json:"met_share,omitempty" doc:"met / (met + breached); missing when both are 0."`
	Delivered int      `json:"delivered" doc:"Kept or late."`
	Median    *int64   `json:"median_seconds,omitempty" doc:"The shortest time within which at least half were delivered."`
	P90       *int64   `json:"p90_seconds,omitempty" doc:"The shortest time within which at least nine in ten were delivered."`
}

// reportPromises returns how many promises of a period were met and breached.
func (s *server) reportPromises(ctx context.Context, in *reportInput) (*reportOutput, error) {
	if s.Reports == nil {
		return nil, fault.New(fault.Unavailable, "this process keeps no reports")
	}
	zone, err := s.Reports.Zone(ctx)
	if err != nil {
		return nil, err
	}
	filter, err := in.filter(time.Now(), zone)
	if err != nil {
		return nil, err
	}
	r, err := s.Reports.Promises(ctx, filter)
	if err != nil {
		return nil, err
	}
	view := reportView{From: filter.From, To: filter.To, Zone: zone.String(), Measure: filter.Measure}
	for _, c := range r.Clocks {
		view.Promises = append(view.Promises, viewClockReport(c, zone))
	}
	return &reportOutput{Body: view}, nil
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
	view := clockReportView{
		Clock: c.Clock, Total: viewTally(c.Total),
		Weeks: []weekLine{}, Priorities: []priorityLine{}, Categories: []categoryLine{}, Agents: []agentLine{},
	}
	for _, l := range c.Weeks {
		view.Weeks = append(view.Weeks, weekLine{l.Week.In(zone).Format(time.DateOnly), viewTally(l.Tally)})
	}
	for _, l := range c.Priorities {
		view.Priorities = append(view.Priorities, priorityLine{l.Priority, viewTally(l.Tally)})
	}
	for _, l := range c.Categories {
		view.Categories = append(view.Categories, categoryLine{l.Category, viewTally(l.Tally)})
	}
	for _, l := range c.Agents {
		var agent *assigneeView
		if l.Agent.ID != "" {
			agent = viewAssignee(&l.Agent)
		}
		view.Agents = append(view.Agents, agentLine{agent, viewTally(l.Tally)})
	}
	return view
}

func viewTally(t report.Tally) tallyView {
	view := tallyView{Kept: t.Met, Breached: t.Breached, Owed: t.Pending, Dropped: t.Cancelled, Delivered: t.Delivered}
	if share, ok := t.Share(); ok {
		view.KeptShare = &share
	}
	if t.Delivered > 0 {
		median, p90 := int64(t.Median/time.Second), int64(t.P90/time.Second)
		view.Median, view.P90 = &median, &p90
	}
	return view
}
