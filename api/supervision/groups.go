package supervision

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// staffing lists staff and manages the groups of assignment rules.
type staffing interface {
	request.StaffReader
	request.Groups
}

type groupsView struct {
	frame
	Groups   []groupView
	Idle     []desk.Idle
	Rules    int // of the current policy
	Version  int64
	Handle   string // as typed
	Name     string
	Mistakes map[string]string // by field; of the new group, or of Renamed
	Renamed  string            // group whose new title was rejected
}

type groupView struct {
	desk.Group
	Rules  []string         // rules that name it, in words
	Others []desk.Colleague // people who could join
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
	rank := map[ticket.Role]int{ticket.RoleAgent: -1} // agents first: they are the usual choice
	slices.SortStableFunc(staff, func(a, b desk.Colleague) int { return rank[a.Role] - rank[b.Role] })
	version, inForce, _, err := p.policyReader.PolicyInForce(v.Context())
	if err != nil {
		return err
	}
	view.Version, view.Rules, view.Idle = version, len(inForce.Assignment), desk.IdleRules(inForce, all)
	for _, g := range all {
		one := groupView{Group: g}
		for i, rule := range inForce.Assignment {
			if rule.Group == g.Handle {
				one.Rules = append(one.Rules, inForce.DescribeAssignment()[i])
			}
		}
		one.Others = slices.DeleteFunc(slices.Clone(staff), func(c desk.Colleague) bool {
			return slices.ContainsFunc(g.Members, func(m desk.Colleague) bool { return m.Handle == c.Handle })
		})
		view.Groups = append(view.Groups, one)
	}
	return v.ShowStatus(status, "groups", view)
}

func (p *Pages) makeGroup(v *page.Visit, form url.Values) error {
	handle, title := form.Get("handle"), form.Get("title")
	err := p.staffing.CreateGroup(v.Context(), v.Person, handle, title)
	return p.changedGroup(v, err, "The group has been created. Now add members.", groupsView{Handle: handle, Name: title})
}

func (p *Pages) renameGroup(v *page.Visit, form url.Values) error {
	err := p.staffing.RenameGroup(v.Context(), v.Person, v.Param("group"), form.Get("title"))
	return p.changedGroup(v, err, "The group has been renamed.", groupsView{Renamed: v.Param("group")})
}

func (p *Pages) deleteGroup(v *page.Visit) error {
	err := p.staffing.DeleteGroup(v.Context(), v.Person, v.Param("group"))
	return p.changedGroup(v, err, "The group has been deleted. Rules that name it no longer assign tickets.", groupsView{})
}

// joinGroup adds a member, or removes one with out=1.
func (p *Pages) joinGroup(v *page.Visit, form url.Values) error {
	var f input.Fields
	whose, group := f.Line("agent", form.Get("agent"), input.MaxWord), v.Param("group")
	if err := f.Err(); err != nil {
		return err
	}
	if form.Get("out") != "" {
		return p.changedGroup(v, p.staffing.RemoveFromGroup(v.Context(), v.Person, group, whose), "The member has been removed.", groupsView{})
	}
	return p.changedGroup(v, p.staffing.AddToGroup(v.Context(), v.Person, group, whose), "The member has been added.", groupsView{})
}

// changedGroup responds to a change: with a redirect, or with the form and its errors.
func (p *Pages) changedGroup(v *page.Visit, err error, done string, typed groupsView) error {
	if err == nil {
		v.Flash("%s", done)
		return v.Redirect("/supervision/groups")
	}
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Kind != fault.Invalid && e.Kind != fault.Conflict {
		return err
	}
	if e.Kind == fault.Conflict {
		typed.Mistakes = map[string]string{"handle": page.Sentence(e.Message)}
		return p.showGroups(v, http.StatusConflict, typed)
	}
	typed.Mistakes = page.FieldSentences(err, "this ")
	return p.showGroups(v, http.StatusUnprocessableEntity, typed)
}
