package app

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func unimportable(t desk.ImportTicket, format string, args ...any) error {
	return fault.New(fault.Invalid, "ticket %q can't be imported: %s", string(t.Number), fmt.Sprintf(format, args...))
}

// checkImport returns an Invalid fault for a history that the API would not have accepted. Actions that the domain refuses
// are allowed.
func checkImport(t desk.ImportTicket, p *policy.Policy, now time.Time) error {
	if n, err := ticket.ParseNumber(string(t.Number)); err != nil || n != t.Number {
		return unimportable(t, "the number is not a valid ticket number")
	}
	if len(t.Actions) == 0 || t.Actions[0].Verb != ticket.VerbSubmit {
		return unimportable(t, "its first action is not a submission")
	}
	first := t.Actions[0]
	if !slices.Contains(p.Categories, first.Category) || !first.Priority.Valid() {
		return unimportable(t, "its policy has no category %q or priority %q", first.Category, string(first.Priority))
	}
	if length := utf8.RuneCountInString(first.Subject); length == 0 || length > desk.MaxSubject || first.Body == "" {
		return unimportable(t, "a submission needs a subject of 1 to %d characters and a message", desk.MaxSubject)
	}
	var before time.Time
	for i, a := range t.Actions {
		if err := checkAction(t, i, before, now); err != nil {
			return err
		}
		before = a.At
	}
	return nil
}

func checkAction(t desk.ImportTicket, i int, before, now time.Time) error {
	switch a := t.Actions[i]; {
	case !ticket.MayAsk(a.By.Role, a.Verb), i > 0 && a.Verb == ticket.VerbSubmit:
		return unimportable(t, "%s may not ask for action %d, %q", a.By.Role, i+1, string(a.Verb))
	case !a.At.Equal(a.At.Truncate(time.Second)), a.At.Before(before), a.At.After(now):
		return unimportable(t, "the time of action %d is not a whole second, or is before the previous action, or is in the future", i+1)
	case len(a.Body) > desk.MaxBody, i > 0 && a.Subject != "":
		return unimportable(t, "the message of action %d is too long or has a subject", i+1)
	case a.Priority != "" && !a.Priority.Valid(), a.Agent.ID != "" && !a.Agent.Role.Staff():
		return unimportable(t, "action %d has an unknown priority or an agent who is not staff", i+1)
	}
	return nil
}

// checkRating returns an Invalid fault for a rating that would have been refused or is in the future. last is the time of
// the ticket's last event.
func checkRating(t desk.ImportTicket, is ticket.Ticket, last, now time.Time) error {
	r := t.Rating
	if r == nil {
		return nil
	}
	latest := now
	if closed := last.Add(desk.RatingTime); is.Closed() && closed.Before(now) {
		latest = closed
	}
	switch {
	case is.Status != ticket.StatusResolved && !is.Closed():
		return unimportable(t, "it has a rating but is not resolved")
	case r.Score < desk.MinScore, r.Score > desk.MaxScore, utf8.RuneCountInString(r.Comment) > desk.MaxComment:
		return unimportable(t, "its rating is out of range")
	case r.At.After(latest):
		return unimportable(t, "its rating is too late or in the future")
	}
	return nil
}
