package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

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
