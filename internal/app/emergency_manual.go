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

// emergencyBook keeps the emergencies. The zero person stands for a hand in Temporal UI.
type manualEmergencyStore interface {
	Emergencies(context.Context) ([]desk.Emergency, error)
	DeclareEmergency(context.Context, desk.Person, desk.EmergencyPlan) (desk.Emergency, error)
	ChangeEmergency(context.Context, desk.Person, ticket.EmergencyID, desk.EmergencyChange) (desk.Emergency, error)
	EndEmergency(context.Context, desk.Person, ticket.EmergencyID) (desk.Emergency, error)
	BeginHand(ctx context.Context, key, run string) (first string, result *ticket.HandResult, err error)
	EndHand(ctx context.Context, key string, result ticket.HandResult) error
}

// Operator is whoever is let into Temporal UI. It may do with emergencies what a supervisor may, but for words: those
// would stay in a history, so an emergency declared by hand bears the desk's own notice until a supervisor changes it.
type Operator struct {
	store manualEmergencyStore
	now   func() time.Time
}

// NewOperator makes one.
func NewOperator(b manualEmergencyStore, now func() time.Time) *Operator {
	return &Operator{store: b, now: now}
}

// StandardNotice is what the website says of an emergency that was declared by hand.
func StandardNotice(kind ticket.EmergencyKind) string {
	if kind == ticket.EmergencyDelayed {
		return "Our support team needs more time than usual at the moment. We answer every ticket, later than we promised."
	}
	return "Our support team is closed at the moment. Your tickets are safe, and the time we promised to answer in stands still until we are back."
}

// order is the payload of a signal by hand.
type manualPayload struct {
	Emergency ticket.EmergencyID   `json:"emergency"` // change, extend, lift, cancel; empty: the only one that it can be
	Kind      ticket.EmergencyKind `json:"kind"`      // declare
	Seconds   *int64               `json:"seconds"`   // declare, change: how much longer targets become
	From      *string              `json:"from"`      // declare, change: RFC 3339; none: now
	Until     *string              `json:"until"`     // declare, change, extend: RFC 3339, or "lifted"
}

// untilLifted stands for no end.
const untilLifted = "lifted"

// maxSeconds keeps a duration from overflowing; what is sensible the plan itself knows.
const maxSeconds = int64(desk.MaxDelay/time.Second) + 1

// CarryOut does what a signal asks for, once for its key. What can't be read or makes no sense is refused with a reason,
// and so is one that another run of the workflow has delivered before: after a reset, it is that one again, or another one
// that says the same. An error is worth repeating.
func (o *Operator) CarryOut(ctx context.Context, hand ticket.EmergencyHand) (ticket.HandResult, error) {
	first, known, err := o.store.BeginHand(ctx, hand.Key, hand.Run)
	switch {
	case err != nil:
		return ticket.HandResult{}, err
	case first != hand.Run:
		return ticket.HandResult{Refused: "it says the same as a signal that came before the workflow was reset"}, nil
	case known != nil:
		return *known, nil
	}
	result, err := o.carryOut(ctx, hand)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind.Permanent() {
		result, err = ticket.HandResult{Refused: refusalText(f)}, nil
	}
	if err != nil {
		return ticket.HandResult{}, err
	}
	return result, o.store.EndHand(ctx, hand.Key, result)
}

// handNames is how a signal's payload calls what a plan calls otherwise.
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

func (o *Operator) carryOut(ctx context.Context, hand ticket.EmergencyHand) (ticket.HandResult, error) {
	given, err := parsePayload(hand)
	if err != nil {
		return ticket.HandResult{}, err
	}
	if hand.Name == "declare" {
		return o.declare(ctx, hand, given)
	}
	stages := map[string][]desk.EmergencyStage{
		"change": {desk.StagePlanned, desk.StageInForce}, "extend": {desk.StagePlanned, desk.StageInForce}, "lift": {desk.StageInForce}, "cancel": {desk.StagePlanned},
	}[hand.Name]
	e, err := o.find(ctx, given.Emergency, stages)
	if err != nil {
		return ticket.HandResult{}, err
	}
	var done string
	switch hand.Name {
	case "lift", "cancel":
		done = hand.Name + "ed"
		if hand.Name == "cancel" {
			done = "cancelled"
		}
		e, err = o.store.EndEmergency(ctx, desk.Person{}, e.ID)
	default:
		done = "changed"
		var c desk.EmergencyChange
		if c, err = given.change(hand.Name, e); err == nil {
			e, err = o.store.ChangeEmergency(ctx, desk.Person{}, e.ID, c)
		}
	}
	if err != nil {
		return ticket.HandResult{}, err
	}
	return ticket.HandResult{Emergency: e.ID, Done: done + ": " + describe(e)}, nil
}

func (o *Operator) declare(ctx context.Context, hand ticket.EmergencyHand, given manualPayload) (ticket.HandResult, error) {
	sum := sha256.Sum256([]byte(hand.Payload))
	plan := desk.EmergencyPlan{Kind: given.Kind, Notice: StandardNotice(given.Kind), Once: desk.Once{Key: hand.Key, Fingerprint: sum[:]}}
	var err error
	if given.From != nil {
		if plan.From, err = readInstant("from", *given.From); err != nil {
			return ticket.HandResult{}, err
		}
	}
	if given.Until != nil && *given.Until != untilLifted {
		if plan.Until, err = readInstant("until", *given.Until); err != nil {
			return ticket.HandResult{}, err
		}
	}
	if given.Seconds != nil {
		plan.By = seconds(*given.Seconds)
	}
	e, err := o.store.DeclareEmergency(ctx, desk.Person{}, plan)
	if err != nil {
		return ticket.HandResult{}, err
	}
	return ticket.HandResult{Emergency: e.ID, Done: "declared: " + describe(e)}, nil
}

// find is the emergency that a signal is about.
func (o *Operator) find(ctx context.Context, id ticket.EmergencyID, stages []desk.EmergencyStage) (desk.Emergency, error) {
	all, err := o.store.Emergencies(ctx)
	if err != nil {
		return desk.Emergency{}, err
	}
	now := o.now()
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
		return desk.Emergency{}, fault.Field("emergency", "is not an emergency's ID")
	case id != "":
		return desk.Emergency{}, fault.New(fault.Conflict, "emergency %s is not %s", id, which)
	case len(fit) == 0:
		return desk.Emergency{}, fault.New(fault.Conflict, "no emergency is %s", which)
	default:
		return desk.Emergency{}, fault.New(fault.Conflict, "%d emergencies are %s: say which", len(fit), which)
	}
}

// change is what is to be changed. To extend is to move the end to later, or the targets.
func (given manualPayload) change(name string, e desk.Emergency) (c desk.EmergencyChange, err error) {
	if given.From != nil {
		from, err := readInstant("from", *given.From)
		if err != nil {
			return c, err
		}
		c.From = &from
	}
	if given.Until != nil {
		var until time.Time
		if *given.Until != untilLifted {
			if until, err = readInstant("until", *given.Until); err != nil {
				return c, err
			}
		}
		c.Until = &until
	}
	if given.Seconds != nil {
		by := seconds(*given.Seconds)
		c.By = &by
	}
	if c == (desk.EmergencyChange{}) {
		return c, fault.New(fault.Invalid, "it does not say what is to be changed")
	}
	if name == "extend" && c.Until != nil && !c.Until.IsZero() && (e.Until.IsZero() || !c.Until.After(e.Until)) {
		return c, fault.Field("until", "is no later than it is now")
	}
	return c, nil
}

// parsePayload reads a payload strictly: what a misspelt field was to say would be lost.
func parsePayload(hand ticket.EmergencyHand) (given manualPayload, err error) {
	allowed := ticket.EmergencyFields(hand.Name)
	if allowed == nil {
		return given, fault.New(fault.Invalid, "there is no such signal")
	}
	if strings.TrimSpace(hand.Payload) == "" {
		return given, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(hand.Payload), &fields) != nil {
		return given, fault.New(fault.Invalid, "the payload is not a JSON object")
	}
	for field := range fields {
		if !slices.Contains(allowed, field) {
			return given, fault.New(fault.Invalid, "%s takes only %s", hand.Name, strings.Join(allowed, ", "))
		}
	}
	decoder := json.NewDecoder(strings.NewReader(hand.Payload))
	if decoder.Decode(&given) != nil {
		return given, fault.New(fault.Invalid, "a field of the payload has the wrong type")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return given, fault.New(fault.Invalid, "the payload is not a JSON object")
	}
	return given, nil
}

func readInstant(field, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fault.Field(field, "is not an instant such as 2026-12-24T12:00:00Z")
	}
	return at.UTC(), nil
}

func seconds(n int64) time.Duration {
	return time.Duration(min(max(n, -1), maxSeconds)) * time.Second
}

// describe returns what an emergency now is, without its notice.
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
