package dispatch

import (
	"context"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/workflows"
)

// polledTypes are the types of tasks that the workers of each queue poll for. The steps of tickets are local activities.
var polledTypes = map[string][]enumspb.TaskQueueType{
	workflows.TicketQueue:    {enumspb.TASK_QUEUE_TYPE_WORKFLOW},
	workflows.EmergencyQueue: {enumspb.TASK_QUEUE_TYPE_WORKFLOW, enumspb.TASK_QUEUE_TYPE_ACTIVITY},
	workflows.MailQueue:      {enumspb.TASK_QUEUE_TYPE_ACTIVITY},
	workflows.WebhookQueue:   {enumspb.TASK_QUEUE_TYPE_ACTIVITY},
}

// pollAge is the age of a poller's last poll up to which it counts as polling. Temporal records the beginning of a poll,
// which lasts up to a minute, and the next one may wait until a task ends: sending an email seldom takes more than two minutes.
func pollAge(of enumspb.TaskQueueType) time.Duration {
	if of == enumspb.TASK_QUEUE_TYPE_ACTIVITY {
		return 200 * time.Second
	}
	return 90 * time.Second
}

// Polled returns an error unless the worker with an identity polls a task queue as far as Temporal knows. It says why not.
func (d *Dispatcher) Polled(ctx context.Context, queue, identity string) error {
	for _, of := range polledTypes[queue] {
		described, err := d.describeQueue(ctx, queue, of)
		if err != nil {
			return err
		}
		if err := polled(described.GetPollers(), queue, identity, time.Now(), pollAge(of)); err != nil {
			return err
		}
	}
	return nil
}

// polled returns an error unless one of a task queue's pollers has an identity and has polled recently.
func polled(pollers []*taskqueuepb.PollerInfo, queue, identity string, now time.Time, limit time.Duration) error {
	var last time.Time
	for _, p := range pollers {
		if p.GetIdentity() == identity {
			last = p.GetLastAccessTime().AsTime()
		}
	}
	switch age := now.Sub(last); {
	case last.IsZero():
		return fault.New(fault.Unavailable, "this worker does not poll the task queue %s", queue)
	case age > limit:
		return fault.New(fault.Unavailable, "this worker has not polled the task queue %s for %s", queue, age.Round(time.Second))
	}
	return nil
}

// describeQueue describes a task queue: the pollers of the last minutes, of all versions, and the current version.
func (d *Dispatcher) describeQueue(ctx context.Context, queue string, of enumspb.TaskQueueType) (*workflowservice.DescribeTaskQueueResponse, error) {
	described, err := d.client.DescribeTaskQueue(ctx, queue, of)
	if noNamespace(err) {
		return nil, fault.Wrap(err, fault.NotFound, "Temporal lacks the namespace")
	}
	return described, kind(err, fmt.Sprintf("describe the task queue %s", queue))
}
