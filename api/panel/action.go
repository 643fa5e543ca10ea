package panel

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// action describes how the open ticket offers a verb that takes no message. Empty fields take their values from the
// verb's definition.
type action struct {
	verb         ticket.Verb
	omitted      string // name of a field that the form does not include
	Text         string // label of the button
	Do           string // label in the command palette; forms with choices list the choices instead
	ID           string // element ID of the button
	Shortcut     string
	confirmation string                // question asked before an action that can't be undone; %s is the ticket's number
	when         func(ticketView) bool // condition in addition to the status; nil: always
}

// actions lists the verbs that have a label, shortcut or position of their own. Others of the registry come before the
// last, which can't be undone.
var actions = []action{
	{verb: ticket.VerbAssign, omitted: "agent", Text: "Take", ID: "take", Shortcut: "a", Do: "Take this ticket", when: func(t ticketView) bool { return !t.Yours }},
	{verb: ticket.VerbAssign},
	{verb: ticket.VerbReclassify, Text: "Change"},
	{verb: ticket.VerbReopen, Shortcut: "o"},
	{verb: ticket.VerbWake, when: func(t ticketView) bool { return !t.Record.Ticket.SnoozedUntil.IsZero() }},
	{verb: ticket.VerbClose, Do: "Close this ticket permanently", confirmation: "Close %s permanently? A closed ticket can't be reopened."},
}

// actionsFor returns the actions that a role may take on a ticket with the given status. Verbs that take a message, or name a
// mail or a customer, are not actions.
func actionsFor(role ticket.Role, status ticket.Status) []action {
	all := slices.Clone(actions)
	for _, d := range ticket.Definitions() {
		if !slices.ContainsFunc(all, func(a action) bool { return a.verb == d.Verb }) {
			all = slices.Insert(all, len(all)-1, action{verb: d.Verb})
		}
	}
	return slices.DeleteFunc(all, func(a action) bool {
		d := a.verb.Definition()
		return !a.verb.Fits(status) || len(d.For(role)) == 0 || slices.ContainsFunc(d.Fields, func(f ticket.Field) bool {
			return f.Kind == ticket.FieldMessage || f.Kind == ticket.FieldMail || f.Kind == ticket.FieldPerson
		})
	})
}

// actionView is the form of an action.
type actionView struct {
	action
	Path, Sure string
	Hidden     []field
	Choices    []actionChoice
}

// Danger reports whether the action can't be undone.
func (a actionView) Danger() bool { return a.confirmation != "" }

// actionChoice is a field of an action's form with a list of values. The command palette lists each value.
type actionChoice struct {
	choice
	ID, Shortcut, Do string
	Instant          bool // a value other than the listed ones can be typed
}

// actionViews returns the forms of the actions that a role may take. The choices of t must have been filled in by
// newTicketView.
func (t ticketView) actionViews(role ticket.Role) []actionView {
	var views []actionView
	for _, a := range actionsFor(role, t.Status) {
		if a.when != nil && !a.when(t) {
			continue
		}
		d := a.verb.Definition()
		view := actionView{action: a, Path: d.For(role)[0].Path}
		view.Text, view.Do = cmp.Or(a.Text, d.Label), cmp.Or(a.Do, d.Label+" this ticket")
		if a.confirmation != "" {
			view.Sure = fmt.Sprintf(a.confirmation, t.Number)
		}
		for _, f := range d.Fields {
			if f.Name != a.omitted {
				t.addField(&view, f.Name)
			}
		}
		views = append(views, view)
	}
	return views
}

// addField adds a field of the verb to the form, as a hidden field or as a choice.
func (t ticketView) addField(view *actionView, name string) {
	switch name {
	case "expected":
		view.Hidden = append(view.Hidden, field{name, string(t.AssigneeID)})
	case "seen":
		view.Hidden = append(view.Hidden, field{name, fmt.Sprint(t.Seen)})
	case "agent":
		view.Choices = append(view.Choices, actionChoice{t.Assignee, "assign", "Shift+A", "Assign to", false})
	case "priority":
		view.Choices = append(view.Choices, actionChoice{t.PriorityChoice, "priority", "Shift+P", "Set priority", false})
	case "category":
		view.Choices = append(view.Choices, actionChoice{t.Category, "category", "Shift+C", "Set category", false})
	case "until":
		view.Choices = append(view.Choices, actionChoice{snoozeChoice(t.Record.Ticket.SnoozedUntil, t.Now.In(t.Zone)), "snooze", "Shift+S", "Snooze:", true})
	}
}

const (
	// typedSuffix ends the name of the input in which an instant is typed that the field's choice does not list.
	typedSuffix = "-typed"
	// otherInstant is the value of the choice for a typed instant.
	otherInstant = "other"
)

// wakeHour is the hour at which a ticket wakes that is snoozed until a day.
const wakeHour = 9

// snoozeChoice returns the usual ends of a snooze, in the zone of now. If the ticket is snoozed until an instant, that
// comes first.
func snoozeChoice(until, now time.Time) choice {
	day := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, wakeHour, 0, 0, 0, now.Location())
	}
	c := choice{Label: "Snooze until", Name: "until", Options: []option{{Text: "not snoozed"}}}
	add := func(at time.Time, words string) {
		o := option{Value: at.UTC().Format(time.RFC3339), Text: words + at.Format("Mon 2 Jan 15:04")}
		if !slices.ContainsFunc(c.Options, func(other option) bool { return other.Value == o.Value }) { // next week begins tomorrow on a Sunday
			c.Options = append(c.Options, o)
		}
	}
	if !until.IsZero() {
		c.Options = nil
		add(until.In(now.Location()), "")
		c.Options[0].Chosen = true
	}
	add(now.Add(4*time.Hour).Truncate(time.Minute), "in 4 hours, ")
	add(day(1), "tomorrow, ")
	add(day(1+(7-int(now.Weekday()))%7), "next week, ")
	add(day(7), "in a week, ")
	add(day(30), "in a month, ")
	return c
}

// instants returns a copy of a form in which the verb's instants are in RFC 3339. If the choice is otherInstant, the value
// that was typed beside it counts; it is read in zone.
func instants(form url.Values, verb ticket.Verb, zone *time.Location) url.Values {
	form = maps.Clone(form)
	for _, f := range verb.Definition().Fields {
		if f.Kind != ticket.FieldInstant || form.Get(f.Name) != otherInstant {
			continue
		}
		typed := form.Get(f.Name + typedSuffix)
		if at, err := time.ParseInLocation("2006-01-02T15:04", typed, zone); err == nil {
			typed = at.Format(time.RFC3339)
		}
		form.Set(f.Name, typed)
	}
	return form
}
