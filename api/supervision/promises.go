package supervision

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/chart"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
)

type promisesView struct {
	frame
	Asked    asked
	Problems map[string]string // by field
	Clocks   []clockView       // none with problems
	ZoneName string            // of the policy
	Choices  choices
	File     string // address of the same as CSV
	Shorter  []periodView
}

// asked is the filter as it was typed.
type asked struct{ From, To, Priority, Category, Agent, Measure string }

// choices are what the filter offers.
type choices struct {
	Priorities []policy.Priority
	Categories []string
	Agents     []desk.Colleague
}

// periodView is a link to the same report over another period.
type periodView struct {
	Name, Address string
	Current       bool
}

// clockView is the report on one promise.
type clockView struct {
	report.ClockSummary
	ID, Name string
	Bars     template.HTML
	Lines    template.HTML
	Tables   []tableView
}

// tableView is one grouping.
type tableView struct {
	ID, Caption, Key string
	Rows             []rowView
}

type rowView struct {
	Name string
	report.Tally
}

// Percent is the share of the judged that was kept, in words.
func (r rowView) Percent() string { return percent(r.Tally) }

// Percent is that of the whole.
func (c clockView) Percent() string { return percent(c.Total) }

func percent(t report.Tally) string {
	share, ok := t.Share()
	switch {
	case !ok:
		return "–"
	case share > .999 && t.Broken > 0:
		return "99.9\u00a0%" // all of them only when none was broken
	default:
		return fmt.Sprintf("%.1f\u00a0%%", 100*share)
	}
}

// Span writes a time that deliveries took.
func (promisesView) Span(t report.Tally, d time.Duration) string {
	if t.Delivered == 0 {
		return "–"
	}
	return chart.Span(d)
}

func (p *Pages) promises(v *page.Visit) error {
	view, made, err := p.counted(v)
	if err != nil {
		return err
	}
	if len(view.Problems) > 0 {
		return v.ShowStatus(http.StatusUnprocessableEntity, "promises", view)
	}
	for _, c := range made.Clocks {
		view.Clocks = append(view.Clocks, viewClock(made, c))
	}
	return v.Show("promises", view)
}

func (p *Pages) promisesFile(v *page.Visit) error {
	view, made, err := p.counted(v)
	if err != nil {
		return err
	}
	if len(view.Problems) > 0 {
		return v.ShowStatus(http.StatusUnprocessableEntity, "promises", view)
	}
	body, err := promisesCSV(made)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("promises-%s-%s.csv", view.Asked.From, view.Asked.To)
	return v.File("text/csv; charset=utf-8", name, body)
}

// counted reads the filter and has it counted, unless it can't be read.
func (p *Pages) counted(v *page.Visit) (promisesView, report.Promises, error) {
	view := promisesView{frame: newFrame(v, "Promises kept and broken", "/supervision/promises"), Problems: map[string]string{}}
	_, inForce, _, err := p.archive.PolicyInForce(v.Context())
	if err != nil {
		return view, report.Promises{}, err
	}
	staff, err := p.staffing.Staff(v.Context())
	if err != nil {
		return view, report.Promises{}, err
	}
	view.Choices = choices{Priorities: policy.Priorities(), Categories: inForce.Categories, Agents: staff}
	view.ZoneName = inForce.Zone.String()
	view.Asked = asked{
		From: v.Query("from"), To: v.Query("to"), Priority: v.Query("priority"), Category: v.Query("category"),
		Agent: v.Query("agent"), Measure: v.Query("measure"),
	}
	filter, err := view.Asked.filter(time.Now(), inForce.Zone)
	var wrong *fault.Error
	if errors.As(err, &wrong) {
		for _, d := range wrong.Details {
			view.Problems[d.Field] = d.Message
		}
		return view, report.Promises{}, nil
	}
	view.Asked.From = filter.From.In(inForce.Zone).Format(time.DateOnly)
	view.Asked.To = filter.To.Add(-time.Second).In(inForce.Zone).Format(time.DateOnly)
	view.File = "/supervision/promises.csv?" + view.Asked.query().Encode()
	view.Shorter = view.Asked.periods(time.Now(), inForce.Zone)
	made, err := p.reports.Promises(v.Context(), filter)
	return view, made, err
}

// maxWord is the longest name that a filter can mean, in bytes.
const maxWord = 200

func (a asked) filter(now time.Time, zone *time.Location) (report.PromiseFilter, error) {
	f := report.PromiseFilter{
		Priority: policy.Priority(a.Priority), Category: a.Category, Agent: a.Agent, Measure: report.Measure(a.Measure),
	}
	var wrong []fault.Detail
	for field, bad := range map[string]bool{
		"priority": a.Priority != "" && !f.Priority.Valid(),
		"category": len(a.Category) > maxWord,
		"agent":    len(a.Agent) > maxWord,
		"measure":  a.Measure != "" && f.Measure != report.MeasureElapsed && f.Measure != report.MeasureCounted,
	} {
		if bad {
			wrong = append(wrong, fault.Detail{Field: field, Message: "is not one of the choices"})
		}
	}
	if len(wrong) > 0 {
		return f, fault.Fields(wrong...)
	}
	var err error
	f.From, f.To, err = report.Period(now, zone, a.From, a.To)
	return f, err
}

func (a asked) query() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{
		"from": a.From, "to": a.To, "priority": a.Priority, "category": a.Category, "agent": a.Agent, "measure": a.Measure,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// periods are the usual ones, up to today and this week included.
func (a asked) periods(now time.Time, zone *time.Location) []periodView {
	today := now.In(zone)
	monday := report.Weeks(now, now, zone)[0].In(zone)
	var views []periodView
	for _, weeks := range []int{4, 12, 26, 52} {
		b := a
		b.From, b.To = monday.AddDate(0, 0, -7*(weeks-1)).Format(time.DateOnly), today.Format(time.DateOnly)
		views = append(views, periodView{
			Name: fmt.Sprintf("%d weeks", weeks), Address: "/supervision/promises?" + b.query().Encode(), Current: b.From == a.From && b.To == a.To,
		})
	}
	return views
}
