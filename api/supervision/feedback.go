package supervision

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/chart"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/report"
)

type ratingsView struct {
	frame
	From, To string
	Problems map[string]string // by field
	Report   report.Ratings
	Tables   []ratingTable
	Chart    template.HTML
	Best     int
}

type ratingTable struct {
	ID, Caption, Key string
	Rows             []ratingRow
}

type ratingRow struct {
	Name string
	report.Scores
}

// Mean formats the average.
func (r ratingRow) Mean() string { return mean(r.Scores) }

// Mean formats the average of the period.
func (v ratingsView) Mean() string { return mean(v.Report.Total) }

func mean(s report.Scores) string {
	average, ok := s.Average()
	if !ok {
		return "–"
	}
	return fmt.Sprintf("%.2f", average)
}

func (p *Pages) ratings(v *page.Visit) error {
	view := ratingsView{frame: newFrame(v, "Ratings", "/supervision/ratings"), Best: desk.MaxScore}
	_, inForce, _, err := p.policyReader.PolicyInForce(v.Context())
	if err != nil {
		return err
	}
	view.From, view.To = v.Query("from"), v.Query("to")
	from, to, err := report.Period(time.Now(), inForce.Zone, view.From, view.To)
	if view.Problems = page.FieldErrors(err); view.Problems != nil {
		return v.ShowStatus(http.StatusUnprocessableEntity, "ratings", view)
	}
	if err != nil {
		return err
	}
	view.From, view.To = from.In(inForce.Zone).Format(time.DateOnly), to.Add(-time.Second).In(inForce.Zone).Format(time.DateOnly)
	if view.Report, err = p.reports.Ratings(v.Context(), from, to); err != nil {
		return err
	}
	view.draw(inForce.Zone)
	return v.Show("ratings", view)
}

func (v *ratingsView) draw(zone *time.Location) {
	weeks := ratingTable{ID: "weeks", Caption: "By week", Key: "Week of"}
	agents := ratingTable{ID: "agents", Caption: "By agent", Key: "Agent"}
	c := chart.Chart{ID: "ratings-weeks", Title: "Average rating, by week", Scale: chart.CountScale()}
	series := chart.Series{Name: "average", Class: "chart-median"}
	for _, l := range v.Report.Weeks {
		weeks.Rows = append(weeks.Rows, ratingRow{l.Week.In(zone).Format("2 Jan 2006"), l.Scores})
		average, ok := l.Average()
		if !ok {
			average = math.NaN()
		}
		series.Values = append(series.Values, average)
		c.Labels = append(c.Labels, l.Week.In(zone).Format("2 Jan"))
	}
	for _, l := range v.Report.Agents {
		agents.Rows = append(agents.Rows, ratingRow{agentName(l.Agent), l.Scores})
	}
	c.Desc = fmt.Sprintf("%d ratings, %s on average. The table by week has the numbers.", v.Report.Total.Count(), v.Mean())
	c.Series = []chart.Series{series}
	c.Scale.Text = func(score float64) string { return strconv.FormatFloat(math.Round(score*100)/100, 'f', -1, 64) }
	v.Chart = c.Lines()
	v.Tables = []ratingTable{weeks, agents}
}

// mostSuggestions limits the suggestions on the page.
const mostSuggestions = 100

type suggestionsView struct {
	frame
	All    bool // including read ones
	Unread int
	Shown  []desk.Suggestion
}

func (p *Pages) suggestions(v *page.Visit) error {
	view := suggestionsView{frame: newFrame(v, "Suggestions", "/supervision/suggestions"), All: v.Query("show") == "all"}
	var err error
	if view.Shown, view.Unread, err = p.box.Suggestions(v.Context(), v.Person, !view.All, mostSuggestions); err != nil {
		return err
	}
	return v.Show("suggestions", view)
}

// readSuggestion marks a suggestion as read, or with state=unread as unread.
func (p *Pages) readSuggestion(v *page.Visit, form url.Values) error {
	id, err := strconv.ParseInt(v.Param("id"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "there is no such suggestion")
	}
	if err := p.box.MarkSuggestion(v.Context(), v.Person, id, form.Get("state") != "unread"); err != nil {
		return err
	}
	if form.Get("show") == "all" {
		return v.Redirect("/supervision/suggestions?show=all")
	}
	return v.Redirect("/supervision/suggestions")
}

type mailView struct {
	frame
	State            report.MailStatus
	Waiting, Bounced []report.Mail
	Most             int
	Lately           bool // of bounced mails, only those counted on the overview
}

func (p *Pages) mail(v *page.Visit) error {
	view := mailView{frame: newFrame(v, "Email", "/supervision/mail"), Most: report.MaxMails, Lately: v.Query("bounced") == "lately"}
	var err error
	view.State, view.Waiting, view.Bounced, err = p.reports.MailDelivery(v.Context(), time.Now(), view.Lately)
	if err != nil {
		return err
	}
	return v.Show("mail", view)
}
