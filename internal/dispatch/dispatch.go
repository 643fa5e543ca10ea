// Package dispatch is the sole user of the Temporal client: it starts and signals workflows, and registers
// the search attributes. It sends numbers and IDs, never words. It knows neither SQL nor HTTP.
package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/log"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// Options says where Temporal is. Empty fields are taken from Temporal's own environment variables and profile
// (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS…).
type Options struct {
	Address   string // host:port
	Namespace string
	Logger    *slog.Logger
}

// Temporal is a client that knows its namespace.
type Temporal struct {
	client.Client
	Namespace string
}

// Connect makes a client that connects when it is first used: Temporal may be away while the desk accepts tickets.
func Connect(o Options) (*Temporal, error) {
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return nil, fmt.Errorf("read Temporal's environment: %w", err)
	}
	if o.Address != "" {
		options.HostPort = o.Address
	}
	if o.Namespace != "" {
		options.Namespace = o.Namespace
	}
	if o.Logger != nil {
		options.Logger = log.NewStructuredLogger(o.Logger)
	}
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("set up the Temporal client: %w", err)
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	return &Temporal{Client: c, Namespace: options.Namespace}, nil
}

// taskTimeout is how long a promise waits for a worker that was killed while it held the workflow's task.
const taskTimeout = 5 * time.Second

// Dispatcher tells workflows what was accepted.
type Dispatcher struct{ client client.Client }

// New makes a dispatcher on a client.
func New(c client.Client) *Dispatcher { return &Dispatcher{client: c} }

// guide is what Temporal UI shows beside every ticket's card, for a supervisor who has nothing else.
const guide = `The query **ticket** tells everything, with the ledgers of both promises.

Signals by hand, with JSON: **assign** {"agent": "handle"}, **reclassify** {"priority": "high"} or {"category": "…"},
**emergency-extend** {"seconds": 3600}; without: **resolve**, **reopen**, **close**, **acknowledge-escalation**,
**emergency-pause**, **emergency-resume**. What can't be done is refused with an event.`

// Deliver tells a ticket's workflow of a command. Told twice, it changes nothing. A workflow that Temporal does not
// have is started, also by a later command: the first step finds in PostgreSQL how far the ticket has come. One that
// has ended well needs to be told nothing, since a ticket's last step takes whatever was accepted before it, and a closed
// ticket accepts nothing but that a mail be sent again: for that it is started anew. So is one that was terminated by
// hand, or failed.
func (d *Dispatcher) Deliver(ctx context.Context, delivery desk.Delivery) error {
	id, start, options := workflows.TicketID(delivery.Number), workflows.Start{Number: delivery.Number}, options(delivery.Number)
	if delivery.Command.Verb.Fits(ticket.StatusClosed) {
		options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	var err error
	if delivery.Command.Verb == ticket.VerbSubmit {
		_, err = d.client.ExecuteWorkflow(ctx, options, workflows.TicketWorkflow, start)
	} else {
		_, err = d.client.SignalWithStartWorkflow(ctx, id, string(delivery.Command.Verb), signal(delivery.Command),
			options, workflows.TicketWorkflow, start)
	}
	if _, ended := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); ended {
		return nil
	}
	return kind(err, fmt.Sprintf("deliver command %d of ticket %s", delivery.Command.Seq, delivery.Number))
}

// options start a ticket's workflow unless it runs or has ended well.
func options(n ticket.Number) client.StartWorkflowOptions {
	id := workflows.TicketID(n)
	return client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                workflows.TicketQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "ticket " + id,
		StaticDetails:            guide,
		WorkflowTaskTimeout:      taskTimeout,
	}
}

// signal leaves out the category: until a step has checked it, it is what somebody typed.
func signal(c ticket.Command) workflows.Signal {
	return workflows.Signal{
		Seq: c.Seq, By: c.By, At: c.At,
		Agent: c.Handle, Priority: c.Priority,
		Emergency: c.Emergency, Seconds: int64(c.Extension.Seconds()), Policy: c.Policy,
	}
}

// Ready reports whether Temporal answers.
func (d *Dispatcher) Ready(ctx context.Context) error {
	_, err := d.client.CheckHealth(ctx, &client.CheckHealthRequest{})
	return kind(err, "ask Temporal for its health")
}

// kind maps what the service says to what whoever asked can do about it.
func kind(err error, doing string) error {
	if err == nil {
		return nil
	}
	k, message := fault.Unavailable, "Temporal does not answer"
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		k, message = fault.NotFound, "there is no such workflow"
	}
	if _, ok := errors.AsType[*serviceerror.InvalidArgument](err); ok {
		k, message = fault.Internal, "Temporal refuses the request"
	}
	return fmt.Errorf("%s: %w", doing, fault.Wrap(err, k, "%s", message))
}
