package panel

import (
	"html/template"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// clockView shows a clock in full: its badge, its deadline and the explanation of the deadline.
type clockView struct {
	badge
	ID        policy.ClockName
	Detail    string // the deadline, or the reasons of a pause
	Words     string // remaining part of the budget
	Share     string // used part of the budget, in percent
	Ahead     string // the deadline that follows, if only an emergency pauses the clock
	Ask, Why  string // short and full question that the explanation answers
	Explained []explanationLine
	Note      template.HTML // zone of the opening hours, if it is not the viewer's; empty if time counts around the clock
}

// explanationLine is a line of the explanation.
type explanationLine struct {
	Running bool
	Text    template.HTML
	Causes  []page.Cause // emergencies that the line refers to
}

func newClock(v desk.View, name policy.ClockName, l page.Layout, now time.Time) clockView {
	c := clockView{badge: newBadge(v, name, l, now), ID: name, Ask: "Why?", Why: "Why is this due then?"}
	clock := v.Ticket.Promise(name).Clock
	if clock.Counts != policy.CountCalendar {
		c.Note = l.HoursIn(v.Policy.Zone.String())
	}
	g := v.Gauge(name, now)
	c.Share = percent(c.Used, c.Budget)
	switch {
	case !g.MetAt.IsZero():
		c.Detail, c.Ask, c.Why = l.Words(g.MetAt), "How?", "How was the time counted?"
	case c.Runs:
		c.Detail = "due " + l.Words(g.Due)
	case len(g.Paused) > 0:
		c.Detail, c.Why, c.Ahead = pauseReasons(g.Paused), "Why is nothing due?", afterEmergency(g.SLAState, l)
	}
	left := g.Budget - g.Used
	unit := map[policy.CountingMode]string{
		policy.CountBusinessHours: "business hours", policy.CountBusinessDays: "business days", policy.CountCalendar: "calendar time",
	}[clock.Counts]
	budget := policy.FormatBudget(clock.Counts, g.Budget)
	if left >= 0 {
		c.Words = policy.FormatBudget(clock.Counts, left.Truncate(time.Minute)) + " of " + budget + " left, in " + unit
	} else {
		c.Words = policy.FormatBudget(clock.Counts, (-left).Truncate(time.Minute)) + " over " + budget + ", in " + unit
	}
	return c
}

// explain fills in how the deadline follows from the clock's ledger, with links to the emergencies that affected it.
func (c *clockView) explain(v desk.View, entries []desk.Entry, causes page.Causes, l page.Layout) {
	for _, line := range v.Explain(c.ID, time.Now()) {
		c.Explained = append(c.Explained, explanationLine{line.Running, l.Explanation(line), causes.Behind(desk.CausesOf(line, entries))})
	}
}
