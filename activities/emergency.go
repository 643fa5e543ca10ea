package activities

import (
	"context"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// gatekeeper knows the gate, and whether every open ticket is as it wants. Prove is worth something only after a Barrier.
type scheduleReader interface {
	Outlook(context.Context) (ticket.Outlook, error)
	Barrier(context.Context) error
	Prove(context.Context, ticket.Edge) (ticket.Proof, error)
}

// operator carries out what somebody asks for by hand. What can't be done is a result and no error.
type commandExecutor interface {
	CarryOut(context.Context, ticket.EmergencyHand) (ticket.HandResult, error)
}

// Emergencies does what the workflow Emergency asks for.
type Emergencies struct {
	schedule scheduleReader
	backlog  backlog
	notifier ticketNotifier
	executor commandExecutor
	options  FanoutOptions
	limit    *rate.Limiter
}

// NewEmergencies makes the activities.
func NewEmergencies(g scheduleReader, b backlog, t ticketNotifier, op commandExecutor, o FanoutOptions) *Emergencies {
	o = o.withDefaults()
	return &Emergencies{
		schedule: g, backlog: b, notifier: t, executor: op, options: o,
		limit: rate.NewLimiter(rate.Limit(o.PerSecond), o.Parallel),
	}
}

// Outlook reads the gate.
func (e *Emergencies) ReadSchedule(ctx context.Context) (ticket.Outlook, error) {
	o, err := e.schedule.Outlook(ctx)
	return o, temporalError(ctx, err)
}

// Prove says whether every open ticket is as the gate wants it at an edge, with everything in view that was accepted
// before the edge.
func (e *Emergencies) CheckTickets(ctx context.Context, edge ticket.Edge) (ticket.Proof, error) {
	if err := e.schedule.Barrier(ctx); err != nil {
		return ticket.Proof{}, temporalError(ctx, err)
	}
	p, err := e.schedule.Prove(ctx, edge)
	return p, temporalError(ctx, err)
}

// CarryOut does what a person has asked for by hand, or says why not.
func (e *Emergencies) ExecuteManual(ctx context.Context, hand ticket.EmergencyHand) (ticket.HandResult, error) {
	result, err := e.executor.CarryOut(ctx, hand)
	return result, temporalError(ctx, err)
}
