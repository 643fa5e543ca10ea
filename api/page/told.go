package page

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Told writes a line of a deadline's explanation, with its instants in the viewer's zone.
func (l Layout) Told(line policy.Line) template.HTML {
	var b strings.Builder
	for _, p := range line.Parts {
		switch {
		case p.From.IsZero():
			b.WriteString(template.HTMLEscapeString(p.Words))
		case p.From.Equal(p.To):
			b.WriteString(string(l.moment(p.From)))
		default:
			b.WriteString(string(l.between(p.From, p.To)))
		}
	}
	return template.HTML(b.String()) //nolint:gosec // escaped part by part
}

// moment writes an instant without a year that is this one: Thu 3 Dec 11:00 UTC. The script in app.js says the same.
func (l Layout) moment(t time.Time) template.HTML {
	local := t.In(l.Zone)
	return l.element(t, "moment", l.dayOf(local)+" "+clockTime(local)+" "+local.Format("MST"))
}

// between writes a span: Thu 3 Dec 11:00 to 17:00 UTC.
func (l Layout) between(from, to time.Time) template.HTML {
	a, b := from.In(l.Zone), to.In(l.Zone)
	start, end := l.dayOf(a)+" "+clockTime(a), clockTime(b)+" "+b.Format("MST")
	if a.Format("MST") != b.Format("MST") {
		start += " " + a.Format("MST")
	}
	if a.Format(time.DateOnly) != b.Format(time.DateOnly) {
		end = l.dayOf(b) + " " + end
	}
	return l.element(from, "from", start) + " to " + l.element(to, "until", end)
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
