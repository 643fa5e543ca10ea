package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// dueTimer is the timer for the next due event. Its zero value is not armed. arm replaces the timer only if the due instant
// changes, because a timer that is cancelled and started at every wake-up would fill the history.
type dueTimer struct {
	armed  ticket.DueEvent
	cancel workflow.CancelFunc
	timers int  // number of timers started; only the last one is valid
	behind bool // a step found that the event was not due, because PostgreSQL's clock is behind Temporal's
}

// onReady registers what the main loop does when a future is ready.
type onReady func(future workflow.Future, do func(workflow.Future))

func onSelected(s workflow.Selector) onReady {
	return func(future workflow.Future, do func(workflow.Future)) { s.AddFuture(future, do) }
}

// arm starts the timer for an event, and calls onDue when it fires. The timer of an event in the past fires at once. An
// event without a kind only stops the timer.
func (t *dueTimer) arm(ctx workflow.Context, e ticket.DueEvent, add onReady, onDue func(ticket.DueEvent)) {
	if t.armed.Due.Equal(e.Due) && t.armed.Kind != "" {
		t.armed = e
		return
	}
	if t.cancel != nil {
		t.cancel()
		t.cancel = nil
	}
	t.armed = e
	if e.Kind == "" {
		return
	}
	wait := max(e.Due.Sub(workflow.Now(ctx)), 0)
	if t.behind {
		wait, t.behind = max(wait, time.Second), false
	}
	t.timers++
	current := t.timers
	timerCtx, cancel := workflow.WithCancel(ctx)
	t.cancel = cancel
	timer := workflow.NewTimerWithOptions(timerCtx, wait, workflow.TimerOptions{Summary: e.Label})
	add(timer, func(f workflow.Future) {
		// A timer that fired during a step can no longer be cancelled, and its event may be obsolete.
		if err := f.Get(ctx, nil); err != nil || t.timers != current || t.armed.Kind == "" {
			return
		}
		fired := t.armed
		t.armed, t.cancel = ticket.DueEvent{}, nil
		onDue(fired)
	})
}

// ignore leaves the timer running and has nothing happen when it fires.
func (t *dueTimer) ignore() { t.armed, t.cancel = ticket.DueEvent{}, nil }

const (
	// maxSteps, and maxReceived in bytes of signals, bound what one run adds to its history. Temporal's own suggestion
	// to continue as new is not enough: it does not change within a workflow task, and a flood of signals comes in one.
	maxSteps    = 500
	maxReceived = 256 << 10
	// maxStepsPerTask bounds a workflow task: the results of its steps are sent to the server in one message, and the
	// server terminates a workflow whose message exceeds 4 MB. A result is bounded by ticket.MaxOwed and ticket.Digest.
	maxStepsPerTask = 20
)

// historyMeter counts what a run has added to its history.
type historyMeter struct {
	steps    int
	received int // bytes of signals

	task        int // length of the history when the workflow task began, which identifies the task
	stepsInTask int // steps taken in the task
}

// full reports whether it is time to continue as new.
func (m *historyMeter) full(ctx workflow.Context) bool {
	return m.steps >= maxSteps || m.received >= maxReceived || workflow.GetInfo(ctx).GetContinueAsNewSuggested()
}

// step counts a step. If the workflow task has had maxStepsPerTask, step first ends it with a short timer.
func (m *historyMeter) step(ctx workflow.Context) error {
	m.steps++
	if length := workflow.GetInfo(ctx).GetCurrentHistoryLength(); length != m.task {
		m.task, m.stepsInTask = length, 0
	}
	if m.stepsInTask++; m.stepsInTask <= maxStepsPerTask {
		return nil
	}
	m.stepsInTask = 1
	return workflow.NewTimerWithOptions(ctx, time.Millisecond, workflow.TimerOptions{Summary: "end of a workflow task"}).Get(ctx, nil)
}

// watch wakes the main loop when the history is full although no signal was received: signals of unknown names also fill a
// history, and are dropped when the run continues as new.
func (m *historyMeter) watch(ctx workflow.Context, selector workflow.Selector) {
	full := workflow.NewNamedBufferedChannel(ctx, "history full", 1)
	selector.AddReceive(full, func(c workflow.ReceiveChannel, _ bool) { c.Receive(ctx, nil) })
	workflow.GoNamed(ctx, "history", func(ctx workflow.Context) {
		if workflow.Await(ctx, func() bool { return m.full(ctx) }) == nil {
			full.Send(ctx, nil)
		}
	})
}
