package main

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

const bareSignals = 16 // at once, as a fan-out

// emergency measures the fan-out of an emergency that pauses every open ticket, and of its end, beside as many signals to as
// many bare workflows, and how long Temporal's search attributes take to follow.
func emergency(b *bench) error {
	s, err := b.startWorking()
	if err != nil {
		return err
	}
	defer s.stop()
	n := b.scaled(b.settings.Emergency)
	if err := s.fill(b.ctx, n); err != nil {
		return err
	}
	// Before the emergency: afterwards search attributes follow for a while.
	bare, err := s.bareSignalRate(b, n)
	if err != nil {
		return err
	}
	if err := s.transition(b, n, ticket.VerbEmergencyPause, bare); err != nil {
		return err
	}
	began := time.Now()
	query := fmt.Sprintf(`WorkflowType = '%s' AND ExecutionStatus = 'Running' AND PausedFor = 'emergency'`, workflows.TicketWorkflow)
	err = s.await(b.ctx, "the search attributes", func() (bool, error) {
		found, err := s.client.CountWorkflow(b.ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: client.DefaultNamespace, Query: query})
		return found.GetCount() >= int64(n), err
	})
	if err != nil {
		return err
	}
	b.report.add(figure{Name: "search attributes right after the pause is verified", Value: time.Since(began).Seconds(), Unit: "s", Of: n}.atMost(60))
	return s.transition(b, n, ticket.VerbEmergencyResume, bare)
}

// bareSignalRate signals n bare workflows and returns how many per second take note.
func (s *stack) bareSignalRate(b *bench, n int) (float64, error) {
	all, err := s.startBareWorker(b.ctx)
	if err != nil {
		return 0, err
	}
	defer all.stop()
	if err := all.start(b.ctx, s, n, time.Time{}); err != nil {
		return 0, err
	}
	before, began := s.processorTime(), time.Now()
	_, _, err = each(b.ctx, bareSignals, n, func(ctx context.Context, _, i int) error {
		return s.client.SignalWorkflow(ctx, bareID(i), "", bareSignal, workflows.Signal{Emergency: "E-0000000000", Schedule: 1, At: began})
	})
	if err != nil {
		return 0, err
	}
	err = all.await(b.ctx, s, "bare signals", func(c bareCounts) bool { return c.Signals >= n })
	rate := float64(n) / time.Since(began).Seconds()
	b.report.add(s.processorFigure("bare signals", n, before))
	return rate, err
}

// transition declares or lifts the emergency as a supervisor does in Temporal UI, and waits until the fan-out is verified.
func (s *stack) transition(b *bench, n int, verb ticket.Verb, bare float64) error {
	command, payload := "declare", any(map[string]any{"kind": "closed"})
	if verb == ticket.VerbEmergencyResume {
		command, payload = "lift", nil
	}
	before := s.processorTime()
	// The worker starts this workflow when it has started itself.
	var declared time.Time // or lifted
	err := s.await(b.ctx, "the workflow of emergencies", func() (bool, error) {
		declared = time.Now()
		return s.client.SignalWorkflow(b.ctx, workflows.EmergencyID, "", command, payload) == nil, b.ctx.Err()
	})
	if err != nil {
		return err
	}
	// The workflow's report is that of the previous transition until the fan-out begins.
	held := verb == ticket.VerbEmergencyPause
	if err := s.awaitCount(b.ctx, n, `SELECT count(*) FROM tickets WHERE (paused_by IS NOT NULL) = $1`, held); err != nil {
		return err
	}
	var report workflows.EmergencyReport
	err = s.await(b.ctx, "the fan-out", func() (bool, error) {
		ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
		defer cancel()
		value, err := s.client.QueryWorkflow(ctx, workflows.EmergencyID, "", workflows.EmergencyQuery)
		if err != nil {
			return false, b.ctx.Err() // a worker that is busy does not answer in time
		}
		if err := value.Get(&report); err != nil {
			return false, err
		}
		return report.Fanout.Transition.Verb == verb && !report.Fanout.DoneAt.IsZero(), nil
	})
	if err != nil {
		return err
	}
	f := perSecond(string(verb), n, report.Fanout.DoneAt.Sub(declared)).beside(bare, "bare signals").ofBare(0.9)
	f.Note = fmt.Sprintf("%d signals in %d rounds", report.Fanout.Notified, report.Fanout.Round)
	b.report.add(f, s.processorFigure(string(verb), n, before))
	return nil
}
