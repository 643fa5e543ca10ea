package panel

import (
	"cmp"
	"fmt"
	"slices"

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
	irreversible bool                  // listed last, and confirmed before it is sent
	confirmation string                // question asked before sending; %s is the ticket's number
	when         func(ticketView) bool // condition in addition to the status; nil: always
}

// actions lists the verbs that have a label, shortcut or position of their own. Others follow from the registry.
var actions = []action{
	{verb: ticket.VerbAssign, omitted: "agent", Text: "Take", ID: "take", Shortcut: "a", Do: "Take this ticket", when: func(t ticketView) bool { return !t.Yours }},
	{verb: ticket.VerbAssign},
	{verb: ticket.VerbReclassify, Text: "Change"},
	{verb: ticket.VerbReopen, Shortcut: "o"},
	{verb: ticket.VerbWake, when: func(t ticketView) bool { return !t.SnoozedUntil.IsZero() }},
	{verb: ticket.VerbClose, Do: "Close this ticket for good", irreversible: true, confirmation: "Close %s for good? A closed ticket can't be reopened."},
}

// actionsFor returns the actions that a role may take on a ticket with the given status, irreversible ones last. Verbs
// that take a message or name a mail are not actions.
func actionsFor(role ticket.Role, status ticket.Status) []action {
	all := slices.Clone(actions)
	for _, d := range ticket.Definitions() {
		if !slices.ContainsFunc(all, func(a action) bool { return a.verb == d.Verb }) {
			all = append(all, action{verb: d.Verb})
		}
	}
	all = slices.DeleteFunc(all, func(a action) bool {
		d := a.verb.Definition()
		return !a.verb.Fits(status) || len(d.For(role)) == 0 || slices.ContainsFunc(d.Fields, func(f ticket.Field) bool {
			return f.Kind == ticket.FieldWords || f.Kind == ticket.FieldMail
		})
	})
	slices.SortStableFunc(all, func(a, b action) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

func rank(a action) int {
	if a.irreversible {
		return 1
	}
	return 0
}

// actionView is the form of an action.
type actionView struct {
	action
	Path, Sure string
	Hidden     []field
	Choices    []actionChoice
}

// Danger reports whether the action can't be undone.
func (a actionView) Danger() bool { return a.irreversible }

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
		view.Choices = append(view.Choices, actionChoice{snoozeChoice(t.SnoozedUntil, t.Now.In(t.Zone)), "snooze", "Shift+S", "Snooze:", true})
	}
}
