package supervision

import (
	"errors"
	"net/http"
	"slices"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// staffing is who can be given tickets, and the groups that assignment rules name.
type staffing interface {
	request.StaffReader
	request.Groups
}

type groupsView struct {
	frame
	Groups   []groupView
	Idle     []desk.Idle
	Rules    int // of the policy in force
	Version  int64
	Handle   string // as typed
	Name     string
	Mistakes map[string]string // by field; of the new group, or of the one in Renamed
	Renamed  string            // the group whose new title was refused
}

type groupView struct {
	desk.Group
	Rules  []string         // that name it, in words
	Others []desk.Colleague // who could join
}

func (p *Pages) groups(v *page.Visit) error {
	return p.showGroups(v, http.StatusOK, groupsView{})
}

func (p *Pages) showGroups(v *page.Visit, status int, view groupsView) error {
	view.frame = newFrame(v, "Groups", "/supervision/groups")
	all, err := p.staffing.Groups(v.Context(), v.Person)
	if err != nil {
		return err
	}
	staff, err := p.staffing.Staff(v.Context())
	if err != nil {
		return err
	}
	version, inForce, _, err := p.archive.PolicyInForce(v.Context())
	if err != nil {
		return err
	}
	view.Version, view.Rules, view.Idle = version, len(inForce.Assignment), desk.IdleRules(inForce, all)
	for _, g := range all {
		one := groupView{Group: g}
		for i, rule := range inForce.Assignment {
			if rule.Group == g.Handle {
				one.Rules = append(one.Rules, inForce.AssignmentsInWords()[i])
			}
		}
		member := map[string]bool{}
		for _, c := range g.Members {
			member[c.Handle] = true
		}
		for _, c := range staff {
			if !member[c.Handle] {
				one.Others = append(one.Others, c)
			}
		}
		// Agents first: they are who is looked for.
		one.Others = slices.Concat(which(one.Others, true), which(one.Others, false))
		view.Groups = append(view.Groups, one)
	}
	return v.ShowStatus(status, "groups", view)
}

// which gives the agents, or all others.
func which(all []desk.Colleague, agents bool) []desk.Colleague {
	return slices.DeleteFunc(slices.Clone(all), func(c desk.Colleague) bool { return (c.Role == ticket.RoleAgent) != agents })
}

func (p *Pages) makeGroup(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	handle, title := form.Get("handle"), form.Get("title")
	err = p.staffing.MakeGroup(v.Context(), v.Person, handle, title)
	return p.changedGroup(v, err, "The group is made. Now it needs members.", groupsView{Handle: handle, Name: title})
}

func (p *Pages) renameGroup(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	err = p.staffing.RenameGroup(v.Context(), v.Person, v.Param("group"), form.Get("title"))
	return p.changedGroup(v, err, "The group is renamed.", groupsView{Renamed: v.Param("group")})
}

func (p *Pages) deleteGroup(v *page.Visit) error {
	err := p.staffing.DeleteGroup(v.Context(), v.Person, v.Param("group"))
	return p.changedGroup(v, err, "The group is deleted. Rules that name it find nobody now.", groupsView{})
}

// joinGroup takes somebody in, or out with out=1.
func (p *Pages) joinGroup(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	var f input.Fields
	whose, group := f.Line("agent", form.Get("agent"), input.MaxWord), v.Param("group")
	if err := f.Err(); err != nil {
		return err
	}
	if form.Get("out") != "" {
		return p.changedGroup(v, p.staffing.LeaveGroup(v.Context(), v.Person, group, whose), "They are out of the group.", groupsView{})
	}
	return p.changedGroup(v, p.staffing.JoinGroup(v.Context(), v.Person, group, whose), "They are in the group.", groupsView{})
}

// changedGroup answers a change: with what is so now, or with what was typed and what is wrong with it.
func (p *Pages) changedGroup(v *page.Visit, err error, done string, typed groupsView) error {
	if err == nil {
		v.Flash("%s", done)
		return v.Redirect("/supervision/groups")
	}
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Invalid && e.Kind != fault.Conflict {
		return err
	}
	typed.Mistakes = map[string]string{}
	for _, d := range e.Details {
		typed.Mistakes[d.Field] = page.Sentence("this " + d.Message)
	}
	if e.Kind == fault.Conflict {
		typed.Mistakes["handle"] = page.Sentence(e.Message)
		return p.showGroups(v, http.StatusConflict, typed)
	}
	return p.showGroups(v, http.StatusUnprocessableEntity, typed)
}
