package page

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Layout is what every page shows around its own part; a page's view embeds it. Its methods write instants in the
// viewer's zone.
type Layout struct {
	Title      string
	Section    string // marks an entry of the navigation: its path
	Site       string // name
	Prefix     string // of ticket numbers
	Contact    string // e-mail address; may be empty
	Privacy    string // address; may be empty
	PolicyName string
	Version    string
	Person     desk.Person
	Path       string // of the page, with its query
	Zone       *time.Location
	ZoneKnown  bool   // it is the viewer's own
	Theme      string // light, dark, or empty for the system's
	Flash      string
	Notices    []desk.Notice // of emergencies
	Now        time.Time
	Mailbox    string // address of the page that shows every mail, in up; empty elsewhere

	temporal string
}

// Layout makes the frame of a page. Section is the path of the navigation entry that the page belongs to.
func (v *Visit) Layout(title, section string) Layout {
	l := Layout{
		Title: title, Section: section, Site: v.engine.Name, Prefix: v.engine.Prefix, Version: v.engine.Version,
		Person: v.Person, Path: v.gin.Request.URL.RequestURI(), Zone: v.Zone, Now: time.Now(),
		Mailbox: v.engine.Mailbox, temporal: v.engine.TemporalUI,
	}
	if v.policy != nil {
		l.Contact, l.Privacy, l.PolicyName = v.policy.Contact, v.policy.PrivacyURL, v.policy.Name
	}
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	if _, err := v.gin.Request.Cookie("tz"); err == nil {
		l.ZoneKnown = true
	}
	if cookie, err := v.gin.Request.Cookie("theme"); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		l.Theme = cookie.Value
	}
	if v.loaded && !v.Partial() {
		l.Flash = v.Session.Pop(keyFlash)
	}
	l.Notices = v.notices()
	return l
}

// NavItem is one entry of the navigation.
type NavItem struct {
	Path, Label string
	Current     bool
}

// Nav is the way around the site for whoever looks at it.
func (l Layout) Nav() []NavItem {
	var items []NavItem
	add := func(path, label string) { items = append(items, NavItem{path, label, path == l.Section}) }
	role := l.Person.Role
	switch {
	case l.Person.ID == "":
		add("/track", "Track a ticket")
		add("/policy", "Our policy")
	case !role.Staff():
		add("/dashboard", "Dashboard")
		add("/tickets/new", "Support Ticket")
		add("/tickets", "My tickets")
	default:
		add("/desk", "Desk")
	}
	if role.Commands() {
		add("/supervision", "Supervision")
	}
	if role == ticket.RoleAdministrator {
		add("/people", "People")
	}
	return items
}

// Once is the key of a form that may be sent once; the form carries it in a hidden field of this name.
func (l Layout) Once() string { return rand.Text() }

// WorkflowURL is where Temporal UI shows a ticket's workflow; empty when the desk knows no Temporal UI.
func (l Layout) WorkflowURL(n ticket.Number) string {
	if l.temporal == "" {
		return ""
	}
	return strings.TrimRight(l.temporal, "/") + "/workflows/" + string(n)
}

// WorkflowSearch is where Temporal UI lists the workflows that a query finds; empty when the desk knows no Temporal UI.
func (l Layout) WorkflowSearch(query string) string {
	if l.temporal == "" {
		return ""
	}
	return strings.TrimRight(l.temporal, "/") + "/workflows?query=" + url.QueryEscape(query)
}

// When writes an instant out: Thu 3 Dec 2026, 11:00 UTC.
func (l Layout) When(t time.Time) template.HTML {
	return l.element(t, "full", l.Words(t))
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
	return l.element(t, "day", t.In(l.Zone).Format("2 Jan 2006"))
}

// Ago tells how long ago an instant was, or how far ahead it is: 3 h ago. A script keeps it true.
func (l Layout) Ago(t time.Time) template.HTML {
	return l.element(t, "relative", relative(t.Sub(l.Now)))
}

// Left tells the time that is left until an instant, or how long it is over: 3 h left. A script keeps it true.
func (l Layout) Left(t time.Time) template.HTML {
	return l.element(t, "left", left(t.Sub(l.Now)))
}

func (l Layout) element(t time.Time, kind, words string) template.HTML {
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
		return span(-d) + " ago"
	default:
		return "in " + span(d)
	}
}

func left(d time.Duration) string {
	if d < 0 {
		return span(-d) + " over"
	}
	return span(d) + " left"
}

// span is a duration in its largest unit, rounded down: 45 s, 12 min, 3 h, 2 d. From a day on hours are told with
// days until there are ten.
func span(d time.Duration) string {
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
