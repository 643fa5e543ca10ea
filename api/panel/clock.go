package panel

import (
	"html/template"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// clockView is a promise in full: its badge, and how the deadline came about.
type clockView struct {
	badge
	ID        policy.ClockName
	Detail    string // when it is or was due
	Words     string // what is left of which budget
	Share     string // of the budget that is used, in percent
	Ahead     string // stopped by an emergency alone: what follows when that ends
	Ask, Why  string // the question that the explanation answers, in short and in full
	Explained []explanationLine
	Note      template.HTML // that opening hours are counted in another zone; empty when time counts always
}

// explanationLine is a line of the explanation.
type explanationLine struct {
	Running bool
	Text    template.HTML
	Causes  []page.Cause // emergencies
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

// explain tells how the deadline came about, with the emergencies behind it by the timeline.
func (c *clockView) explain(v desk.View, entries []desk.Entry, causes page.Causes, l page.Layout) {
	for _, line := range v.Explain(c.ID, time.Now()) {
		c.Explained = append(c.Explained, explanationLine{line.Running, l.Told(line), causes.Behind(desk.CausesOf(line, entries))})
	}
}
