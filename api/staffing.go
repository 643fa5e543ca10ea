package api

import (
	"context"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// staffing reads and changes groups, and who is away.
type staffing interface {
	request.StaffReader
	request.Absences
	request.Groups
}

type absence struct {
	Away  bool      `json:"away" doc:"true: away; false: back."`
	Until time.Time `json:"until,omitempty" doc:"When the absence ends by itself. Absent: it ends with away: false only."`
	Agent string    `json:"agent,omitempty" doc:"A handle or an ID; absent: yourself. Only supervisors may name another person."`
}

type colleaguesOutput struct {
	Body struct {
		Staff []colleagueView `json:"staff"`
	}
}

// colleagueView is a member of staff to whom tickets can be assigned.
type colleagueView struct {
	Handle string      `json:"handle"`
	Name   string      `json:"name"`
	Role   ticket.Role `json:"role"`
	Load   int         `json:"load" doc:"Assigned tickets that are new, open or waiting."`
	Away   bool        `json:"away" doc:"Assignment rules do not choose this person; people still can."`
	Since  *time.Time  `json:"since,omitempty"`
	Until  *time.Time  `json:"until,omitempty" doc:"Absent: no end is set."`
}

type groupInput struct {
	Group string `path:"group" doc:"The group's handle."`
}

type newGroup struct {
	Handle string `json:"handle" doc:"The name in policies: 1 to 40 lower-case letters, digits and hyphens, beginning with a letter. It never changes."`
	Title  string `json:"title" doc:"1 to 100 characters."`
}

type titleInput struct {
	Group string `path:"group"`
	Body  struct {
		Title string `json:"title"`
	}
}

type memberInput struct {
	Group string `path:"group"`
	Agent string `path:"agent" doc:"A handle or an ID."`
}

type groupsOutput struct {
	Body struct {
		Groups []groupView `json:"groups"`
	}
}

type groupView struct {
	Handle  string          `json:"handle"`
	Title   string          `json:"title"`
	Fixed   bool            `json:"fixed,omitempty" doc:"The group of all agents, which always exists."`
	Members []colleagueView `json:"members"`
}

// colleagues lists the staff with who is away and how many tickets each is assigned.
func (s *server) colleagues(ctx context.Context, _ *struct{}) (*colleaguesOutput, error) {
	staff, err := s.Staffing.Staff(ctx)
	out := &colleaguesOutput{}
	out.Body.Staff = viewEach(staff, viewColleague)
	return out, err
}

// setAway marks a member of staff as away or as back. It is idempotent, because the request contains the new state.
func (s *server) setAway(ctx context.Context, in *bodyOf[absence]) (view colleagueView, err error) {
	var f input.Fields
	by, whose := request.Of(ctx).Person, f.Optional("agent", in.Body.Agent, input.MaxWord)
	if !in.Body.Away && !in.Body.Until.IsZero() {
		f.Reject("until", "is only allowed with away: true")
	}
	if err := f.Err(); err != nil {
		return view, err
	}
	if whose == "" {
		whose = string(by.ID)
	}
	var c desk.Colleague
	if in.Body.Away {
		c, err = s.Staffing.SetAway(ctx, by, whose, in.Body.Until)
	} else {
		c, err = s.Staffing.SetAvailable(ctx, by, whose)
	}
	return viewColleague(c), err
}

func (s *server) groups(ctx context.Context, _ *struct{}) (*groupsOutput, error) {
	all, err := s.Staffing.Groups(ctx, request.Of(ctx).Person)
	out := &groupsOutput{}
	out.Body.Groups = viewEach(all, viewGroup)
	return out, err
}

func (s *server) makeGroup(ctx context.Context, in *bodyOf[newGroup]) (groupView, error) {
	return s.changeGroup(ctx, in.Body.Handle, func(by desk.Person) error {
		return s.Staffing.CreateGroup(ctx, by, in.Body.Handle, in.Body.Title)
	})
}

func (s *server) renameGroup(ctx context.Context, in *titleInput) (groupView, error) {
	return s.changeGroup(ctx, in.Group, func(by desk.Person) error {
		return s.Staffing.RenameGroup(ctx, by, in.Group, in.Body.Title)
	})
}

func (s *server) joinGroup(ctx context.Context, in *memberInput) (groupView, error) {
	return s.changeGroup(ctx, in.Group, func(by desk.Person) error {
		return s.Staffing.AddToGroup(ctx, by, in.Group, in.Agent)
	})
}

func (s *server) leaveGroup(ctx context.Context, in *memberInput) (groupView, error) {
	return s.changeGroup(ctx, in.Group, func(by desk.Person) error {
		return s.Staffing.RemoveFromGroup(ctx, by, in.Group, in.Agent)
	})
}

// deleteGroup deletes a group and returns the remaining ones.
func (s *server) deleteGroup(ctx context.Context, in *groupInput) (*groupsOutput, error) {
	if err := s.Staffing.DeleteGroup(ctx, request.Of(ctx).Person, in.Group); err != nil {
		return nil, err
	}
	return s.groups(ctx, nil)
}

// changeGroup applies change to a group and returns its new state.
func (s *server) changeGroup(ctx context.Context, handle string, change func(by desk.Person) error) (groupView, error) {
	by := request.Of(ctx).Person
	if err := change(by); err != nil {
		return groupView{}, err
	}
	all, err := s.Staffing.Groups(ctx, by)
	i := slices.IndexFunc(all, func(g desk.Group) bool { return g.Handle == handle })
	switch {
	case err != nil:
		return groupView{}, err
	case i < 0: // it was deleted concurrently
		return groupView{}, fault.New(fault.NotFound, "there is no such group")
	}
	return viewGroup(all[i]), nil
}

func viewGroup(g desk.Group) groupView {
	return groupView{Handle: g.Handle, Title: g.Title, Fixed: g.Fixed, Members: viewEach(g.Members, viewColleague)}
}

func viewColleague(c desk.Colleague) colleagueView {
	view := colleagueView{Handle: c.Handle, Name: c.Name, Role: c.Role, Load: c.Load, Away: c.Away.Now(), Until: instantOrNull(c.Away.Until)}
	if view.Away {
		view.Since = instantOrNull(c.Away.Since)
	}
	return view
}
