package panel

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// awayView is the page on which agents mark themselves, and supervisors mark others, as away or available.
type awayView struct {
	page.Layout
	You       desk.Colleague
	Away      []desk.Colleague // other agents who are away
	Here      []desk.Colleague // other agents who are available; listed for supervisors only
	Until     string           // as typed
	Mistakes  map[string]string
	Supervise bool
}

func (p *Pages) away(v *page.Visit) error { return p.showAway(v, http.StatusOK, "", nil) }

func (p *Pages) showAway(v *page.Visit, status int, until string, wrong error) error {
	staff, err := p.staffing.Staff(v.Context())
	if err != nil {
		return err
	}
	view := awayView{
		Layout: v.Layout("Availability", "/desk"), Until: until, Mistakes: page.FieldSentences(wrong, "this "),
		Supervise: v.Person.Role.Commands(),
	}
	for _, c := range staff {
		switch {
		case c.ID == v.Person.ID:
			view.You = c
		case c.Away.Now():
			view.Away = append(view.Away, c)
		case view.Supervise:
			view.Here = append(view.Here, c)
		}
	}
	return v.ShowStatus(status, "away", view)
}

// leave marks an agent as away, or as available if the form has back=1. Without an agent in the form it marks the
// viewer.
func (p *Pages) leave(v *page.Visit, form url.Values) error {
	var f input.Fields
	agent := f.Optional("agent", form.Get("agent"), input.MaxWord)
	until := readUntil(&f, form.Get("until"), v.Zone)
	var c desk.Colleague
	err := f.Err()
	if err == nil {
		if agent == "" {
			agent = string(v.Person.ID)
		}
		if form.Get("back") != "" {
			c, err = p.staffing.SetAvailable(v.Context(), v.Person, agent)
		} else {
			c, err = p.staffing.SetAway(v.Context(), v.Person, agent, until)
		}
	}
	if err != nil {
		if fault.KindOf(err) != fault.Invalid {
			return err
		}
		return p.showAway(v, http.StatusUnprocessableEntity, form.Get("until"), err)
	}
	v.Flash("%s", availabilityText(v.Layout("", ""), c, c.ID == v.Person.ID))
	if form.Get("from") == "groups" {
		return v.Redirect("/supervision/groups")
	}
	return v.Redirect("/desk/away")
}

// readUntil parses the value of a datetime-local field in the viewer's zone. It returns the zero time if the field is
// empty.
func readUntil(f *input.Fields, typed string, zone *time.Location) time.Time {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if until, err := time.ParseInLocation(layout, typed, zone); err == nil {
			return until
		}
	}
	f.Reject("until", "must be a date and a time, such as 2026-12-03T09:00")
	return time.Time{}
}

// availabilityText returns the confirmation that c is away or available now. you says that c is the viewer.
func availabilityText(l page.Layout, c desk.Colleague, you bool) string {
	who, whom := c.Name+" is", "them"
	if you {
		who, whom = "You are", "you"
	}
	if !c.Away.Now() {
		return who + " available again: assignment rules can choose " + whom + "."
	}
	return who + " " + absenceText(l, c.Away) + ": assignment rules don't choose " + whom + "."
}

// absenceText returns "away", with its end if that is known.
func absenceText(l page.Layout, a desk.Absence) string {
	if a.Until.IsZero() {
		return "away"
	}
	return "away until " + l.Words(a.Until)
}

// awayWarning returns a warning that the agent with the given handle is away. It is empty if the agent is available.
func (c shared) awayWarning(handle string, l page.Layout) string {
	agent := c.colleague(func(c desk.Colleague) bool { return strings.EqualFold(c.Handle, handle) })
	if !agent.Away.Now() {
		return ""
	}
	return agent.Name + " is " + absenceText(l, agent.Away) + "."
}
