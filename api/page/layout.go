package page

import (
	"crypto/rand"
	"net/url"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Layout is the part of a view that all pages share; a page's view embeds it. Its methods format instants in the
// viewer's time zone.
type Layout struct {
	Title   string
	Section string // path of the current entry of the navigation
	Site    string // name
	Prefix  string // of ticket numbers
	Contact string // email address; may be empty
	Privacy string // address; may be empty
	Person  desk.Person
	Zone    *time.Location
	Theme   string        // light, dark, or empty for the system's
	flash   func() string // nil: none is due
	Notices []desk.Notice // of emergencies
	Now     time.Time
	Mailbox string // address of the page that shows all emails, in up; empty elsewhere

	temporal string
}

// Layout returns the layout of a page. Section is the path of the navigation entry that the page belongs to.
func (v *Visit) Layout(title, section string) Layout {
	l := Layout{
		Title: title, Section: section, Site: v.engine.Name, Prefix: v.engine.Prefix,
		Person: v.Person, Zone: v.Zone, Now: time.Now(),
		Mailbox: v.engine.Mailbox, temporal: v.engine.TemporalUI,
	}
	if v.policy != nil {
		l.Contact, l.Privacy = v.policy.Contact, v.policy.PrivacyURL
	}
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	if cookie, err := v.gin.Request.Cookie("theme"); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		l.Theme = cookie.Value
	}
	if v.loaded && !v.Partial() {
		l.flash = func() string { return v.Session.Pop(keyFlash) }
	}
	l.Notices = v.notices()
	return l
}

// Flash returns the message of the previous request and removes it from the session. Only the page that shows it calls
// it, so that a layout that is built for other ends does not lose it.
func (l Layout) Flash() string {
	if l.flash == nil {
		return ""
	}
	return l.flash()
}

// NavItem is one entry of the navigation.
type NavItem struct {
	Path, Label string
	Current     bool
}

// Nav returns the navigation for the page's reader.
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

// IdempotencyKey returns a new idempotency key for a form, which contains it in a hidden field.
func (l Layout) IdempotencyKey() string { return rand.Text() }

// WorkflowURL returns the address of a ticket's workflow in Temporal UI, or "" if none is configured.
func (l Layout) WorkflowURL(n ticket.Number) string {
	if l.temporal == "" {
		return ""
	}
	return strings.TrimRight(l.temporal, "/") + "/workflows/" + string(n)
}

// WorkflowSearch returns the address of a query's result in Temporal UI, or "" if none is configured.
func (l Layout) WorkflowSearch(query string) string {
	if l.temporal == "" {
		return ""
	}
	return strings.TrimRight(l.temporal, "/") + "/workflows?query=" + url.QueryEscape(query)
}
