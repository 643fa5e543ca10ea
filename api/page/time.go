package page

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// When formats an instant in full: Thu 3 Dec 2026, 11:00 UTC.
func (l Layout) When(t time.Time) template.HTML {
	return l.timeElement(t, "full", l.Words(t))
}

// Words returns an instant in the format of When, as plain text.
func (l Layout) Words(t time.Time) string {
	layout := "Mon 2 Jan 2006, 15:04 MST"
	if t.Second() != 0 && !t.IsZero() && t.Before(l.Now.Add(time.Hour)) && t.After(l.Now.Add(-time.Hour)) {
		layout = "Mon 2 Jan 2006, 15:04:05 MST"
	}
	return t.In(l.Zone).Format(layout)
}

// Day formats the day of an instant: 3 Dec 2026.
func (l Layout) Day(t time.Time) template.HTML {
	return l.timeElement(t, "day", t.In(l.Zone).Format("2 Jan 2006"))
}

// Ago formats an instant relative to now: 3 h ago, in 3 h. A script updates it.
func (l Layout) Ago(t time.Time) template.HTML {
	return l.timeElement(t, "relative", relative(t.Sub(l.Now)))
}

// Left formats the time until an instant, or since: 3 h left. A script updates it.
func (l Layout) Left(t time.Time) template.HTML {
	return l.timeElement(t, "left", remaining(t.Sub(l.Now)))
}

func (l Layout) timeElement(t time.Time, kind, words string) template.HTML {
	if t.IsZero() {
		return ""
	}
	instant := t.UTC().Format(time.RFC3339)
	title := template.HTMLEscapeString(t.In(l.Zone).Format("Monday 2 January 2006, 15:04:05 MST"))
	// All of it consists of numbers and names of zones, and is escaped as well.
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-time="%s" title="%s">%s</time>`, //nolint:gosec // see above
		instant, kind, title, template.HTMLEscapeString(words)))
}

// relative formats a duration relative to now: "in 3 h", "3 h ago". The script in app.js does the same.
func relative(d time.Duration) string {
	switch {
	case d.Abs() < 30*time.Second:
		return "now"
	case d < 0:
		return shortDuration(-d) + " ago"
	default:
		return "in " + shortDuration(d)
	}
}

func remaining(d time.Duration) string {
	if d < 0 {
		return shortDuration(-d) + " over"
	}
	return shortDuration(d) + " left"
}

// shortDuration formats a duration in its largest unit, rounded down: 45 s, 12 min, 3 h, 2 d. From one to ten days it
// includes the hours.
func shortDuration(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d < 10*day && d%day >= time.Hour:
		return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
	default:
		return fmt.Sprintf("%d d", d/day)
	}
}

// Explanation formats a line of a clock's explanation, with its instants in the viewer's zone.
func (l Layout) Explanation(line policy.Line) template.HTML {
	var b strings.Builder
	for _, p := range line.Parts {
		switch {
		case p.From.IsZero():
			b.WriteString(template.HTMLEscapeString(p.Text))
		case p.From.Equal(p.To):
			b.WriteString(string(l.shortTime(p.From)))
		default:
			b.WriteString(string(l.interval(p.From, p.To)))
		}
	}
	return template.HTML(b.String()) //nolint:gosec // escaped part by part
}

// shortTime formats an instant without the current year: Thu 3 Dec 11:00 UTC. The script in app.js does the same.
func (l Layout) shortTime(t time.Time) template.HTML {
	local := t.In(l.Zone)
	return l.timeElement(t, "moment", l.dayOf(local)+" "+clockTime(local)+" "+local.Format("MST"))
}

// interval formats a period: Thu 3 Dec 11:00 to 17:00 UTC.
func (l Layout) interval(from, to time.Time) template.HTML {
	a, b := from.In(l.Zone), to.In(l.Zone)
	start, end := l.dayOf(a)+" "+clockTime(a), clockTime(b)+" "+b.Format("MST")
	if a.Format("MST") != b.Format("MST") {
		start += " " + a.Format("MST")
	}
	if a.Format(time.DateOnly) != b.Format(time.DateOnly) {
		end = l.dayOf(b) + " " + end
	}
	return l.timeElement(from, "from", start) + " to " + l.timeElement(to, "until", end)
}

func (l Layout) dayOf(local time.Time) string {
	if local.Year() == l.Now.In(l.Zone).Year() {
		return local.Format("Mon 2 Jan")
	}
	return local.Format("Mon 2 Jan 2006")
}

func clockTime(local time.Time) string {
	if local.Second() == 0 {
		return local.Format("15:04")
	}
	return local.Format(time.TimeOnly)
}

// HoursIn returns a note that opening hours are counted in another zone than the viewer's. In the viewer's own zone it
// is hidden; a script shows it if the browser's zone differs.
func (l Layout) HoursIn(zone string) template.HTML {
	hidden := ""
	if zone == l.Zone.String() {
		hidden = " hidden"
	}
	zone = template.HTMLEscapeString(zone)
	return template.HTML(fmt.Sprintf(`<p class="hint" data-hours="%s"%s>Opening hours are counted in %s.</p>`, zone, hidden, zone)) //nolint:gosec // escaped above
}
