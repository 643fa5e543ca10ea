package page

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// When writes an instant out: Thu 3 Dec 2026, 11:00 UTC.
func (l Layout) When(t time.Time) template.HTML {
	return l.timeElement(t, "full", l.Words(t))
}

// Words is an instant as When writes it, as plain text.
func (l Layout) Words(t time.Time) string {
	layout := "Mon 2 Jan 2006, 15:04 MST"
	if t.Second() != 0 && !t.IsZero() && t.Before(l.Now.Add(time.Hour)) && t.After(l.Now.Add(-time.Hour)) {
		layout = "Mon 2 Jan 2006, 15:04:05 MST"
	}
	return t.In(l.Zone).Format(layout)
}

// Day writes an instant's day out: 3 Dec 2026.
func (l Layout) Day(t time.Time) template.HTML {
	return l.timeElement(t, "day", t.In(l.Zone).Format("2 Jan 2006"))
}

// Ago says how long ago an instant was, or how far ahead it is: 3 h ago. A script keeps it true.
func (l Layout) Ago(t time.Time) template.HTML {
	return l.timeElement(t, "relative", relative(t.Sub(l.Now)))
}

// Left says the time that is left until an instant, or how long it is over: 3 h left. A script keeps it true.
func (l Layout) Left(t time.Time) template.HTML {
	return l.timeElement(t, "left", remaining(t.Sub(l.Now)))
}

func (l Layout) timeElement(t time.Time, kind, words string) template.HTML {
	if t.IsZero() {
		return ""
	}
	instant := t.UTC().Format(time.RFC3339)
	title := template.HTMLEscapeString(t.In(l.Zone).Format("Monday 2 January 2006, 15:04:05 MST"))
	// Everything in it is a number or a name of a zone, and escaped all the same.
	return template.HTML(fmt.Sprintf(`<time datetime="%s" data-time="%s" title="%s">%s</time>`, //nolint:gosec // see above
		instant, kind, title, template.HTMLEscapeString(words)))
}

// relative says where an instant lies from now: "in 3 h", "3 h ago". The script in app.js says the same.
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

// shortDuration is a duration in its largest unit, rounded down: 45 s, 12 min, 3 h, 2 d. From a day on hours are told with
// days until there are ten.
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

// Told writes a line of a deadline's explanation, with its instants in the viewer's zone.
func (l Layout) Told(line policy.Line) template.HTML {
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

// shortTime writes an instant without a year that is this one: Thu 3 Dec 11:00 UTC. The script in app.js says the same.
func (l Layout) shortTime(t time.Time) template.HTML {
	local := t.In(l.Zone)
	return l.timeElement(t, "moment", l.dayOf(local)+" "+clockTime(local)+" "+local.Format("MST"))
}

// interval writes a span: Thu 3 Dec 11:00 to 17:00 UTC.
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

// HoursIn notes that opening hours are counted in a zone other than the viewer's. For the viewer's own it is hidden: a
// script shows it when it learns that the viewer lives elsewhere.
func (l Layout) HoursIn(zone string) template.HTML {
	hidden := ""
	if zone == l.Zone.String() {
		hidden = " hidden"
	}
	zone = template.HTMLEscapeString(zone)
	return template.HTML(fmt.Sprintf(`<p class="hint" data-hours="%s"%s>Opening hours are counted in %s.</p>`, zone, hidden, zone)) //nolint:gosec // escaped above
}
