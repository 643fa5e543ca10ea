package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// EmergencyStart is the input of the workflow Emergency: nothing at first, the rest when a run goes on as new.
type EmergencyStart struct {
	Page    string                 `json:"page,omitempty"` // address of the emergencies' page
	Outlook ticket.Outlook         `json:"outlook,omitzero"`
	Fanout  Fanout                 `json:"fanout,omitzero"`
	Hands   []ticket.EmergencyHand `json:"hands,omitempty"`   // signals by hand, not yet carried out
	Heard   map[string]int         `json:"heard,omitempty"`   // how many of each name there ever were
	Refused int                    `json:"refused,omitempty"` // and how many of them were refused
	Log     []HandLine             `json:"log,omitempty"`
	Herald  Heralded               `json:"herald,omitzero"`
}

// EmergencyReport answers the query: what is, how far the tickets have come to know of it, and what comes next.
type EmergencyReport struct {
	Outlook ticket.Outlook `json:"outlook"`
	Fanout  Fanout         `json:"fanout"`  // of Outlook.Reached: under way, or proven
	Pending int            `json:"pending"` // signals by hand, not yet carried out
	Refused int            `json:"refused"` // how many there were that were refused
	Log     []HandLine     `json:"log"`     // what came of the last ones
}

// HandLine is what came of one signal by hand.
type HandLine struct {
	At     time.Time `json:"at"`
	Signal string    `json:"signal"`
	ticket.HandResult
}

// Emergency keeps every open ticket in step with the gate. It never ends: one run sleeps until the next edge or until it
// is told that the gate was changed, tells the tickets, proves that all of them know, and sleeps again. A ticket is right
// without it, by the gate; what it brings up to date is what people see of a ticket. A request to cancel it is ignored.
func Emergency(ctx workflow.Context, in EmergencyStart) error {
	ctx, _ = workflow.NewDisconnectedContext(ctx)
	w, err := watch(ctx, in)
	if err != nil {
		return fmt.Errorf("set up the emergency: %w", err)
	}
	return w.run(ctx)
}

// vigil is the workflow Emergency while it runs. What must outlive a run goes through EmergencyStart.
type vigil struct {
	page    string
	outlook ticket.Outlook
	fanout  Fanout
	hands   []ticket.EmergencyHand
	heard   map[string]int
	refused int
	log     []HandLine

	stale    bool      // the gate may be other than outlook says
	edge     time.Time // until when outlook holds, by Temporal's clock; zero: until the gate is changed
	selector workflow.Selector
	meter    meter
	alarm    alarm
	herald   *herald
	answers  answers // to updates
}

func watch(ctx workflow.Context, in EmergencyStart) (*vigil, error) {
	w := &vigil{
		page: in.Page, outlook: in.Outlook, fanout: in.Fanout, hands: in.Hands, heard: in.Heard, refused: in.Refused, log: in.Log,
		stale: true, selector: workflow.NewNamedSelector(ctx, "emergency"), herald: newHerald(ctx, in.Herald),
	}
	err := workflow.SetQueryHandlerWithOptions(ctx, EmergencyQuery, w.report, workflow.QueryHandlerOptions{
		Description: "The emergencies in force and planned, how many open tickets know of them, and what comes next.",
	})
	if err != nil {
		return nil, err
	}
	if w.heard == nil {
		w.heard = map[string]int{}
	}
	w.listen(ctx)
	return w, w.takeUpdates(ctx)
}

// run looks at the gate, brings the tickets after it, and waits. Nothing that it asks for takes longer than a slice of a
// fan-out, so whatever happens meanwhile is heard of soon: the newest edge is what tickets are told of, and each of them
// weaves in all of those before by itself.
func (w *vigil) run(ctx workflow.Context) error {
	for {
		if err := w.work(ctx); err != nil {
			return err
		}
		workflow.SetCurrentDetails(ctx, w.details(workflow.Now(ctx)))
		if w.meter.full(ctx) {
			return w.continueAsNew(ctx)
		}
		if w.stale || len(w.hands) > 0 || w.fanout.due() {
			continue
		}
		w.alarm.arm(ctx, w.next(), w.selector, w.ring)
		w.selector.Select(ctx)
	}
}

// work does one thing of each kind that there is to do.
func (w *vigil) work(ctx workflow.Context) error {
	w.drain(ctx)
	if err := w.carryOut(ctx); err != nil {
		return err
	}
	if w.stale {
		if err := w.look(ctx); err != nil {
			return err
		}
	}
	if w.fanout.due() {
		if err := w.spread(ctx); err != nil {
			return err
		}
	}
	w.announceInPart(ctx)
	return nil
}

// look reads the gate. An edge that is reached and newer than the one that tickets are being told of takes its place.
func (w *vigil) look(ctx workflow.Context) error {
	outlook, err := callOutlook(ctx)
	if err != nil {
		return err
	}
	now := workflow.Now(ctx)
	if outlook.Revision != w.outlook.Revision {
		w.fanout.InPart = 0 // there may be something new to tell those whose tickets are right
	}
	w.stale, w.outlook, w.edge = false, outlook, time.Time{}
	if !outlook.Until.IsZero() {
		w.edge = now.Add(outlook.Until.Sub(outlook.At)) // by its distance: the database's clock may differ from Temporal's
	}
	if outlook.Reached.At.After(w.fanout.Edge.At) {
		w.fanout = Fanout{Edge: outlook.Reached, Began: now}
	}
	w.announce()
	return nil
}

// announce has people told of what has happened, once every open ticket knows of it.
func (w *vigil) announce() {
	if w.outlook.Revision > 0 && (w.outlook.Reached.At.IsZero() || !w.fanout.Proven.IsZero()) {
		w.herald.tell(ticket.AnnounceRequest{Proven: w.outlook.At, Revision: w.outlook.Revision})
	}
}

// announceInPart has everybody told whose tickets are right, when others keep a fan-out from ending.
func (w *vigil) announceInPart(ctx workflow.Context) {
	now, due := workflow.Now(ctx), w.fanout.partDue()
	if due.IsZero() || now.Before(due) || w.stale {
		return
	}
	w.fanout.InPart++
	w.fanout.InPartAt = now
	w.herald.tell(ticket.AnnounceRequest{Proven: w.outlook.At, Revision: w.outlook.Revision, Unproven: true})
}

// Kinds of what the one timer is for.
const (
	momentEdge  ticket.MomentKind = "edge"
	momentAgain ticket.MomentKind = "again"
	momentPart  ticket.MomentKind = "part"
)

// next is what the timer is for: the next edge, tickets that were told and haven't taken it up, or people who shall not
// wait for those.
func (w *vigil) next() ticket.Moment {
	var first ticket.Moment
	for _, m := range []ticket.Moment{
		{Kind: momentEdge, Due: w.edge, Label: w.outlookLine()},
		{Kind: momentAgain, Due: w.fanout.Again, Label: w.fanout.againLine()},
		{Kind: momentPart, Due: w.fanout.partDue(), Label: "announce it to those whose tickets are right"},
	} {
		if !m.Due.IsZero() && (first.Due.IsZero() || m.Due.Before(first.Due)) {
			first = m
		}
	}
	return first
}

func (w *vigil) ring(m ticket.Moment) {
	switch m.Kind {
	case momentAgain:
		w.fanout.Again = time.Time{}
	case momentEdge:
		w.stale = true
	}
}

func (w *vigil) report() (EmergencyReport, error) {
	return EmergencyReport{Outlook: w.outlook, Fanout: w.fanout, Pending: len(w.hands), Refused: w.refused, Log: slices.Clone(w.log)}, nil
}

// continueAsNew hands everything to a next run, and loses no signal: see life.continueAsNew. The next run looks at the
// gate anew.
func (w *vigil) continueAsNew(ctx workflow.Context) error {
	w.herald.halt()
	if err := workflow.Await(ctx, w.herald.idle); err != nil {
		return fmt.Errorf("wait for the herald: %w", err)
	}
	for w.drain(ctx); !workflow.AllHandlersFinished(ctx); w.drain(ctx) {
		if w.answers.due() {
			if err := w.carryOut(ctx); err != nil {
				return err
			}
			continue
		}
		if err := answered(ctx); err != nil {
			return err
		}
	}
	return workflow.NewContinueAsNewError(ctx, EmergencyWorkflow, EmergencyStart{
		Page: w.page, Outlook: w.outlook, Fanout: w.fanout, Hands: w.hands, Heard: w.heard, Refused: w.refused, Log: w.log, Herald: w.herald.state,
	})
}
