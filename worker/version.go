package worker

import (
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Version is a Worker Deployment Version: the code that a worker runs.
type Version struct {
	Deployment string // groups the versions; empty: the worker has no version
	Build      string
}

// newWorker returns a worker of a task queue with the process's identity and version. A workflow moves to another version
// with its next task, because tickets live for weeks and old versions are not kept for them.
func (o Options) newWorker(c client.Client, queue string, tuning worker.Options) worker.Worker {
	tuning.Identity = o.Identity
	if o.Version.Deployment != "" {
		tuning.DeploymentOptions = worker.DeploymentOptions{
			UseVersioning:             true,
			Version:                   worker.WorkerDeploymentVersion{DeploymentName: o.Version.Deployment, BuildID: o.Version.Build},
			DefaultVersioningBehavior: workflow.VersioningBehaviorAutoUpgrade,
		}
	}
	return worker.New(c, queue, tuning)
}
