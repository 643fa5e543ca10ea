package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
)

type workersCommands struct {
	List     workersList     `cmd:"" help:"List the versions of the workers, the newest first: which gets tasks, and how many workers and open tickets each has."`
	Ramp     workersRamp     `cmd:"" help:"Give a version a share of the tickets. The current version keeps the others."`
	Promote  workersPromote  `cmd:"" help:"Make a version current: it gets all tickets."`
	Rollback workersRollback `cmd:"" help:"End a ramp, or else make the version current again that was current before."`
}

// noDeployment is the value of the deployment's name that gives workers no version.
const noDeployment = "off"

// deployment returns the workers' deployment, or an error if workers have no versions.
func (n *dependencies) deployment() (*dispatch.Deployment, error) {
	if n.config.WorkerDeployment == noDeployment {
		return nil, errors.New("SUPPORTDESK_WORKER_DEPLOYMENT is off: workers have no versions")
	}
	return dispatch.NewDeployment(n.temporal, n.config.WorkerDeployment), nil
}

// withDeployment calls do with the workers' deployment. It needs Temporal and no database.
func (p *program) withDeployment(do func(*dispatch.Deployment) error) error {
	c, log, err := p.loadBy(config.LoadWithoutDatabase)
	if err != nil {
		return err
	}
	temporal, err := dispatch.Connect(dispatch.Options{Logger: log})
	if err != nil {
		return err
	}
	defer temporal.Close()
	d, err := (&dependencies{config: c, log: log, temporal: temporal}).deployment()
	if err != nil {
		return err
	}
	return do(d)
}

type workersList struct{}

func (workersList) Run(p *program) error { return p.withDeployment(p.listWorkers) }

// listWorkers lists the versions. If their tickets can't be counted, it returns the error after it has listed the rest.
func (p *program) listWorkers(d *dispatch.Deployment) error {
	s, err := p.deploymentState(d)
	if err != nil {
		return err
	}
	counting := p.askTemporal(func(ctx context.Context) error { return d.CountTickets(ctx, &s) })
	return errors.Join(p.printWorkers(d, s, counting == nil), counting)
}

func (p *program) deploymentState(d *dispatch.Deployment) (s dispatch.DeploymentState, err error) {
	err = p.askTemporal(func(ctx context.Context) (err error) {
		s, err = d.State(ctx)
		return err
	})
	return s, err
}

func (p *program) printWorkers(d *dispatch.Deployment, s dispatch.DeploymentState, counted bool) error {
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "VERSION\tSTATUS\tSHARE\tWORKERS\tOPEN TICKETS\tCREATED") // Flush returns its errors
	for _, v := range s.Versions {
		share, created, tickets := "-", "-", "-"
		if counted {
			tickets = strconv.FormatInt(v.Tickets, 10)
		}
		if v.Share > 0 || v.Build == s.Current {
			share = strconv.FormatFloat(float64(v.Share), 'g', -1, 32) + "%"
		}
		if !v.Created.IsZero() {
			created = v.Created.UTC().Format(time.RFC3339)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", dispatch.BuildName(v.Build), v.Status, share, v.Workers, tickets, created)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if s.Elsewhere > 0 {
		_, _ = fmt.Fprintf(p.stdout, "open tickets whose last task was taken by a version of another deployment: %d\n", s.Elsewhere)
	}
	for _, other := range s.Others() {
		_, _ = fmt.Fprintln(p.stdout, other)
	}
	if len(s.Others()) > 0 {
		_, _ = fmt.Fprintf(p.stdout, "supportdesk workers promote VERSION moves all tickets to a version of this deployment, %s\n", d.Name())
	}
	return nil
}

// buildArgument is a version as an argument.
type buildArgument string

func (b buildArgument) build() string {
	if string(b) == dispatch.BuildName(dispatch.Unversioned) {
		return dispatch.Unversioned
	}
	return string(b)
}

type workersRamp struct {
	Version buildArgument `arg:"" help:"As the list shows it."`
	Percent float32       `arg:"" help:"Share of the tickets, 0 to 100. 0 ends the ramp."`
}

func (c workersRamp) Run(p *program) error {
	if math.IsNaN(float64(c.Percent)) || c.Percent < 0 || c.Percent > 100 {
		return fault.New(fault.Invalid, "the share is not a number from 0 to 100: %v", c.Percent)
	}
	return p.withDeployment(func(d *dispatch.Deployment) error {
		return p.changeWorkers(d, func(ctx context.Context) error { return d.Ramp(ctx, c.Version.build(), c.Percent) })
	})
}

type workersPromote struct {
	Version buildArgument `arg:"" help:"As the list shows it; unversioned: workers without a version, such as those of a release before versions."`
	Force   bool          `help:"Also if no worker polls for this version any more, or if its workers lack a task queue of the current ones. Tickets then wait for workers."`
}

func (c workersPromote) Run(p *program) error {
	return p.withDeployment(func(d *dispatch.Deployment) error {
		return p.changeWorkers(d, func(ctx context.Context) error { return d.Promote(ctx, c.Version.build(), c.Force) })
	})
}

type workersRollback struct{}

// Run decides once what to go back to, because a change whose answer was lost may have been made.
func (workersRollback) Run(p *program) error {
	return p.withDeployment(func(d *dispatch.Deployment) error {
		s, err := p.deploymentState(d)
		if err != nil {
			return err
		}
		build, err := s.Previous()
		if err != nil {
			return err
		}
		back := func(ctx context.Context) error { return d.Promote(ctx, build, false) }
		if build == s.Current {
			back = func(ctx context.Context) error { return d.Ramp(ctx, s.Ramping, 0) }
		}
		return p.changeWorkers(d, back)
	})
}

// changeWorkers makes a change that may be made twice, waits while Temporal does not respond, and lists the versions. That these
// can't be listed is no error: what calls this command must not take the change for failed.
func (p *program) changeWorkers(d *dispatch.Deployment, change func(context.Context) error) error {
	if err := p.askTemporal(change); err != nil {
		return err
	}
	if err := p.listWorkers(d); err != nil {
		_, _ = fmt.Fprintf(p.stderr, "the change was made; list the versions: %v\n", err)
	}
	return nil
}

// askTemporal calls do, which may be done twice, again while Temporal does not respond, in a limited time.
func (p *program) askTemporal(do func(context.Context) error) error {
	return limited(p.ctx, temporalLimit, "Temporal", func(ctx context.Context) error { return retryUnavailable(ctx, do) })
}
