// Package dispatch is the sole user of the Temporal client: it starts and signals workflows, and registers
// the search attributes. It sends numbers and IDs, never text that people wrote. It knows neither SQL nor HTTP.
package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// Options locate Temporal. Empty fields are taken from Temporal's own environment variables and profile
// (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS…).
type Options struct {
	Address   string // host:port
	Namespace string
	Logger    *slog.Logger

	Metrics     client.MetricsHandler         // of the SDK; nil: none
	Interceptor interceptor.ClientInterceptor // also of workers, if it is one for them; nil: none
}

// Temporal is a client that knows its namespace.
type Temporal struct {
	client.Client
	Namespace string
}

// Connect returns a client that connects on first use: tickets are accepted while Temporal is down.
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
	if o.Metrics != nil {
		options.MetricsHandler = o.Metrics
	}
	if o.Interceptor != nil {
		options.Interceptors = append(options.Interceptors, o.Interceptor)
	}
	if onThisMachine(cmp.Or(options.HostPort, client.DefaultHostPort)) {
		options.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	}
	share, err := shareMetadata()
	if err != nil {
		return nil, fmt.Errorf("set up the interceptor of payloads: %w", err)
	}
	options.ConnectionOptions.DialOptions = append(options.ConnectionOptions.DialOptions, share)
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("set up the Temporal client: %w", err)
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	return &Temporal{Client: c, Namespace: options.Namespace}, nil
}

// onThisMachine reports whether an address is of this machine, to which compressing requests saves nothing.
func onThisMachine(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

// taskTimeout is how long a workflow task waits for a worker that was killed while it held it.
const taskTimeout = 5 * time.Second

// Pages are the addresses of pages for staff that Temporal UI links to. Empty ones are left out.
type Pages struct {
	Ticket      string // of a ticket, up to its number
	Emergencies string
}

func (p Pages) ticket(n ticket.Number) string {
	if p.Ticket == "" {
		return ""
	}
	return p.Ticket + string(n)
}

// Dispatcher starts and signals workflows.
type Dispatcher struct {
	client client.Client
	pages  Pages
}

// New returns a dispatcher that uses c.
func New(c client.Client, pages Pages) *Dispatcher { return &Dispatcher{client: c, pages: pages} }

// guide is shown in Temporal UI beside a ticket's current details, for a supervisor who has nothing else. Every history
// repeats it, so of a verb's help it has the name and the example of its input only.
var guide = sync.OnceValue(func() string {
	var with, without []string
	for _, d := range ticket.Definitions() {
		switch start := strings.Index(d.Manual, "{"); {
		case d.Manual == "":
		case start < 0 || strings.Contains(d.Manual, "No input"):
			without = append(without, "**"+string(d.Verb)+"**")
		default:
			with = append(with, "**"+string(d.Verb)+"** "+d.Manual[start:])
		}
	}
	return "The query **ticket** returns the same and more, as JSON.\n\nManual commands, as signals or updates with JSON: " +
		strings.Join(with, "; ") + ". Without: " + strings.Join(without, ", ") + ". A refusal is recorded as an event."
})

// Deliver signals a command to a ticket's workflow. It is idempotent. A missing workflow is started by any command: its first
// step reads the ticket's state from PostgreSQL. So is one that was terminated or failed. One that has completed is left
// alone, since the last step of a ticket took all commands accepted before it; only a command that a closed ticket accepts,
// to send a mail again, starts it anew.
func (d *Dispatcher) Deliver(ctx context.Context, delivery desk.AcceptedCommand) error {
	id, start, options := workflows.TicketID(delivery.Number), d.start(delivery.Number), d.options(delivery.Number)
	if delivery.Command.Verb.Fits(ticket.StatusClosed) {
		options.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	}
	var err error
	if delivery.Command.Verb == ticket.VerbSubmit {
		options.Memo[memoAccepted] = delivery.Command.At
		if delivery.Expected != nil { // the first step changes those that turn out to be different
			options.TypedSearchAttributes = workflows.StartAttributes(*delivery.Expected)
		}
		_, err = d.client.ExecuteWorkflow(ctx, options, workflows.TicketWorkflow, start)
		if _, invalid := errors.AsType[*serviceerror.InvalidArgument](err); invalid && delivery.Expected != nil {
			// The namespace may lack the attributes, as a lost one does that was registered anew. The worker registers them.
			options.TypedSearchAttributes = temporal.SearchAttributes{}
			_, err = d.client.ExecuteWorkflow(ctx, options, workflows.TicketWorkflow, start)
		}
	} else {
		_, err = d.client.SignalWithStartWorkflow(ctx, id, string(delivery.Command.Verb), signal(delivery),
			options, workflows.TicketWorkflow, start)
	}
	if _, ended := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); ended {
		return nil
	}
	return kind(err, fmt.Sprintf("deliver command %d of ticket %s", delivery.Command.Seq, delivery.Number))
}

// ToRunning returns a dispatcher of commands to tickets whose workflow runs.
func (d *Dispatcher) ToRunning() RunningDispatcher { return RunningDispatcher{d} }

// RunningDispatcher signals workflows that run, and starts none.
type RunningDispatcher struct{ *Dispatcher }

// Deliver signals a command to a ticket's workflow, which must be running. It is idempotent.
func (d RunningDispatcher) Deliver(ctx context.Context, delivery desk.AcceptedCommand) error {
	err := d.client.SignalWorkflow(ctx, workflows.TicketID(delivery.Number), "", string(delivery.Command.Verb), signal(delivery))
	return kind(err, fmt.Sprintf("signal command %d of ticket %s", delivery.Command.Seq, delivery.Number))
}

// The keys of a ticket's memo, which Temporal UI shows while no worker runs.
const (
	memoPage     = "page"
	memoState    = "state"
	memoAccepted = "accepted"
)

// stateHint is in the memo, since a memo that changed with the ticket would cost an event each time.
const stateHint = "The search attributes and the result of the last Step show the ticket's state even if no worker is running. " +
	"Current details and queries need a worker."

// start is the input of a ticket's first run.
func (d *Dispatcher) start(n ticket.Number) workflows.Start {
	return workflows.Start{Number: n, Page: d.pages.ticket(n)}
}

// options start a ticket's workflow unless it runs or has completed.
func (d *Dispatcher) options(n ticket.Number) client.StartWorkflowOptions {
	memo := map[string]any{memoState: stateHint}
	if page := d.pages.ticket(n); page != "" {
		memo[memoPage] = page
	}
	id := workflows.TicketID(n)
	return client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                workflows.TicketQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "ticket " + id,
		StaticDetails:            guide(),
		WorkflowTaskTimeout:      taskTimeout,
		Memo:                     memo,
	}
}

// signal omits the category: until a step has validated it, it is text that a person typed.
func signal(d desk.AcceptedCommand) workflows.Signal {
	c := d.Command
	s := workflows.Signal{
		Seq: c.Seq, By: cmp.Or(d.Actor, string(c.By.Role)), At: c.At, Priority: c.Priority,
		Emergency: c.Emergency, Seconds: int64(c.Extension.Seconds()), Policy: c.Policy,
	}
	if c.Assignee != "" {
		s.Agent = c.Handle
	}
	return s
}

// Ready reports whether Temporal answers.
func (d *Dispatcher) Ready(ctx context.Context) error {
	_, err := d.client.CheckHealth(ctx, &client.CheckHealthRequest{})
	return kind(err, "ask Temporal for its health")
}

// kind maps errors of the Temporal service to fault kinds.
func kind(err error, doing string) error {
	if err == nil {
		return nil
	}
	k, message := fault.Unavailable, "Temporal is not responding"
	if _, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		k, message = fault.NotFound, "there is no such workflow"
	}
	if _, ok := errors.AsType[*serviceerror.InvalidArgument](err); ok {
		k, message = fault.Internal, "Temporal refuses the request"
	}
	return fmt.Errorf("%s: %w", doing, fault.Wrap(err, k, "%s", message))
}
