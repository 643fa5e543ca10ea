package dispatch

import (
	"context"
	"fmt"

	"go.temporal.io/api/workflowservice/v1"
	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/workflows"
)

// CountTickets adds the number of open tickets of each version, as Temporal's visibility store knows it, which lags. Those that no
// version has taken on are listed with the workers without a version, also if no such worker polls.
func (d *Deployment) CountTickets(ctx context.Context, s *DeploymentState) error {
	if _, listed := s.version(Unversioned); !listed {
		s.Versions = append(s.Versions, DeploymentVersion{Build: Unversioned, Status: "inactive"})
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(countedAtOnce)
	count := func(into *int64, where string) {
		group.Go(func() (err error) {
			*into, err = d.count(ctx, where)
			return err
		})
	}
	for i := range s.Versions {
		v := &s.Versions[i]
		if v.Build == Unversioned {
			count(&v.Tickets, "TemporalWorkerDeploymentVersion IS NULL")
		} else {
			count(&v.Tickets, "TemporalWorkerDeploymentVersion = "+quoted(d.name+":"+v.Build))
		}
	}
	count(&s.Elsewhere, "TemporalWorkerDeployment IS NOT NULL AND TemporalWorkerDeployment != "+quoted(d.name))
	if err := group.Wait(); err != nil {
		return err
	}
	last := len(s.Versions) - 1
	if rest := s.Versions[last]; rest.Workers == 0 && rest.Tickets == 0 && rest.Status == "inactive" {
		s.Versions = s.Versions[:last]
	}
	return nil
}

// countedAtOnce is for how many versions tickets are counted at the same time.
const countedAtOnce = 8

// count counts the open tickets that meet a condition.
func (d *Deployment) count(ctx context.Context, where string) (int64, error) {
	counted, err := d.temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: d.temporal.Namespace,
		Query:     fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND %s", workflows.TicketWorkflow, where),
	})
	return counted.GetCount(), kind(err, "count the tickets of a version")
}
