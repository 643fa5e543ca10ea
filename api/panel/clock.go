package panel

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// badge shows a clock as one word and a bar.
type badge struct {
	Name   string // for screen readers, such as "First response"
	Short  string // as displayed, such as "Reply"
	State  string // calm, soon, urgent, late, paused, met, missed, none
	Text   string
	Title  string // tooltip: a complete sentence
	Due    time.Time
	Runs   bool
	Budget int64 // seconds
	Used   int64 // seconds, at most the budget
}

var clockWords = map[policy.ClockName]struct{ name, short string }{
	policy.FirstResponse: {"First response", "Reply"},
	policy.Resolution:    {"Resolution", "Resolve"},
}

func newBadge(v desk.View, name policy.ClockName, l page.Layout, now time.Time) badge {
	g := v.Gauge(name, now)
	b := badge{
		Name: clockWords[name].name, Short: clockWords[name].short, Due: g.Due,
		Budget: max(1, int64(g.Budget/time.Second)),
	}
	b.Used = min(b.Budget, int64(g.Used/time.Second))
	switch {
	case !g.MetAt.IsZero() && !g.BreachedAt.IsZero():
		b.State, b.Text, b.Title = "missed", "late", b.Name+" was late: "+l.Words(g.MetAt)
	case !g.MetAt.IsZero():
		b.State, b.Text, b.Title = "met", "met", b.Name+" met: "+l.Words(g.MetAt)
	case g.Settled || g.Budget == 0:
		b.State, b.Text, b.Title = "none", "–", b.Name+" does not apply"
	case len(g.Paused) > 0:
		b.State, b.Text, b.Title = "paused", "paused", b.Name+" is paused: "+pauseReasons(g.Paused)
		if follows := afterEmergency(g.SLAState, l); follows != "" {
			b.Title += ". " + follows
		}
		if !g.BreachedAt.IsZero() {
			b.State, b.Text, b.Title = "late", "overdue", b.Name+" was due "+l.Words(g.BreachedAt)+"; now paused: "+pauseReasons(g.Paused)
		}
	default:
		b.Runs = true
		b.State, b.Text = countdown(g.Due.Sub(now))
		b.Title = b.Name + " due " + l.Words(g.Due)
		if !g.Due.After(now) {
			b.Title = b.Name + " was due " + l.Words(g.Due)
		}
	}
	return b
}

// afterEmergency describes the deadline that follows the emergency if that alone pauses the clock. It is empty
// otherwise, and after a breach.
func afterEmergency(s desk.SLAState, l page.Layout) string {
	switch {
	case !slices.Equal(s.Paused, []policy.Reason{policy.ReasonEmergency}) || !s.BreachedAt.IsZero():
		return ""
	case s.Expected.IsZero():
		return "A new deadline follows when it ends"
	default:
		return "If it ends as planned, due " + l.Words(s.Expected)
	}
}

var pauseTexts = map[policy.Reason]string{policy.ReasonWaiting: "waiting for the requester", policy.ReasonEmergency: "emergency"}

func pauseReasons(all []policy.Reason) string {
	texts := make([]string, 0, len(all))
	for _, r := range all {
		texts = append(texts, cmp.Or(pauseTexts[r], string(r)))
	}
	return strings.Join(texts, ", ")
}

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
	c := clockView{badge: newBadge(v, name, l, now), ID: name, Ask: "Why?", Why: "Why this deadline?"}
	clock := v.Ticket.Promise(name).Clock
	if clock.Counts != policy.CountCalendar {
		c.Note = l.HoursIn(v.Policy.Zone.String())
	}
	g := v.Gauge(name, now)
	c.Share = fmt.Sprintf("%d%%", 100*c.Used/c.Budget)
	switch {
	case !g.MetAt.IsZero():
		c.Detail, c.Ask, c.Why = l.Words(g.MetAt), "How?", "How was the time counted?"
	case c.Runs:
		c.Detail = "due " + l.Words(g.Due)
	case len(g.Paused) > 0:
		c.Detail, c.Why, c.Ahead = pauseReasons(g.Paused), "Why is there no deadline?", afterEmergency(g.SLAState, l)
	}
	left := g.Budget - g.Used
	unit := map[policy.CountingMode]string{
		policy.CountBusinessHours: "business hours", policy.CountBusinessDays: "business days", policy.CountCalendar: "calendar time",
	}[clock.Counts]
	format := "%s of %s left, in %s"
	if left < 0 {
		format = "%s over %s, in %s"
	}
	c.Words = fmt.Sprintf(format, policy.FormatBudget(clock.Counts, left.Abs().Truncate(time.Minute)), policy.FormatBudget(clock.Counts, g.Budget), unit)
	return c
}

// explain fills in how the deadline follows from the clock's ledger, with links to the emergencies that affected it.
func (c *clockView) explain(v desk.View, entries []desk.Entry, causes page.Causes, l page.Layout) {
	for _, line := range v.Explain(c.ID, time.Now()) {
		c.Explained = append(c.Explained, explanationLine{line.Running, l.Explanation(line), causes.Behind(desk.CausesOf(line, entries))})
	}
}

// shortDuration formats a duration in its two largest units, such as 3d 4h, 4h 12m, 12m or <1m. static/panel.js
// formats running clocks in the same way.
func shortDuration(d time.Duration) string {
	const day = 24 * time.Hour
	d = d.Abs()
	switch {
	case d < time.Minute:
		return "<1m"
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%dh %dm", d/time.Hour, d%time.Hour/time.Minute)
	case d < 10*day:
		return fmt.Sprintf("%dd %dh", d/day, d%day/time.Hour)
	default:
		return fmt.Sprintf("%dd", d/day)
	}
}

// age formats a duration in its largest unit.
func age(d time.Duration) string {
	largest, _, _ := strings.Cut(shortDuration(max(0, d)), " ")
	return largest
}

// countdown returns the state and the text of a running clock's badge; left is negative after the deadline.
func countdown(left time.Duration) (state, text string) {
	const urgent, soon = 2 * time.Hour, 24 * time.Hour
	switch {
	case left <= 0:
		return "late", age(-left) + " over"
	case left < urgent:
		return "urgent", shortDuration(left)
	case left < soon:
		return "soon", shortDuration(left)
	default:
		return "calm", shortDuration(left)
	}
}
