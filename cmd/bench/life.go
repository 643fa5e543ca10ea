package main

import (
	"context"
	"fmt"
	"net/smtp"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
)

// lives measures what the whole life of a ticket costs in Temporal: 8 commands and 7 mails, each when the one before it is
// done, as people are slow. The receipts on the way are measured too.
func lives(b *bench) error {
	s, err := b.startWorking()
	if err != nil {
		return err
	}
	defer s.stop()
	if _, err := s.live(b.ctx, 0, &samples{}); err != nil { // connections and prepared statements
		return err
	}
	var receipts samples
	var total cost
	n := b.scaled(b.settings.Lives)
	before := s.processorTime()
	for i := range n {
		number, err := s.live(b.ctx, i, &receipts)
		if err != nil {
			return err
		}
		c, err := s.cost(b.ctx, number)
		if err != nil {
			return err
		}
		total.add(c)
	}
	processor := s.processorFigure("a life", n, before)
	bare, err := s.bareReceipts(b.ctx, n)
	if err != nil {
		return err
	}
	const stored = "a bare transaction and an email"
	per := func(name string, of int, unit string) figure {
		return figure{Name: name, Value: float64(of) / float64(n), Unit: unit, Of: n}
	}
	b.report.add(
		per("a life of 8 commands and 7 mails, history", total.events, "events").atMost(60),
		per("a life, history", total.bytes, "bytes").atMost(15*1024),
		per("a life, billable", total.actions, "actions").atMost(20),
		per("a life, workflow tasks", total.tasks, "tasks"),
		millis("receipt, from the request until the mail arrives, p50", receipts.percentile(50), n).beside(inMillis(bare.percentile(50)), stored),
		millis("receipt, p95", receipts.percentile(95), n).beside(inMillis(bare.percentile(95)), stored).atMost(300),
		processor,
	)
	return nil
}

// bareReceipts measures n times how long it takes to store the rows of a ticket and to send an email about it.
func (s *stack) bareReceipts(ctx context.Context, n int) (*samples, error) {
	number, err := s.customers[0].submit(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.rowsOf(ctx, number, "tickets", "messages", "commands")
	if err != nil {
		return nil, err
	}
	taken, _, err := each(ctx, 1, n, func(ctx context.Context, _, i int) error {
		if err := rows.insert(ctx); err != nil {
			return err
		}
		about := fmt.Sprintf("BARE-%010d", i)
		text := fmt.Sprintf("Subject: [%s] We have received your request\r\n\r\nIt is stored.\r\n", about)
		if err := smtp.SendMail(s.mails.listener.Addr().String(), nil, "desk@demo.example", []string{"customer@demo.example"}, []byte(text)); err != nil {
			return err
		}
		return s.mails.awaitMails(ctx, about, 1)
	})
	return taken, err
}

// live leads a ticket through its life and returns its number.
func (s *stack) live(ctx context.Context, i int, receipts *samples) (string, error) {
	customer, agent := s.customers[i%customers], s.agents[i%agents]
	began := time.Now()
	number, err := customer.submit(ctx)
	if err != nil {
		return "", err
	}
	mails := 1
	if err := s.mails.awaitMails(ctx, number, mails); err != nil {
		return "", err
	}
	receipts.add(time.Since(began))
	for _, step := range []struct {
		by    *person
		path  string
		body  fields
		mails int
	}{
		{s.supervisor, "assignment", fields{"agent": agent.handle}, 1},
		{agent, "information-requests", fields{"body": "Which address is on the label?"}, 1},
		{customer, "replies", fields{"body": "The old one."}, 1},
		{agent, "notes", fields{"body": "The carrier was called."}, 0},
		{agent, "replies", fields{"body": "It is on its way to your new address."}, 1},
		{agent, "resolution", fields{"body": "The parcel was delivered."}, 1},
		{customer, "confirmation", nil, 1},
	} {
		if err := step.by.command(ctx, number, step.path, step.body); err != nil {
			return "", err
		}
		mails += step.mails
		if err := s.mails.awaitMails(ctx, number, mails); err != nil {
			return "", fmt.Errorf("after %s: %w", step.path, err)
		}
	}
	return number, nil
}

// cost is what a workflow has cost.
type cost struct{ events, bytes, actions, tasks int }

func (c *cost) add(other cost) {
	c.events += other.events
	c.bytes += other.bytes
	c.actions += other.actions
	c.tasks += other.tasks
}

// cost waits for the end of a workflow and adds up all its runs.
func (s *stack) cost(ctx context.Context, number string) (c cost, err error) {
	if err := s.client.GetWorkflow(ctx, number, "").Get(ctx, nil); err != nil {
		return c, fmt.Errorf("the workflow %s ended: %w", number, err)
	}
	for run := ""; ; {
		described, err := s.client.DescribeWorkflowExecution(ctx, number, run)
		if err != nil {
			return c, err
		}
		c.bytes += int(described.GetWorkflowExecutionInfo().GetHistorySizeBytes())
		history := s.client.GetWorkflowHistory(ctx, number, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		var bill bill
		for history.HasNext() {
			event, err := history.Next()
			if err != nil {
				return c, err
			}
			c.events++
			bill.add(event)
		}
		c.actions += bill.actions
		c.tasks += bill.tasks
		if run = bill.previous; run == "" {
			return c, nil
		}
	}
}

// bill counts what Temporal Cloud bills as actions (https://docs.temporal.io/cloud/actions): starts, signals, updates, timers,
// activities and their retries, changes of search attributes and memos, side effects, and the local activities of one
// workflow task as one.
type bill struct {
	actions, tasks int
	previous       string // run of which this is the continuation
	local          bool   // whether the current workflow task's local activities are counted
}

func (b *bill) add(event *historypb.HistoryEvent) {
	switch event.GetEventType() {
	case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
		b.tasks++
		b.local = false
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
		b.actions++
		b.previous = event.GetWorkflowExecutionStartedEventAttributes().GetContinuedExecutionRunId()
	case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
		enumspb.EVENT_TYPE_TIMER_STARTED, enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
		enumspb.EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED:
		b.actions++
	case enumspb.EVENT_TYPE_ACTIVITY_TASK_STARTED:
		b.actions += int(event.GetActivityTaskStartedEventAttributes().GetAttempt())
	case enumspb.EVENT_TYPE_MARKER_RECORDED:
		if event.GetMarkerRecordedEventAttributes().GetMarkerName() != "LocalActivity" {
			b.actions++
		} else if !b.local {
			b.actions++
			b.local = true
		}
	}
}
