package activities

import (
	"context"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// scheduleReader reads the emergency schedule, and checks whether every open ticket is as it says. Prove is reliable only
// after a Barrier.
type scheduleReader interface {
	Outlook(context.Context) (ticket.EmergencyOutlook, error)
	Barrier(context.Context) error
	Prove(context.Context, ticket.Transition) (ticket.FanoutCheck, error)
}

// commandExecutor executes manual commands. A command that is refused is a result and no error.
type commandExecutor interface {
	Execute(context.Context, ticket.ManualEmergencyCommand) (ticket.ManualEmergencyResult, error)
}

// Emergencies implements the activities of the emergency workflow.
type Emergencies struct {
	schedule scheduleReader
	backlog  backlog
	notifier ticketNotifier
	executor commandExecutor
	options  FanoutOptions
	limit    *rate.Limiter
}

// NewEmergencies returns the activities.
func NewEmergencies(g scheduleReader, b backlog, t ticketNotifier, op commandExecutor, o FanoutOptions) *Emergencies {
	o = o.withDefaults()
	return &Emergencies{
		schedule: g, backlog: b, notifier: t, executor: op, options: o,
		limit: rate.NewLimiter(rate.Limit(o.PerSecond), o.Parallel),
	}
}

// ReadSchedule reads the emergency schedule.
func (e *Emergencies) ReadSchedule(ctx context.Context) (ticket.EmergencyOutlook, error) {
	o, err := e.schedule.Outlook(ctx)
	return o, temporalError(ctx, err)
}

// CheckTickets reports whether every open ticket is as the schedule says after a transition, including all that were
// accepted before it.
func (e *Emergencies) CheckTickets(ctx context.Context, edge ticket.Transition) (ticket.FanoutCheck, error) {
	if err := e.schedule.Barrier(ctx); err != nil {
		return ticket.FanoutCheck{}, temporalError(ctx, err)
	}
	p, err := e.schedule.Prove(ctx, edge)
	return p, temporalError(ctx, err)
}

// ExecuteManual executes a manual command, or returns why it is refused.
func (e *Emergencies) ExecuteManual(ctx context.Context, hand ticket.ManualEmergencyCommand) (ticket.ManualEmergencyResult, error) {
	result, err := e.executor.Execute(ctx, hand)
	return result, temporalError(ctx, err)
}
