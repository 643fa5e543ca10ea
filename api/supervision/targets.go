package supervision

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/chart"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
)

type promisesView struct {
	frame
	Asked    filterForm
	Problems map[string]string // by field
	Clocks   []clockView       // none if there are problems
	ZoneName string            // of the policy
	Choices  filterChoices
	File     string // URL of the report as CSV
	Shorter  []periodView
}

// filterForm is the filter as typed.
type filterForm struct{ From, To, Priority, Category, Agent, Measure string }

// filterChoices are the options of the filter.
type filterChoices struct {
	Priorities []policy.Priority
	Categories []string
	Agents     []desk.Colleague
}

// periodView is a link to the report for another period.
type periodView struct {
	Name, Address string
	Current       bool
}

// clockView is the report on one clock.
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

// Percent formats the share of decided targets that were met.
func (r rowView) Percent() string { return percent(r.Tally) }

// Percent is that of the entire period.
func (c clockView) Percent() string { return percent(c.Total) }

func percent(t report.Tally) string {
	share, ok := t.Share()
	switch {
	case !ok:
		return "–"
	case share > .999 && t.Breached > 0:
		return "99.9\u00a0%" // 100% only if none was breached
	default:
		return fmt.Sprintf("%.1f\u00a0%%", 100*share)
	}
}

// Span formats a duration.
func (promisesView) Span(t report.Tally, d time.Duration) string {
	if t.Delivered == 0 {
		return "–"
	}
	return chart.FormatDuration(d)
}

// promises returns a handler that shows the report as a page, or as a file.
func (p *Pages) promises(show func(*page.Visit, promisesView, report.Promises) error) func(*page.Visit) error {
	return func(v *page.Visit) error {
		view, made, err := p.promiseReport(v)
		if err != nil {
			return err
		}
		if view.Problems != nil {
			return v.ShowStatus(http.StatusUnprocessableEntity, "targets", view)
		}
		return show(v, view, made)
	}
}

func showPromises(v *page.Visit, view promisesView, made report.Promises) error {
	for _, c := range made.Clocks {
		view.Clocks = append(view.Clocks, viewClock(made, c))
	}
	return v.Show("targets", view)
}

// promiseReport reads the filter and computes the report, unless the filter is invalid.
func (p *Pages) promiseReport(v *page.Visit) (promisesView, report.Promises, error) {
	view := promisesView{frame: newFrame(v, "SLA performance", "/supervision/promises")}
	_, inForce, _, err := p.policyReader.PolicyInForce(v.Context())
	if err != nil {
		return view, report.Promises{}, err
	}
	staff, err := p.staffing.Staff(v.Context())
	if err != nil {
		return view, report.Promises{}, err
	}
	view.Choices = filterChoices{Priorities: policy.Priorities(), Categories: inForce.Categories, Agents: staff}
	view.ZoneName = inForce.Zone.String()
	view.Asked = filterForm{
		From: v.Query("from"), To: v.Query("to"), Priority: v.Query("priority"), Category: v.Query("category"),
		Agent: v.Query("agent"), Measure: v.Query("measure"),
	}
	filter, err := view.Asked.filter(time.Now(), inForce.Zone)
	if view.Problems = page.FieldErrors(err); view.Problems != nil {
		return view, report.Promises{}, nil
	}
	if err != nil {
		return view, report.Promises{}, err
	}
	view.Asked.From = filter.From.In(inForce.Zone).Format(time.DateOnly)
	view.Asked.To = filter.To.Add(-time.Second).In(inForce.Zone).Format(time.DateOnly)
	view.File = view.Asked.address("/supervision/promises.csv")
	view.Shorter = view.Asked.periods(time.Now(), inForce.Zone)
	made, err := p.reports.Promises(v.Context(), filter)
	return view, made, err
}

// maxWord bounds the length of a filter value, in bytes.
const maxWord = 200

func (a filterForm) filter(now time.Time, zone *time.Location) (report.PromiseFilter, error) {
	f := report.PromiseFilter{
		Priority: policy.Priority(a.Priority), Category: a.Category, Agent: a.Agent, Measure: report.Measure(a.Measure),
	}
	var wrong []fault.Detail
	check := func(field string, valid bool) {
		if !valid {
			wrong = append(wrong, fault.Detail{Field: field, Message: "is not a valid choice"})
		}
	}
	check("priority", a.Priority == "" || f.Priority.Valid())
	check("category", len(a.Category) <= maxWord)
	check("agent", len(a.Agent) <= maxWord)
	check("measure", a.Measure == "" || f.Measure == report.MeasureElapsed || f.Measure == report.MeasureCounted)
	if len(wrong) > 0 {
		return f, fault.Fields(wrong...)
	}
	var err error
	f.From, f.To, err = report.Period(now, zone, a.From, a.To)
	return f, err
}

// address returns the address of a page for the filter.
func (a filterForm) address(path string) string {
	return page.Address(path, "from", a.From, "to", a.To, "priority", a.Priority, "category", a.Category, "agent", a.Agent, "measure", a.Measure)
}

// periods returns the usual periods, up to and including today and the current week.
func (a filterForm) periods(now time.Time, zone *time.Location) []periodView {
	today := now.In(zone)
	monday := report.Weeks(now, now, zone)[0].In(zone)
	var views []periodView
	for _, weeks := range []int{4, 12, 26, 52} {
		b := a
		b.From, b.To = monday.AddDate(0, 0, -7*(weeks-1)).Format(time.DateOnly), today.Format(time.DateOnly)
		views = append(views, periodView{
			Name: fmt.Sprintf("%d weeks", weeks), Address: b.address("/supervision/promises"), Current: b.From == a.From && b.To == a.To,
		})
	}
	return views
}

// sendPromises sends a report as a file according to RFC 4180: one record for each row of each table, and one for the
// entire period.
func sendPromises(v *page.Visit, view promisesView, r report.Promises) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	records := [][]string{{
		"promise", "by", "of", "met", "breached", "pending", "cancelled", "met_share", "delivered", "median_seconds", "p90_seconds",
	}}
	for _, c := range r.Clocks {
		add := func(by, of string, t report.Tally) {
			records = append(records, append([]string{string(c.Clock), by, escapeFormula(of)}, tallyFields(t)...))
		}
		add("all", "", c.Total)
		for _, l := range c.Weeks {
			add("week", l.Week.In(r.Zone).Format(time.DateOnly), l.Tally)
		}
		for _, l := range c.Priorities {
			add("priority", string(l.Priority), l.Tally)
		}
		for _, l := range c.Categories {
			add("category", l.Category, l.Tally)
		}
		for _, l := range c.Agents {
			add("agent", agentName(l.Agent), l.Tally)
		}
	}
	if err := w.WriteAll(records); err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	return v.File("text/csv; charset=utf-8", fmt.Sprintf("promises-%s-%s.csv", view.Asked.From, view.Asked.To), b.Bytes())
}

// tallyFields formats a tally; missing values are empty.
func tallyFields(t report.Tally) []string {
	values := []string{strconv.Itoa(t.Met), strconv.Itoa(t.Breached), strconv.Itoa(t.Pending), strconv.Itoa(t.Cancelled), "", strconv.Itoa(t.Delivered), "", ""}
	if share, ok := t.Share(); ok {
		values[4] = strconv.FormatFloat(share, 'f', 4, 64)
	}
	if t.Delivered > 0 {
		values[6] = strconv.FormatInt(int64(t.Median/time.Second), 10)
		values[7] = strconv.FormatInt(int64(t.P90/time.Second), 10)
	}
	return values
}

// formulas are the characters that a spreadsheet treats as the start of a formula, including full-width ones.
const formulas = "=+-@\t\r\n|%＝＋－＠"

// escapeFormula prevents a spreadsheet from evaluating a name.
func escapeFormula(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && strings.ContainsRune(formulas, first) {
		return "'" + text
	}
	return text
}
