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

type declareInput struct{ Body emergencyDeclaration }

type emergencyDeclaration struct {
	Kind   emergencyKind `json:"kind" doc:"closed: clocks are paused. delayed: targets are extended."`
	Notice string        `json:"notice" doc:"The text on the website and in emails: plain text, 1 to 1000 characters."`
	From   plannedAt     `json:"starts_at,omitempty" doc:"Absent or null: now."`
	Until  plannedAt     `json:"ends_at,omitempty" doc:"Absent or null: until it is lifted."`
	Delay  int64         `json:"delay_seconds,omitempty" doc:"delayed only: how much targets are extended."`
}

type changeInput struct {
	ID   string `path:"id"`
	Body emergencyChange
}

// emergencyChange is a change of an emergency. Properties that are absent stay as they are.
type emergencyChange struct {
	Notice *string   `json:"notice,omitempty" doc:"Plain text, 1 to 1000 characters."`
	From   plannedAt `json:"starts_at,omitempty" doc:"Only before it begins; null: now."`
	Until  plannedAt `json:"ends_at,omitempty" doc:"null: until it is lifted."`
	Delay  *int64    `json:"delay_seconds,omitempty" doc:"delayed only: how much targets are extended in total, from now on; 0 removes the extension."`
}

type dryChangeInput struct {
	ID   string `path:"id"`
	Body emergencyChangeDryRun
}

// emergencyChangeDryRun has the properties of emergencyChange and one more. They are repeated because huma does not
// describe those of an embedded struct.
type emergencyChangeDryRun struct {
	Notice *string   `json:"notice,omitempty" doc:"As in PATCH, like all the others but end."`
	From   plannedAt `json:"starts_at,omitempty"`
	Until  plannedAt `json:"ends_at,omitempty"`
	Delay  *int64    `json:"delay_seconds,omitempty"`
	End    bool      `json:"end,omitempty" doc:"Computes the effect of lifting or cancelling the emergency. It cannot be combined with another property."`
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
	at, err := time.Parse(time.RFC3339, p.text)
	if err != nil {
		f.Reject(field, "must be an instant such as 2026-11-30T09:00:00Z")
	}
	return at
}

func (d emergencyDeclaration) plan(key desk.IdempotencyKey) (desk.EmergencyPlan, error) {
	var f input.Fields
	p := desk.EmergencyPlan{
		Kind: ticket.EmergencyKind(d.Kind), Notice: d.Notice, By: clampedSeconds(d.Delay), IdempotencyKey: key,
		From: d.From.read(&f, "starts_at"), Until: d.Until.read(&f, "ends_at"),
	}
	return p, f.Err()
}

func (a emergencyChange) change() (c desk.EmergencyChange, err error) {
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

// emergencies returns the use cases of emergencies, or an Unavailable fault if this process has none.
func (s *server) emergencies() (request.Emergencies, error) {
	if s.Emergencies == nil {
		return nil, fault.New(fault.Unavailable, "this process can't command in an emergency")
	}
	return s.Emergencies, nil
}

type emergencyOutput struct {
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed" doc:"true if the idempotency key was used before; the emergency is shown as it is now."`
	Body     emergencyView
}

type dryRunOutput struct{ Body dryRunView }

func (s *server) declare(ctx context.Context, in *declareInput) (*emergencyOutput, error) {
	v := request.Of(ctx)
	plan, err := in.Body.plan(v.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	m, err := s.emergencies()
	if err != nil {
		return nil, err
	}
	e, err := m.Declare(ctx, v.Person, plan)
	if err != nil {
		return nil, err
	}
	return &emergencyOutput{
		Location: prefix + "/emergencies/" + string(e.ID), Replayed: replayed(e.Again), Body: viewEmergency(e, time.Now()),
	}, nil
}

func (s *server) dryRunDeclaration(ctx context.Context, in *declareInput) (*dryRunOutput, error) {
	plan, err := in.Body.plan(desk.IdempotencyKey{})
	if err != nil {
		return nil, err
	}
	m, err := s.emergencies()
	if err != nil {
		return nil, err
	}
	d, err := m.DryDeclare(ctx, request.Of(ctx).Person, plan)
	return &dryRunOutput{viewDryRun(d)}, err
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
	m, err := s.emergencies()
	if err != nil {
		return nil, err
	}
	e, err := m.Change(ctx, request.Of(ctx).Person, id, change)
	return &emergencyOutput{Body: viewEmergency(e, time.Now())}, err
}

func (s *server) endEmergency(ctx context.Context, in *emergencyInput) (*emergencyOutput, error) {
	id, err := emergencyID(in.ID)
	if err != nil {
		return nil, err
	}
	m, err := s.emergencies()
	if err != nil {
		return nil, err
	}
	e, err := m.End(ctx, request.Of(ctx).Person, id)
	return &emergencyOutput{Body: viewEmergency(e, time.Now())}, err
}

func (s *server) dryRunChange(ctx context.Context, in *dryChangeInput) (*dryRunOutput, error) {
	id, err := emergencyID(in.ID)
	if err != nil {
		return nil, err
	}
	asked := in.Body
	change, err := emergencyChange{asked.Notice, asked.From, asked.Until, asked.Delay}.change()
	if err != nil {
		return nil, err
	}
	if asked.End && change != (desk.EmergencyChange{}) {
		return nil, fault.Field("end", "cannot be combined with another property")
	}
	m, err := s.emergencies()
	if err != nil {
		return nil, err
	}
	by := request.Of(ctx).Person
	if asked.End {
		d, err := m.DryEnd(ctx, by, id)
		return &dryRunOutput{viewDryRun(d)}, err
	}
	d, err := m.DryChange(ctx, by, id, change)
	return &dryRunOutput{viewDryRun(d)}, err
}
