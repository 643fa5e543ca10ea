package activities

import (
	"context"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// scheduleReader reads the emergency schedule, and checks whether all open tickets have applied a transition. VerifyFanout
// is reliable only after Barrier.
type scheduleReader interface {
	Outlook(context.Context) (ticket.EmergencyOutlook, error)
	Barrier(context.Context) error
	VerifyFanout(context.Context, ticket.Transition) (ticket.FanoutCheck, error)
}

// commandExecutor executes manual commands. A refusal is a result and not an error.
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
func NewEmergencies(s scheduleReader, b backlog, n ticketNotifier, x commandExecutor, o FanoutOptions) *Emergencies {
	o = o.withDefaults()
	return &Emergencies{
		schedule: s, backlog: b, notifier: n, executor: x, options: o,
		limit: rate.NewLimiter(rate.Limit(o.PerSecond), o.Parallel),
	}
}

// ReadSchedule reads the emergency schedule.
func (e *Emergencies) ReadSchedule(ctx context.Context) (ticket.EmergencyOutlook, error) {
	o, err := e.schedule.Outlook(ctx)
	return o, temporalError(ctx, err)
}

// CheckTickets reports whether all open tickets have applied a transition, including those accepted just before it.
func (e *Emergencies) CheckTickets(ctx context.Context, transition ticket.Transition) (ticket.FanoutCheck, error) {
	if err := e.schedule.Barrier(ctx); err != nil {
		return ticket.FanoutCheck{}, temporalError(ctx, err)
	}
	p, err := e.schedule.VerifyFanout(ctx, transition)
	return p, temporalError(ctx, err)
}

// ExecuteManual executes a manual command and returns its outcome.
func (e *Emergencies) ExecuteManual(ctx context.Context, c ticket.ManualEmergencyCommand) (ticket.ManualEmergencyResult, error) {
	result, err := e.executor.Execute(ctx, c)
	return result, temporalError(ctx, err)
}
