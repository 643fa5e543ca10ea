package api

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergencyView is the current state of an emergency.
type emergencyView struct {
	ID          ticket.EmergencyID   `json:"id" example:"E-7Q2K9XM4TD"`
	Kind        ticket.EmergencyKind `json:"kind"`
	Stage       desk.EmergencyStage  `json:"stage" enum:"planned,in-force,over,cancelled"`
	Notice      string               `json:"notice"`
	From        time.Time            `json:"starts_at"`
	Until       time.Time            `json:"ends_at,omitzero" doc:"Absent: until it is lifted."`
	Delay       int64                `json:"delay_seconds,omitempty" doc:"How much longer targets are at the end of what is planned."`
	DeclaredBy  *assigneeView        `json:"declared_by,omitempty" doc:"Absent: by hand, in Temporal UI."`
	DeclaredAt  time.Time            `json:"declared_at"`
	CancelledAt time.Time            `json:"cancelled_at,omitzero"`
	Revision    int64                `json:"revision" doc:"Of the emergency schedule, at the last change."`
}

func viewEmergency(e desk.Emergency, now time.Time) emergencyView {
	view := emergencyView{
		ID: e.ID, Kind: e.Kind, Stage: e.Stage(now), Notice: e.Notice, From: e.From.UTC(), Until: e.Until.UTC(), Delay: seconds(e.Delay()),
		DeclaredAt: e.Declared.UTC(), CancelledAt: e.Cancelled.UTC(), Revision: e.Revision,
	}
	if e.By.ID != "" {
		view.DeclaredBy = viewAssignee(&e.By)
	}
	return view
}

type emergencyListOutput struct{ Body emergencyList }

type emergencyList struct {
	Emergencies []emergencyView `json:"emergencies"`
}

type currentOutput struct{ Body currentView }

type currentView struct {
	Emergencies []emergencyView `json:"emergencies"`
	Fanout      *fanoutView     `json:"fanout,omitempty" doc:"How far open tickets know of the last thing that began, changed or ended; absent: nothing ever did."`
}

type fanoutView struct {
	Transition time.Time          `json:"transition_at"`
	Verb       ticket.Verb        `json:"verb"`
	Emergency  ticket.EmergencyID `json:"emergency"`
	Total      int                `json:"total" doc:"Open tickets to notify when it began."`
	Behind     int                `json:"remaining" doc:"Of them, those that don't show it yet. Their promises are right all the same."`
	BeganAt    time.Time          `json:"started_at"`
	ProvenAt   time.Time          `json:"verified_at,omitzero" doc:"When PostgreSQL proved that every open ticket is right; absent: not yet."`
	Late       []ticket.Number    `json:"late,omitempty" maxItems:"20" doc:"Some of those behind, when it has taken longer than two minutes: their requesters are written to once they are right, and everybody else at once."`
}

type fileOutput struct{ Body fileView }

type fileView struct {
	Emergency emergencyView         `json:"emergency"`
	Changes   []emergencyChangeView `json:"changes" doc:"Oldest first."`
	Mails     announcementMailsView `json:"mails"`
}

type emergencyChangeView struct {
	Act   desk.EmergencyAction `json:"act" enum:"declared,changed,lifted,cancelled"`
	By    *assigneeView        `json:"by,omitempty" doc:"Absent: by hand, in Temporal UI."`
	At    time.Time            `json:"at"`
	After desk.EmergencyState  `json:"after" doc:"The emergency as it then stood."`
}

type announcementMailsView struct {
	Owed       int `json:"pending"`
	Sent       int `json:"sent"`
	Bounced    int `json:"bounced"`
	Superseded int `json:"superseded" doc:"Never sent, because a newer one says more."`
	Held       int `json:"held" doc:"To be sent once the recipient's tickets are right."`
}

func (s *server) listEmergencies(ctx context.Context, _ *struct{}) (*emergencyListOutput, error) {
	m, err := s.emergencies()
	if err != nil {
		return nil, err
	}
	all, err := m.List(ctx, request.Of(ctx).Person)
	return &emergencyListOutput{viewEmergencies(all)}, err
}

func viewEmergencies(all []desk.Emergency) emergencyList {
	list := emergencyList{Emergencies: []emergencyView{}}
	now := time.Now()
	for _, e := range all {
		list.Emergencies = append(list.Emergencies, viewEmergency(e, now))
	}
	return list
}

func (s *server) currentEmergencies(ctx context.Context, _ *struct{}) (*currentOutput, error) {
	m, err := s.emergencies()
	if err != nil {
		return nil, err
	}
	all, err := m.Current(ctx)
	if err != nil {
		return nil, err
	}
	view := currentView{Emergencies: viewEmergencies(all).Emergencies}
	f, any, err := m.Fanout(ctx)
	if any {
		view.Fanout = &fanoutView{
			Transition: f.Transition.At.UTC(), Verb: f.Transition.Verb, Emergency: f.Transition.Emergency, Total: f.Total, Behind: f.Behind,
			BeganAt: f.Began.UTC(), ProvenAt: f.Proven.UTC(), Late: f.Late,
		}
	}
	return &currentOutput{view}, err
}

func (s *server) readEmergency(ctx context.Context, in *emergencyInput) (*fileOutput, error) {
	id, err := emergencyID(in.ID)
	if err != nil {
		return nil, err
	}
	m, err := s.emergencies()
	if err != nil {
		return nil, err
	}
	f, err := m.File(ctx, request.Of(ctx).Person, id)
	view := fileView{Emergency: viewEmergency(f.Emergency, time.Now()), Changes: []emergencyChangeView{}, Mails: announcementMailsView{
		Owed: f.Mails.Owed, Sent: f.Mails.Sent, Bounced: f.Mails.Bounced, Superseded: f.Mails.Superseded, Held: f.Mails.Held,
	}}
	for _, c := range f.Edits {
		edit := emergencyChangeView{Act: c.Act, At: c.At.UTC(), After: c.After}
		if c.By.ID != "" {
			edit.By = viewAssignee(&c.By)
		}
		view.Changes = append(view.Changes, edit)
	}
	return &fileOutput{view}, err
}

// dryRunView is the effect that declaring, changing or ending an emergency would have.
type dryRunView struct {
	At     time.Time      `json:"at" doc:"As of when."`
	Before *emergencyView `json:"before,omitempty" doc:"The emergency as it stands; absent for a new one."`
	After  emergencyView  `json:"after" doc:"The emergency as it would be; a new one's id stands for one that is not drawn yet."`

	Open     int `json:"open_tickets" doc:"Tickets that are not closed: each of them would be told."`
	Owed     int `json:"unresolved_tickets" doc:"Of them, those that aren't resolved: promises are owed on these."`
	Breached int `json:"breached_tickets" doc:"Of those, the ones with a promise that is broken already."`
	Looked   int `json:"examined_tickets" doc:"Tickets whose promises were computed: all that are owed, or a fair sample of them. Every count below is of these."`

	Clocks  []clockShiftView `json:"clocks"`
	Soonest []shiftView      `json:"soonest" doc:"Promises that would move, those due soonest first: 50 at most, of the tickets looked at."`

	Mails   mailPlanView   `json:"mails"`
	Fanout  fanoutPlanView `json:"fanout"`
	Sampled bool           `json:"sampled" doc:"Only some of the tickets were looked at."`
}

type clockShiftView struct {
	Clock    policy.ClockName `json:"clock"`
	Later    int              `json:"later" doc:"Due later than as things stand."`
	Sooner   int              `json:"earlier"`
	Stopped  int              `json:"undated" doc:"Without a date, until the emergency is lifted."`
	Dated    int              `json:"newly_dated" doc:"Without a date as things stand, and would have one."`
	Same     int              `json:"unchanged"`
	Waiting  int              `json:"waiting" doc:"Stands still for its requester whatever happens."`
	Breached int              `json:"breached" doc:"Broken already, and owed still."`
	Least    int64            `json:"min_seconds,omitempty" doc:"The smallest shift of those later or sooner."`
	Most     int64            `json:"max_seconds,omitempty"`
	Earliest time.Time        `json:"earliest_due,omitzero" doc:"Of those with another date, afterwards."`
	Latest   time.Time        `json:"latest_due,omitzero"`
}

type shiftView struct {
	Number ticket.Number    `json:"number"`
	Clock  policy.ClockName `json:"clock"`
	Before time.Time        `json:"due_before,omitzero" doc:"Absent: it stands still as things stand."`
	After  time.Time        `json:"due_after,omitzero" doc:"Absent: it would stand still until the emergency is lifted."`
}

type mailPlanView struct {
	Recipients int                   `json:"recipients" doc:"Requesters with a ticket that isn't resolved: one mail each."`
	Announces  desk.AnnouncementKind `json:"announcement,omitempty" doc:"What they would be told soon; absent: nothing."`
	Upcoming   []upcomingMailView    `json:"upcoming" doc:"What they would be told later on, if nothing changes."`
}

type upcomingMailView struct {
	Announces desk.AnnouncementKind `json:"announcement"`
	At        time.Time             `json:"at"`
}

type fanoutPlanView struct {
	Seconds    int64     `json:"seconds" doc:"Until every open ticket has been told. Promises are right from the first second."`
	Rate       float64   `json:"tickets_per_second"`
	MeasuredAt time.Time `json:"measured_at,omitzero" doc:"Absent: the rate is an assumption."`
}

func viewDryRun(d desk.DryRun) dryRunView {
	view := dryRunView{
		At: d.At, After: viewEmergency(d.After, d.At), Open: d.Open, Owed: d.Owed, Breached: d.Breached, Looked: d.Looked, Sampled: d.Sampled(),
		Clocks: []clockShiftView{}, Soonest: []shiftView{},
		Mails:  mailPlanView{Recipients: d.Requesters, Announces: d.Announces, Upcoming: []upcomingMailView{}},
		Fanout: fanoutPlanView{Seconds: seconds(d.Fanout), Rate: d.Rate, MeasuredAt: d.Measured.UTC()},
	}
	if d.Before != nil {
		before := viewEmergency(*d.Before, d.At)
		view.Before = &before
	}
	for _, c := range d.Clocks {
		view.Clocks = append(view.Clocks, clockShiftView{
			Clock: c.Clock, Later: c.Later, Sooner: c.Sooner, Stopped: c.Stopped, Dated: c.Dated, Same: c.Same, Waiting: c.Waiting,
			Breached: c.Breached, Least: seconds(c.Least), Most: seconds(c.Most), Earliest: c.Earliest, Latest: c.Latest,
		})
	}
	for _, s := range d.Soonest {
		view.Soonest = append(view.Soonest, shiftView(s))
	}
	for _, o := range d.Upcoming {
		view.Mails.Upcoming = append(view.Mails.Upcoming, upcomingMailView(o))
	}
	return view
}
