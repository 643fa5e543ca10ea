package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	deploymentpb "go.temporal.io/api/deployment/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/workflows"
)

// Deployment is the Worker Deployment of the desk: the versions of its workers, and which of them Temporal gives tasks.
type Deployment struct {
	temporal *Temporal
	name     string
}

// NewDeployment returns the deployment with a name.
func NewDeployment(t *Temporal, name string) *Deployment { return &Deployment{temporal: t, name: name} }

// Name returns the deployment's name.
func (d *Deployment) Name() string { return d.name }

// Unversioned is the build of workers without a version.
const Unversioned = ""

// DeploymentVersion is the state of one version of the workers.
type DeploymentVersion struct {
	Build     string // Unversioned: workers without a version
	Status    string // current, ramping, inactive, draining or drained
	Share     float32
	Created   time.Time
	Activated time.Time // when it first became current or ramping; zero: never
	Retired   time.Time // when it stopped being either; zero: not
	Workers   int       // that poll for tickets
	Tickets   int64     // open ones whose last workflow task it completed
}

// DeploymentState is the state of all versions.
type DeploymentState struct {
	Current  string // build of the version that gets the tasks
	Ramping  string // build of the version that gets a share of them; Unversioned with Share 0: none
	Share    float32
	Changed  time.Time           // when a version was last made current; zero: never
	Holder   Holder              // another deployment that gets the tickets instead; zero: none does
	Ramper   Holder              // another deployment that gets a share of them; zero: none does
	Versions []DeploymentVersion // the newest first; workers without a version last, if there are any

	Elsewhere int64 // open tickets whose last workflow task a version of another deployment completed

	token []byte
}

// Holder is the current or ramping version of the tickets' task queue, if that is another deployment's. A task queue has one current
// and one ramping version among those of all deployments: those that were set last.
type Holder struct {
	Deployment string
	Build      string
	Share      float32 // percentage of the tickets that a ramping version gets; 0: it is the current version
	Workers    int     // that poll for tickets
}

// String returns a sentence about a holder, for people.
func (h Holder) String() string {
	if h.Share > 0 {
		return fmt.Sprintf("the deployment %s ramps its version %s, which gets %v%% of the tickets (workers that poll: %d)",
			h.Deployment, BuildName(h.Build), h.Share, h.Workers)
	}
	return fmt.Sprintf("the deployment %s has the task queue of tickets: its version %s gets them (workers that poll: %d)",
		h.Deployment, BuildName(h.Build), h.Workers)
}

// Others returns the other deployments that get tickets.
func (s DeploymentState) Others() []Holder { return holders(s.Holder, s.Ramper) }

// holders returns those that are not zero.
func holders(all ...Holder) []Holder {
	return slices.DeleteFunc(all, func(h Holder) bool { return h == Holder{} })
}

// version returns the state of a version, and false if Temporal does not know it.
func (s DeploymentState) version(build string) (DeploymentVersion, bool) {
	i := slices.IndexFunc(s.Versions, func(v DeploymentVersion) bool { return v.Build == build })
	if i < 0 {
		return DeploymentVersion{}, false
	}
	return s.Versions[i], true
}

// State returns the state of the deployment, without the numbers of tickets. A deployment that no worker has joined has none.
func (d *Deployment) State(ctx context.Context) (DeploymentState, error) {
	queue, err := d.queue(ctx)
	if err != nil {
		return DeploymentState{}, err
	}
	described, err := d.temporal.WorkflowService().DescribeWorkerDeployment(ctx, &workflowservice.DescribeWorkerDeploymentRequest{
		Namespace: d.temporal.Namespace, DeploymentName: d.name,
	})
	if _, missing := errors.AsType[*serviceerror.NotFound](err); err != nil && !missing {
		return DeploymentState{}, refused(err, "describe the deployment "+d.name)
	}
	info := described.GetWorkerDeploymentInfo()
	routing := info.GetRoutingConfig()
	s := DeploymentState{
		Current: routing.GetCurrentDeploymentVersion().GetBuildId(), Ramping: routing.GetRampingDeploymentVersion().GetBuildId(),
		Share: routing.GetRampingVersionPercentage(), Changed: instant(routing.GetCurrentVersionChangedTime()),
		Holder: queue.holder, Ramper: queue.ramper, token: described.GetConflictToken(),
	}
	for _, v := range info.GetVersionSummaries() {
		s.Versions = append(s.Versions, s.describe(v, queue.workers))
	}
	slices.SortFunc(s.Versions, func(a, b DeploymentVersion) int { return b.Created.Compare(a.Created) })
	if queue.workers[Unversioned] > 0 || s.Current == Unversioned && len(s.Versions) > 0 && s.Holder == (Holder{}) {
		s.Versions = append(s.Versions, s.describe(nil, queue.workers))
	}
	return s, nil
}

// describe returns the state of a version; nil: of workers without one.
func (s DeploymentState) describe(v *deploymentpb.WorkerDeploymentInfo_WorkerDeploymentVersionSummary, workers map[string]int) DeploymentVersion {
	build := v.GetDeploymentVersion().GetBuildId()
	described := DeploymentVersion{
		Build: build, Status: "inactive", Workers: workers[build], Created: instant(v.GetCreateTime()),
		Activated: instant(v.GetFirstActivationTime()), Retired: instant(v.GetLastDeactivationTime()),
	}
	switch v.GetDrainageInfo().GetStatus() {
	case enumspb.VERSION_DRAINAGE_STATUS_DRAINING:
		described.Status = "draining"
	case enumspb.VERSION_DRAINAGE_STATUS_DRAINED:
		described.Status = "drained"
	}
	switch {
	case s.Holder != (Holder{}): // which version of this deployment is current has no effect
		if build == s.Current && build != Unversioned {
			described.Status = "current"
		}
	case build == s.Current:
		described.Status, described.Share = "current", 100-cmp.Or(s.Ramper.Share, s.Share)
	case build == s.Ramping && s.Share > 0 && s.Ramper == (Holder{}):
		described.Status, described.Share = "ramping", s.Share
	}
	return described
}

// instant returns a time that may be missing.
func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// ticketQueue is what Temporal knows of the tickets' task queue.
type ticketQueue struct {
	workers map[string]int // number of workers that poll, by build; without those of other deployments
	current string         // build of the current version, if that is this deployment's
	holder  Holder         // the current version, if that is another deployment's
	ramper  Holder         // the ramping version, if that is another deployment's
}

// queue describes the tickets' task queue.
func (d *Deployment) queue(ctx context.Context) (ticketQueue, error) {
	described, err := New(d.temporal, Pages{}).describeQueue(ctx, workflows.TicketQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return ticketQueue{}, err
	}
	q := ticketQueue{workers: map[string]int{}}
	routing := described.GetVersioningInfo()
	current := routing.GetCurrentDeploymentVersion()
	switch {
	case current.GetBuildId() == Unversioned:
	case current.GetDeploymentName() == d.name:
		q.current = current.GetBuildId()
	default:
		q.holder = Holder{Deployment: current.GetDeploymentName(), Build: current.GetBuildId()}
	}
	if ramping, share := routing.GetRampingDeploymentVersion(), routing.GetRampingVersionPercentage(); share > 0 &&
		ramping.GetBuildId() != Unversioned && ramping.GetDeploymentName() != d.name {
		q.ramper = Holder{Deployment: ramping.GetDeploymentName(), Build: ramping.GetBuildId(), Share: share}
	}
	for _, p := range described.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) > pollAge(enumspb.TASK_QUEUE_TYPE_WORKFLOW) {
			continue
		}
		switch o := p.GetDeploymentOptions(); {
		case o.GetWorkerVersioningMode() != enumspb.WORKER_VERSIONING_MODE_VERSIONED:
			q.workers[Unversioned]++
		case o.GetDeploymentName() == d.name:
			q.workers[o.GetBuildId()]++
		case q.holder.is(o):
			q.holder.Workers++
		case q.ramper.is(o):
			q.ramper.Workers++
		}
	}
	return q, nil
}

// is reports whether a worker with options is one of the version.
func (h Holder) is(o *deploymentpb.WorkerDeploymentOptions) bool {
	return o.GetDeploymentName() == h.Deployment && o.GetBuildId() == h.Build
}

// allTickets is the share of a ramping version that leaves none to the current one.
const allTickets = 100

// Holds returns an error if another deployment has the tickets' task queue, or a ramp that takes them all, so that this one's
// workers get no tickets.
func (d *Deployment) Holds(ctx context.Context) error {
	q, err := d.queue(ctx)
	if err != nil {
		return err
	}
	if q.holder != (Holder{}) {
		return fault.New(fault.Unavailable, "%s", q.holder)
	}
	if q.ramper.Share >= allTickets {
		return fault.New(fault.Unavailable, "%s", q.ramper)
	}
	return nil
}

// Others returns the other deployments that get tickets.
func (d *Deployment) Others(ctx context.Context) ([]Holder, error) {
	q, err := d.queue(ctx)
	return holders(q.holder, q.ramper), err
}

// quoted returns a string of a query.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Promote makes a version current: it gets all tasks from then on, also those of workflows that other versions began. It
// refuses a version that no worker polls for, or whose workers lack a task queue of the current ones, unless force is set, and always
// one that never had a worker. It ends the ramp of another deployment, which would keep its share otherwise.
func (d *Deployment) Promote(ctx context.Context, build string, force bool) error {
	s, err := d.State(ctx)
	if err != nil {
		return err
	}
	if err := d.polled(s, build); err != nil && !force {
		return err
	}
	if _, known := s.version(build); !known && build != Unversioned {
		return fault.New(fault.NotFound, "the deployment %s has no version %s: no worker of it has ever polled", d.name, build)
	}
	if s.Ramper != (Holder{}) {
		if err := NewDeployment(d.temporal, s.Ramper.Deployment).endRamp(ctx, DeploymentState{}); err != nil {
			return fmt.Errorf("of the deployment %s: %w", s.Ramper.Deployment, err)
		}
	}
	return d.setCurrent(ctx, s, build, force)
}

// setCurrent makes a version current, and takes the task queue from another deployment: without that, making the version
// current that is already would change nothing.
func (d *Deployment) setCurrent(ctx context.Context, s DeploymentState, build string, force bool) error {
	if s.Holder != (Holder{}) {
		if err := d.release(ctx, s.Holder.Deployment); err != nil {
			return err
		}
	}
	_, err := d.handle().SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{
		BuildID: build, ConflictToken: s.token, IgnoreMissingTaskQueues: force, AllowNoPollers: force,
	})
	return refused(err, fmt.Sprintf("make version %s current", BuildName(build)))
}

// release has another deployment give up the task queue.
func (d *Deployment) release(ctx context.Context, deployment string) error {
	_, err := NewDeployment(d.temporal, deployment).handle().SetCurrentVersion(ctx, client.WorkerDeploymentSetCurrentVersionOptions{
		IgnoreMissingTaskQueues: true, AllowNoPollers: true,
	})
	return refused(err, "take the task queue from the deployment "+deployment)
}

// Ramp gives a version a share of the tasks, in percent: those of the tickets whose numbers fall into it, new or not. The
// current version keeps the rest. A share of 0 ends the ramp.
func (d *Deployment) Ramp(ctx context.Context, build string, share float32) error {
	s, err := d.State(ctx)
	if err != nil {
		return err
	}
	if share == 0 {
		return d.endRamp(ctx, s)
	}
	if err := d.polled(s, build); err != nil {
		return err
	}
	if build == s.Current {
		return fault.New(fault.Conflict, "version %s is current, so it gets all tickets that are not of a ramping version: ramp another one", BuildName(build))
	}
	_, err = d.handle().SetRampingVersion(ctx, client.WorkerDeploymentSetRampingVersionOptions{
		BuildID: build, Percentage: share, ConflictToken: s.token,
	})
	return refused(err, fmt.Sprintf("ramp version %s", BuildName(build)))
}

func (d *Deployment) endRamp(ctx context.Context, s DeploymentState) error {
	_, err := d.handle().SetRampingVersion(ctx, client.WorkerDeploymentSetRampingVersionOptions{ConflictToken: s.token})
	return refused(err, "end the ramp")
}

// Previous returns the version that gets all tasks after a rollback: while another one is ramping, the current one, else
// the one that was current or ramping before.
func (s DeploymentState) Previous() (build string, err error) {
	if s.Share > 0 {
		return s.Current, nil
	}
	var previous DeploymentVersion
	for _, v := range s.Versions {
		if v.Build != s.Current && v.Retired.After(previous.Retired) {
			previous = v
		}
	}
	if previous.Retired.IsZero() {
		return "", fault.New(fault.Conflict, "no version had tasks before %s", BuildName(s.Current))
	}
	return previous.Build, nil
}

// polled returns an error unless a worker polls for a version.
func (d *Deployment) polled(s DeploymentState, build string) error {
	if v, _ := s.version(build); v.Workers == 0 {
		return fault.New(fault.Conflict, "no worker polls for version %s", BuildName(build))
	}
	return nil
}

func (d *Deployment) handle() client.WorkerDeploymentHandle {
	return d.temporal.WorkerDeploymentClient().GetHandle(d.name)
}

// BuildName returns a build ID for people.
func BuildName(build string) string { return cmp.Or(build, "unversioned") }

// refused maps the errors of requests about deployments to kinds. Temporal's own message says what it refuses.
func refused(err error, doing string) error {
	if precondition, ok := errors.AsType[*serviceerror.FailedPrecondition](err); ok {
		return fmt.Errorf("%s: %w", doing, fault.New(fault.Conflict, "%s", precondition.Message))
	}
	if missing, ok := errors.AsType[*serviceerror.NotFound](err); ok {
		return fmt.Errorf("%s: %w", doing, fault.New(fault.NotFound, "%s", missing.Message))
	}
	return kind(err, doing)
}
