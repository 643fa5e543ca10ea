package api

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type dryChangeInput struct {
	ID   string `path:"id"`
	Body emergencyChangeDryRun
}

type emergencyChangeDryRun struct {
	EmergencyChange
	End bool `json:"end,omitempty" doc:"Computes the effect of lifting or cancelling the emergency. It cannot be combined with another property."`
}

// dryRunView is the effect that declaring, changing or ending an emergency would have.
type dryRunView struct {
	At     time.Time      `json:"at" doc:"The instant for which the effect was computed."`
	Before *emergencyView `json:"before,omitempty" doc:"The emergency as it is now; absent for a new one."`
	After  emergencyView  `json:"after" doc:"The emergency as it would be. The id of a new one is a placeholder."`

	Open     int `json:"open_tickets" doc:"Tickets that are not closed. Each of them would apply the transition."`
	Owed     int `json:"unresolved_tickets" doc:"Of them, those that are not resolved, and so have a target to meet."`
	Breached int `json:"breached_tickets" doc:"Of those, the ones with a target that is already breached."`
	Examined int `json:"examined_tickets" doc:"Tickets whose deadlines were computed: all unresolved ones, or a random sample of them. All counts below are of these."`

	Clocks  []clockShiftView `json:"clocks"`
	Soonest []shiftView      `json:"soonest" doc:"Targets whose deadline would change, the earliest first: 50 at most, of the examined tickets."`

	Mails   mailPlanView   `json:"mails"`
	Fanout  fanoutPlanView `json:"fanout"`
	Sampled bool           `json:"sampled" doc:"Only a sample of the tickets was examined."`
}

type clockShiftView struct {
	Clock    policy.ClockName `json:"clock"`
	Later    int              `json:"later" doc:"Targets that would be due later."`
	Sooner   int              `json:"earlier" doc:"Targets that would be due earlier."`
	Stopped  int              `json:"undated" doc:"Targets that would have no deadline until the emergency is lifted."`
	Dated    int              `json:"newly_dated" doc:"Targets that have no deadline now and would have one."`
	Same     int              `json:"unchanged"`
	Waiting  int              `json:"waiting" doc:"Targets whose clock is paused while waiting for the requester, with and without the emergency."`
	Breached int              `json:"breached" doc:"Targets that are already breached and not met yet."`
	Least    int64            `json:"min_seconds,omitempty" doc:"The smallest change of a deadline."`
	Most     int64            `json:"max_seconds,omitempty" doc:"The largest."`
	Earliest time.Time        `json:"earliest_due,omitzero" doc:"The earliest of the changed deadlines."`
	Latest   time.Time        `json:"latest_due,omitzero" doc:"The latest."`
}

type shiftView struct {
	Number ticket.Number    `json:"number"`
	Clock  policy.ClockName `json:"clock"`
	Before time.Time        `json:"due_before,omitzero" doc:"Absent: the clock is paused now."`
	After  time.Time        `json:"due_after,omitzero" doc:"Absent: the clock would be paused until the emergency is lifted."`
}

type mailPlanView struct {
	Recipients int                   `json:"recipients" doc:"Requesters with an unresolved ticket. Each receives one email."`
	Announces  desk.AnnouncementKind `json:"announcement,omitempty" doc:"The announcement that would be sent soon; absent: none."`
	Upcoming   []upcomingMailView    `json:"upcoming" doc:"The announcements that would be sent later if nothing changes."`
}

type upcomingMailView struct {
	Announces desk.AnnouncementKind `json:"announcement"`
	At        time.Time             `json:"at"`
}

type fanoutPlanView struct {
	Seconds    int64     `json:"seconds" doc:"Until every open ticket has applied the transition. Deadlines are shown correctly from the first second."`
	Rate       float64   `json:"tickets_per_second"`
	MeasuredAt time.Time `json:"measured_at,omitzero" doc:"When the rate was measured; absent: it is an assumption."`
}

func viewDryRun(d desk.DryRun) dryRunView {
	view := dryRunView{
		At: d.At, After: viewEmergency(d.After, d.At), Open: d.Open, Owed: d.Owed, Breached: d.Breached, Examined: d.Examined, Sampled: d.Sampled(),
		Clocks: viewEach(d.Clocks, viewClockShift), Soonest: viewEach(d.Soonest, func(s desk.Shift) shiftView { return shiftView(s) }),
		Mails: mailPlanView{
			Recipients: d.Requesters, Announces: d.Announces,
			Upcoming: viewEach(d.Upcoming, func(o desk.Occasion) upcomingMailView { return upcomingMailView(o) }),
		},
		Fanout: fanoutPlanView{Seconds: seconds(d.Fanout), Rate: d.Rate, MeasuredAt: d.Measured.UTC()},
	}
	if d.Before != nil {
		before := viewEmergency(*d.Before, d.At)
		view.Before = &before
	}
	return view
}

func viewClockShift(c desk.ClockShift) clockShiftView {
	return clockShiftView{
		Clock: c.Clock, Later: c.Later, Sooner: c.Sooner, Stopped: c.Stopped, Dated: c.Dated, Same: c.Same, Waiting: c.Waiting,
		Breached: c.Breached, Least: seconds(c.Least), Most: seconds(c.Most), Earliest: c.Earliest, Latest: c.Latest,
	}
}

func (s *server) dryRunDeclaration(ctx context.Context, in *bodyOf[emergencyDeclaration]) (view dryRunView, err error) {
	plan, err := in.Body.plan(desk.IdempotencyKey{})
	if err != nil {
		return view, err
	}
	d, err := s.Emergencies.DryDeclare(ctx, request.Of(ctx).Person, plan)
	return viewDryRun(d), err
}

func (s *server) dryRunChange(ctx context.Context, in *dryChangeInput) (view dryRunView, err error) {
	id, err := emergencyID(in.ID)
	if err != nil {
		return view, err
	}
	change, err := in.Body.change()
	if err != nil {
		return view, err
	}
	if in.Body.End && change != (desk.EmergencyChange{}) {
		return view, fault.Field("end", "cannot be combined with another property")
	}
	by := request.Of(ctx).Person
	if in.Body.End {
		d, err := s.Emergencies.DryEnd(ctx, by, id)
		return viewDryRun(d), err
	}
	d, err := s.Emergencies.DryChange(ctx, by, id, change)
	return viewDryRun(d), err
}
