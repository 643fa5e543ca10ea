package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type emergencyDeclaration struct {
	Kind   emergencyKind `json:"kind" doc:"closed: clocks are paused. delayed: targets are extended."`
	Notice string        `json:"notice" doc:"The text on the website and in emails: plain text, 1 to 1000 characters."`
	From   plannedAt     `json:"starts_at,omitempty" doc:"Absent or null: now."`
	Until  plannedAt     `json:"ends_at,omitempty" doc:"Absent or null: until it is lifted."`
	Delay  int64         `json:"delay_seconds,omitempty" doc:"delayed only: how much targets are extended."`
}

type changeInput struct {
	ID   string `path:"id"`
	Body EmergencyChange
}

// EmergencyChange is a change of an emergency. Properties that are absent stay as they are. It is exported because huma
// leaves out embedded fields of unexported types.
type EmergencyChange struct {
	Notice *string   `json:"notice,omitempty" doc:"Plain text, 1 to 1000 characters."`
	From   plannedAt `json:"starts_at,omitempty" doc:"Only before it begins; null: now."`
	Until  plannedAt `json:"ends_at,omitempty" doc:"null: until it is lifted."`
	Delay  *int64    `json:"delay_seconds,omitempty" doc:"delayed only: how much targets are extended in total, from now on; 0 removes the extension."`
}

type emergencyInput struct {
	ID string `path:"id"`
}

// plannedAt is an optional instant of a request. It distinguishes null from an absent property.
type plannedAt struct {
	given bool
	text  string // empty: null
}

// Schema returns the schema of a nullable date-time.
func (plannedAt) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true}
}

// UnmarshalJSON stores the text, which read parses.
func (p *plannedAt) UnmarshalJSON(data []byte) error {
	p.given = true
	if string(data) == "null" {
		return nil
	}
	return json.Unmarshal(data, &p.text)
}

// read returns the instant, or the zero time if it is null or absent. Any other text than RFC 3339 is rejected in f.
func (p plannedAt) read(f *input.Fields, field string) time.Time {
	if p.text == "" {
		return time.Time{}
	}
	return f.Instant(field, p.text)
}

func (d emergencyDeclaration) plan(key desk.IdempotencyKey) (desk.EmergencyPlan, error) {
	var f input.Fields
	p := desk.EmergencyPlan{
		Kind: ticket.EmergencyKind(d.Kind), Notice: d.Notice, By: clampedSeconds(d.Delay), IdempotencyKey: key,
		From: d.From.read(&f, "starts_at"), Until: d.Until.read(&f, "ends_at"),
	}
	return p, f.Err()
}

func (a EmergencyChange) change() (c desk.EmergencyChange, err error) {
	var f input.Fields
	c.Notice = a.Notice
	if a.From.given {
		at := a.From.read(&f, "starts_at")
		c.From = &at
	}
	if a.Until.given {
		at := a.Until.read(&f, "ends_at")
		c.Until = &at
	}
	if a.Delay != nil {
		by := clampedSeconds(*a.Delay)
		c.By = &by
	}
	return c, f.Err()
}

// clampedSeconds returns n seconds as a duration. A value out of bounds stays out of bounds, where a multiplication
// could overflow into them.
func clampedSeconds(n int64) time.Duration {
	most := int64(desk.MaxDelay/time.Second) + 1
	return time.Duration(max(min(n, most), -1)) * time.Second
}

// emergencyID parses the ID of an emergency in upper or lower case. It returns a NotFound fault if it can't be one.
func emergencyID(typed string) (ticket.EmergencyID, error) {
	id := ticket.EmergencyID(strings.ToUpper(typed))
	if !id.Valid() {
		return "", fault.New(fault.NotFound, "there is no such emergency")
	}
	return id, nil
}

type emergencyOutput struct {
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed" doc:"true if the idempotency key was used before; the emergency is shown as it is now."`
	Body     emergencyView
}

// emergencyView is the current state of an emergency.
type emergencyView struct {
	ID          ticket.EmergencyID   `json:"id" example:"E-7Q2K9XM4TD"`
	Kind        ticket.EmergencyKind `json:"kind"`
	Stage       desk.EmergencyStage  `json:"stage" enum:"planned,in-force,over,cancelled"`
	Notice      string               `json:"notice"`
	From        time.Time            `json:"starts_at"`
	Until       time.Time            `json:"ends_at,omitzero" doc:"Absent: until it is lifted."`
	Delay       int64                `json:"delay_seconds,omitempty" doc:"How much targets are extended once all planned changes have taken effect."`
	DeclaredBy  *assigneeView        `json:"declared_by,omitempty" doc:"Absent: it was declared in Temporal UI."`
	DeclaredAt  time.Time            `json:"declared_at"`
	CancelledAt time.Time            `json:"cancelled_at,omitzero"`
	Revision    int64                `json:"revision" doc:"The revision of the emergency schedule at the last change."`
}

func viewEmergency(e desk.Emergency, now time.Time) emergencyView {
	return emergencyView{
		ID: e.ID, Kind: e.Kind, Stage: e.Stage(now), Notice: e.Notice, From: e.From.UTC(), Until: e.Until.UTC(), Delay: seconds(e.Delay()),
		DeclaredAt: e.Declared.UTC(), CancelledAt: e.Cancelled.UTC(), Revision: e.Revision, DeclaredBy: viewRef(e.By),
	}
}

type emergencyList struct {
	Emergencies []emergencyView `json:"emergencies"`
}

type currentView struct {
	Emergencies []emergencyView `json:"emergencies"`
	Fanout      *fanoutView     `json:"fanout,omitempty" doc:"How far the open tickets have applied the last transition; absent: there has been none."`
}

type fanoutView struct {
	Transition time.Time          `json:"transition_at"`
	Verb       ticket.Verb        `json:"verb"`
	Emergency  ticket.EmergencyID `json:"emergency"`
	Total      int                `json:"total" doc:"Open tickets when the fan-out started."`
	Behind     int                `json:"remaining" doc:"Of them, those that have not applied the transition yet. Their deadlines are shown correctly nevertheless."`
	BeganAt    time.Time          `json:"started_at"`
	VerifiedAt time.Time          `json:"verified_at,omitzero" doc:"When a query verified that every open ticket has applied the transition; absent: not yet."`
	Late       []ticket.Number    `json:"late,omitempty" maxItems:"20" doc:"Some of the remaining tickets, if the fan-out has taken longer than two minutes. Their requesters are notified once these tickets have applied the transition, all others at once."`
}

type fileView struct {
	Emergency emergencyView         `json:"emergency"`
	Changes   []emergencyChangeView `json:"changes" doc:"Oldest first."`
	Mails     announcementMailsView `json:"mails"`
}

type emergencyChangeView struct {
	Act   desk.EmergencyAction `json:"act" enum:"declared,changed,lifted,cancelled"`
	By    *assigneeView        `json:"by,omitempty" doc:"Absent: it was done in Temporal UI."`
	At    time.Time            `json:"at"`
	After desk.EmergencyState  `json:"after" doc:"The emergency after the change."`
}

type announcementMailsView struct {
	Owed       int `json:"pending"`
	Sent       int `json:"sent"`
	Bounced    int `json:"bounced"`
	Superseded int `json:"superseded" doc:"Not sent, because a newer one replaced it."`
	Held       int `json:"held" doc:"Sent once the recipient's tickets have applied the transition."`
}

func (s *server) declare(ctx context.Context, in *bodyOf[emergencyDeclaration]) (*emergencyOutput, error) {
	v := request.Of(ctx)
	plan, err := in.Body.plan(v.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	e, err := s.Emergencies.Declare(ctx, v.Person, plan)
	return &emergencyOutput{
		Location: prefix + "/emergencies/" + string(e.ID), Replayed: replayed(e.Again), Body: viewEmergency(e, time.Now()),
	}, err
}

func (s *server) changeEmergency(ctx context.Context, in *changeInput) (*emergencyOutput, error) {
	id, err := emergencyID(in.ID)
	if err != nil {
		return nil, err
	}
	change, err := in.Body.change()
	if err != nil {
		return nil, err
	}
	e, err := s.Emergencies.Change(ctx, request.Of(ctx).Person, id, change)
	return &emergencyOutput{Body: viewEmergency(e, time.Now())}, err
}

func (s *server) endEmergency(ctx context.Context, in *emergencyInput) (*emergencyOutput, error) {
	id, err := emergencyID(in.ID)
	if err != nil {
		return nil, err
	}
	e, err := s.Emergencies.End(ctx, request.Of(ctx).Person, id)
	return &emergencyOutput{Body: viewEmergency(e, time.Now())}, err
}

func (s *server) listEmergencies(ctx context.Context, _ *struct{}) (emergencyList, error) {
	all, err := s.Emergencies.List(ctx, request.Of(ctx).Person)
	return emergencyList{viewEmergencies(all)}, err
}

func viewEmergencies(all []desk.Emergency) []emergencyView {
	now := time.Now()
	return viewEach(all, func(e desk.Emergency) emergencyView { return viewEmergency(e, now) })
}

func (s *server) currentEmergencies(ctx context.Context, _ *struct{}) (view currentView, err error) {
	all, err := s.Emergencies.Current(ctx)
	if err != nil {
		return view, err
	}
	view.Emergencies = viewEmergencies(all)
	f, any, err := s.Emergencies.Fanout(ctx)
	if any {
		view.Fanout = &fanoutView{
			Transition: f.Transition.At.UTC(), Verb: f.Transition.Verb, Emergency: f.Transition.Emergency, Total: f.Total, Behind: f.Behind,
			BeganAt: f.Began.UTC(), VerifiedAt: f.VerifiedAt.UTC(), Late: f.Late,
		}
	}
	return view, err
}

func (s *server) readEmergency(ctx context.Context, in *emergencyInput) (view fileView, err error) {
	id, err := emergencyID(in.ID)
	if err != nil {
		return view, err
	}
	f, err := s.Emergencies.File(ctx, request.Of(ctx).Person, id)
	return fileView{
		Emergency: viewEmergency(f.Emergency, time.Now()),
		Changes: viewEach(f.Edits, func(c desk.EmergencyEdit) emergencyChangeView {
			return emergencyChangeView{Act: c.Act, By: viewRef(c.By), At: c.At.UTC(), After: c.After}
		}),
		Mails: viewMails(f.Mails),
	}, err
}

func viewMails(c desk.DeliveryCounts) announcementMailsView {
	return announcementMailsView{Owed: c.Owed, Sent: c.Sent, Bounced: c.Bounced, Superseded: c.Superseded, Held: c.Held}
}
