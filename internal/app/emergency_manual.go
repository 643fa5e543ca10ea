package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergencyLister lists all emergencies, the last declared first.
type emergencyLister interface {
	Emergencies(context.Context) ([]desk.Emergency, error)
}

// manualCommandStore records manual commands by key, with the workflow run that received them and their results.
type manualCommandStore interface {
	// BeginManualCommand records a command unless its key exists. It returns the first run that received the key, and the
	// result if there is one.
	BeginManualCommand(ctx context.Context, key, run string) (first string, result *ticket.ManualEmergencyResult, err error)
	EndManualCommand(ctx context.Context, key string, result ticket.ManualEmergencyResult) error
}

// ManualEmergencies executes manual commands about emergencies. They can do what a supervisor can, except write a notice,
// because texts must not be in workflow histories. An emergency declared by a manual command has the standard notice until a
// supervisor changes it.
type ManualEmergencies struct {
	schedule    scheduleStore
	emergencies emergencyLister
	commands    manualCommandStore
	now         func() time.Time
}

// NewManualEmergencies returns ManualEmergencies over a store.
func NewManualEmergencies(c scheduleStore, l emergencyLister, s manualCommandStore, now func() time.Time) *ManualEmergencies {
	return &ManualEmergencies{schedule: c, emergencies: l, commands: s, now: now}
}

// StandardNotice returns the notice of emergencies that are declared by a manual command.
func StandardNotice(kind ticket.EmergencyKind) string {
	if kind == ticket.EmergencyDelayed {
		return "Our support team is taking longer than usual to respond. We will answer every ticket, but later than promised."
	}
	return "Our support team is currently closed. Your tickets are safe, and our response times are paused until we are back."
}

// manualPayload is the payload of a manual command.
type manualPayload struct {
	Emergency ticket.EmergencyID   `json:"emergency"` // change, extend, lift, cancel; empty: the only candidate
	Kind      ticket.EmergencyKind `json:"kind"`      // declare
	Seconds   *int64               `json:"seconds"`   // declare, change, extend: extension of targets
	From      *string              `json:"from"`      // declare, change: RFC 3339; nil: now
	Until     *string              `json:"until"`     // declare, change, extend: RFC 3339, or "lifted"
}

// untilLifted is the value of Until for no planned end.
const untilLifted = "lifted"

// maxSeconds prevents the overflow of durations. It exceeds desk.MaxDelay, so that a truncated value is still refused.
const maxSeconds = int64(desk.MaxDelay/time.Second) + 1

// Execute executes a manual command, once for its key, and returns its result. A command that is malformed or not applicable
// is refused with a reason. So is one whose key another run of the workflow has used, because after a reset it may be the
// same command delivered again. Errors are temporary.
func (m *ManualEmergencies) Execute(ctx context.Context, command ticket.ManualEmergencyCommand) (ticket.ManualEmergencyResult, error) {
	first, known, err := m.commands.BeginManualCommand(ctx, command.Key, command.Run)
	switch {
	case err != nil:
		return ticket.ManualEmergencyResult{}, err
	case first != command.Run:
		return ticket.ManualEmergencyResult{Refused: "this repeats a signal that was received before the workflow was reset"}, nil
	case known != nil:
		return *known, nil
	}
	result, err := m.carryOut(ctx, command)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind.Permanent() {
		result, err = ticket.ManualEmergencyResult{Refused: refusalText(f)}, nil
	}
	if err != nil {
		return ticket.ManualEmergencyResult{}, err
	}
	return result, m.commands.EndManualCommand(ctx, command.Key, result)
}

// payloadNames maps the field names in a plan's errors to those of the payload.
var payloadNames = map[string]string{"starts_at": "from", "ends_at": "until", "delay_seconds": "seconds"}

func refusalText(f *fault.Error) string {
	if len(f.Details) == 0 {
		return f.Message
	}
	var all []string
	for _, d := range f.Details {
		all = append(all, cmp.Or(payloadNames[d.Field], d.Field)+" "+d.Message)
	}
	return strings.Join(all, "; ")
}

func (m *ManualEmergencies) carryOut(ctx context.Context, command ticket.ManualEmergencyCommand) (ticket.ManualEmergencyResult, error) {
	payload, err := parsePayload(command)
	if err != nil {
		return ticket.ManualEmergencyResult{}, err
	}
	if command.Name == "declare" {
		return m.declare(ctx, command, payload)
	}
	stages := map[string][]desk.EmergencyStage{
		"change": {desk.StagePlanned, desk.StageInForce}, "extend": {desk.StagePlanned, desk.StageInForce}, "lift": {desk.StageInForce}, "cancel": {desk.StagePlanned},
	}[command.Name]
	e, err := m.find(ctx, payload.Emergency, stages)
	if err != nil {
		return ticket.ManualEmergencyResult{}, err
	}
	var done string
	switch command.Name {
	case "lift", "cancel":
		done = command.Name + "ed"
		if command.Name == "cancel" {
			done = "cancelled"
		}
		e, err = EndEmergency(ctx, m.schedule, desk.Person{}, e.ID)
	default:
		done = "changed"
		var c desk.EmergencyChange
		if c, err = payload.change(command.Name, e); err == nil {
			e, err = ChangeEmergency(ctx, m.schedule, desk.Person{}, e.ID, c)
		}
	}
	if err != nil {
		return ticket.ManualEmergencyResult{}, err
	}
	return ticket.ManualEmergencyResult{Emergency: e.ID, Done: done + ": " + describe(e)}, nil
}

func (m *ManualEmergencies) declare(ctx context.Context, command ticket.ManualEmergencyCommand, payload manualPayload) (ticket.ManualEmergencyResult, error) {
	sum := sha256.Sum256([]byte(command.Payload))
	plan := desk.EmergencyPlan{Kind: payload.Kind, Notice: StandardNotice(payload.Kind), IdempotencyKey: desk.IdempotencyKey{Key: command.Key, Fingerprint: sum[:]}}
	var err error
	if payload.From != nil {
		if plan.From, err = readInstant("from", *payload.From); err != nil {
			return ticket.ManualEmergencyResult{}, err
		}
	}
	if payload.Until != nil && *payload.Until != untilLifted {
		if plan.Until, err = readInstant("until", *payload.Until); err != nil {
			return ticket.ManualEmergencyResult{}, err
		}
	}
	if payload.Seconds != nil {
		plan.By = seconds(*payload.Seconds)
	}
	e, err := DeclareEmergency(ctx, m.schedule, desk.Person{}, plan)
	if err != nil {
		return ticket.ManualEmergencyResult{}, err
	}
	return ticket.ManualEmergencyResult{Emergency: e.ID, Done: "declared: " + describe(e)}, nil
}

// find returns the emergency with an ID or, without one, the only emergency at one of the stages.
func (m *ManualEmergencies) find(ctx context.Context, id ticket.EmergencyID, stages []desk.EmergencyStage) (desk.Emergency, error) {
	all, err := m.emergencies.Emergencies(ctx)
	if err != nil {
		return desk.Emergency{}, err
	}
	now := m.now()
	var fit []desk.Emergency
	for _, e := range all {
		if (id == "" || e.ID == id) && slices.Contains(stages, e.Stage(now)) {
			fit = append(fit, e)
		}
	}
	if len(fit) == 1 {
		return fit[0], nil
	}
	words := make([]string, len(stages))
	for i, stage := range stages {
		words[i] = string(stage)
	}
	which := strings.Join(words, " or ")
	switch {
	case id != "" && !id.Valid():
		return desk.Emergency{}, fault.Field("emergency", "is not a valid emergency ID")
	case id != "":
		return desk.Emergency{}, fault.New(fault.Conflict, "emergency %s is not %s", id, which)
	case len(fit) == 0:
		return desk.Emergency{}, fault.New(fault.Conflict, "no emergency is %s", which)
	default:
		return desk.Emergency{}, fault.New(fault.Conflict, "%d emergencies are %s: name one by its ID", len(fit), which)
	}
}

// change returns the change that the payload describes. The command extend can only move the end to a later time or extend
// targets.
func (payload manualPayload) change(name string, e desk.Emergency) (c desk.EmergencyChange, err error) {
	if payload.From != nil {
		from, err := readInstant("from", *payload.From)
		if err != nil {
			return c, err
		}
		c.From = &from
	}
	if payload.Until != nil {
		var until time.Time
		if *payload.Until != untilLifted {
			if until, err = readInstant("until", *payload.Until); err != nil {
				return c, err
			}
		}
		c.Until = &until
	}
	if payload.Seconds != nil {
		by := seconds(*payload.Seconds)
		c.By = &by
	}
	if c == (desk.EmergencyChange{}) {
		return c, fault.New(fault.Invalid, "the payload changes nothing")
	}
	if name == "extend" && c.Until != nil && !c.Until.IsZero() && (e.Until.IsZero() || !c.Until.After(e.Until)) {
		return c, fault.Field("until", "is not later than the current end")
	}
	return c, nil
}

// parsePayload parses a payload strictly, so that a misspelt field is not ignored.
func parsePayload(command ticket.ManualEmergencyCommand) (payload manualPayload, err error) {
	allowed := ticket.EmergencyFields(command.Name)
	if allowed == nil {
		return payload, fault.New(fault.Invalid, "there is no such signal")
	}
	if strings.TrimSpace(command.Payload) == "" {
		return payload, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(command.Payload), &fields) != nil {
		return payload, fault.New(fault.Invalid, "the payload is not a JSON object")
	}
	for field := range fields {
		if !slices.Contains(allowed, field) {
			return payload, fault.New(fault.Invalid, "%s takes only %s", command.Name, strings.Join(allowed, ", "))
		}
	}
	decoder := json.NewDecoder(strings.NewReader(command.Payload))
	if decoder.Decode(&payload) != nil {
		return payload, fault.New(fault.Invalid, "a field of the payload has the wrong type")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return payload, fault.New(fault.Invalid, "the payload is not a JSON object")
	}
	return payload, nil
}

func readInstant(field, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fault.Field(field, "is not a time such as 2026-12-24T12:00:00Z")
	}
	return at.UTC(), nil
}

func seconds(n int64) time.Duration {
	return time.Duration(min(max(n, -1), maxSeconds)) * time.Second
}

// describe describes an emergency for the result of a manual command, without its notice.
func describe(e desk.Emergency) string {
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	line := fmt.Sprintf("%s from %s", e.Kind, at(e.From))
	switch {
	case !e.Cancelled.IsZero():
		return line + ", cancelled"
	case e.Until.IsZero():
		line += " until it is lifted"
	default:
		line += " until " + at(e.Until)
	}
	if n := len(e.Delays); n > 0 {
		line += fmt.Sprintf(", targets %s longer", e.Delays[n-1].By)
	}
	return line
}
