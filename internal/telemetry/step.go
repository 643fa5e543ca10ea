package telemetry

import (
	"context"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// StepStore returns a StepStore that measures the steps recorded in s.
func (t *Telemetry) StepStore(s app.StepStore) app.StepStore {
	if t == nil {
		return s
	}
	return stepStore{s, t}
}

type stepStore struct {
	app.StepStore
	t *Telemetry
}

// StepTx counts what a step has recorded once it is committed.
func (s stepStore) StepTx(ctx context.Context, n ticket.Number, fn func(app.LockedTicket, app.StepTx) error) error {
	began := time.Now()
	var w writes
	err := s.StepStore.StepTx(ctx, n, func(l app.LockedTicket, tx app.StepTx) error {
		w = writes{StepTx: tx} // also if the transaction is tried again
		return fn(l, &w)
	})
	seconds(s.t.metrics.stepDuration.WithLabelValues(resultOf(err)), began)
	if err == nil {
		s.count(ctx, w.changes)
	}
	return err
}

// writes remembers what is written in a transaction.
type writes struct {
	app.StepTx
	changes []app.StepChanges
}

// Write implements app.StepTx.
func (w *writes) Write(ctx context.Context, c app.StepChanges) (app.WriteResult, error) {
	w.changes = append(w.changes, c)
	return w.StepTx.Write(ctx, c)
}

func (s stepStore) count(ctx context.Context, all []app.StepChanges) {
	m := s.t.metrics
	for _, c := range all {
		for _, d := range c.Decisions {
			m.decided.WithLabelValues(string(d.Verb), outcomeOf(d.Outcome)).Inc()
		}
		for _, e := range c.Events {
			s.countEvent(e)
		}
		if s.t.tracing() && len(c.Decisions) > 0 {
			last := c.Decisions[len(c.Decisions)-1]
			trace.SpanFromContext(ctx).SetAttributes(attribute.String(attrVerb, string(last.Verb)), attribute.String(attrOutcome, outcomeOf(last.Outcome)))
		}
	}
}

// dueKinds are the kinds of events that fire when they are due. Others without a command follow from these, from deliveries or
// from emergencies.
var dueKinds = []ticket.EventKind{
	ticket.EventReminded, ticket.EventBreached, ticket.EventEscalated, ticket.EventNudged, ticket.EventResolved, ticket.EventClosed, ticket.EventWoke,
}

func (s stepStore) countEvent(e ticket.Event) {
	m := s.t.metrics
	m.events.WithLabelValues(string(e.Kind)).Inc()
	switch e.Kind {
	case ticket.EventBreached:
		m.breaches.WithLabelValues(string(e.Promise)).Inc()
	case ticket.EventEscalated:
		m.escalations.WithLabelValues(string(e.Promise)).Inc()
	default:
	}
	if e.Command == 0 && slices.Contains(dueKinds, e.Kind) {
		seconds(m.dueEventDelay.WithLabelValues(string(e.Kind)), e.At)
	}
}
