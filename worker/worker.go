// Package worker registers the workflows and activities and tunes the workers that run them. It knows no environment,
// SQL or HTTP.
package worker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/workflows"
)

const (
	// drainTime limits how long work under way may go on after a worker is stopped.
	drainTime = 25 * time.Second
	// closeTime is the same for mails that a workflow task did not wait for, after that.
	closeTime = time.Second
)

// Options tune a worker process. A zero or negative field means its default.
type Options struct {
	Steps         int     // steps at once, across all tickets; default 16
	Mails         int     // mails at once; default 8
	MailPerSecond float64 // mails a second, across all workers; default 20
	CachedTickets int     // workflows kept in memory, at about 70 KB each; default 10,000

	Version  Version
	Identity string // of the process, by which Temporal lists its pollers; empty: chosen by the SDK
}

// Activities are the activities that a worker process registers.
type Activities struct {
	Steps       *activities.Steps
	Immediate   *activities.ImmediateMails // nil: no mail is sent within a workflow task
	Mails       *activities.Mails
	Webhooks    *activities.Webhooks    // nil: other workers call webhooks
	Emergencies *activities.Emergencies // nil: other workers run the emergency workflow

	Announcements *activities.Announcements // nil: other workers announce emergencies
}

func (o Options) withDefaults() Options {
	if o.Steps <= 0 {
		o.Steps = 16
	}
	if o.Mails <= 0 {
		o.Mails = 8
	}
	if o.MailPerSecond <= 0 {
		o.MailPerSecond = 20
	}
	if o.CachedTickets <= 0 {
		o.CachedTickets = 10_000
	}
	return o
}

// Run runs the workers until ctx ends, and then waits up to drainTime for work under way. It returns an error if a worker
// can't start or fails for good.
func Run(ctx context.Context, c client.Client, a Activities, o Options) error {
	o = o.withDefaults()
	worker.SetStickyWorkflowCacheSize(o.CachedTickets)
	failed := make(chan error, 4)
	onFatal := func(err error) {
		select {
		case failed <- err:
		default: // only the first failure is reported
		}
	}
	workers := []worker.Worker{ticketWorker(c, a, o, onFatal), mailWorker(c, a, o, onFatal)}
	if a.Webhooks != nil {
		workers = append(workers, webhookWorker(c, a.Webhooks, o, onFatal))
	}
	if a.Emergencies != nil {
		workers = append(workers, emergencyWorker(c, a, o, onFatal))
	}
	var started []worker.Worker
	defer func() {
		stopAll(started)
		if a.Immediate != nil {
			a.Immediate.Close(closeTime)
		}
	}()
	for _, w := range workers {
		if err := w.Start(); err != nil {
			return fmt.Errorf("start worker: %w", err)
		}
		started = append(started, w)
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return fmt.Errorf("worker: %w", err)
	}
}

// ticketWorker returns the worker of ticket workflows and their steps.
func ticketWorker(c client.Client, a Activities, o Options, onFatal func(error)) worker.Worker {
	w := o.newWorker(c, workflows.TicketQueue, worker.Options{
		MaxConcurrentLocalActivityExecutionSize: o.Steps,
		MaxConcurrentActivityExecutionSize:      o.Steps,
		MaxConcurrentWorkflowTaskExecutionSize:  2 * o.Steps,
		MaxConcurrentWorkflowTaskPollers:        o.Steps,         // the default of 2 lets many new tickets starve the old ones
		StickyScheduleToStartTimeout:            2 * time.Second, // after which another worker takes over from one that was killed
		WorkerStopTimeout:                       drainTime,
		OnFatalError:                            onFatal,
	})
	RegisterTickets(w, a.Steps)
	return w
}

// mailWorker returns the worker that sends mails of tickets and announcements.
func mailWorker(c client.Client, a Activities, o Options, onFatal func(error)) worker.Worker {
	w := o.newWorker(c, workflows.MailQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: o.Mails,
		TaskQueueActivitiesPerSecond:       o.MailPerSecond,
		DisableWorkflowWorker:              true,
		// An activity learns of its cancellation from a heartbeat, and a workflow waits for that before it continues as new.
		MaxHeartbeatThrottleInterval: 5 * time.Second,
		WorkerStopTimeout:            drainTime,
		OnFatalError:                 onFatal,
	})
	RegisterMails(w, a.Mails)
	if a.Announcements != nil {
		RegisterSendAnnouncements(w, a.Announcements)
	}
	return w
}

// webhookWorker returns the worker that calls webhooks. It has its own slots, so that a slow endpoint delays no mail.
func webhookWorker(c client.Client, a *activities.Webhooks, o Options, onFatal func(error)) worker.Worker {
	w := o.newWorker(c, workflows.WebhookQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: 8,
		DisableWorkflowWorker:              true,
		WorkerStopTimeout:                  drainTime,
		OnFatalError:                       onFatal,
	})
	RegisterWebhooks(w, a)
	return w
}

// emergencyWorker returns the worker of the emergency workflow. It has its own slots, so that a fan-out does not delay new
// commands.
func emergencyWorker(c client.Client, a Activities, o Options, onFatal func(error)) worker.Worker {
	w := o.newWorker(c, workflows.EmergencyQueue, worker.Options{
		MaxConcurrentActivityExecutionSize: 4,
		// Another worker resumes from the last heartbeat of one that was killed.
		MaxHeartbeatThrottleInterval: time.Second,
		StickyScheduleToStartTimeout: 2 * time.Second,
		WorkerStopTimeout:            drainTime,
		OnFatalError:                 onFatal,
	})
	RegisterEmergency(w, a.Emergencies)
	if a.Announcements != nil {
		RegisterPrepareAnnouncements(w, a.Announcements)
	}
	return w
}

// stopAll stops the workers in parallel, so that it takes no longer than one drainTime.
func stopAll(workers []worker.Worker) {
	var group sync.WaitGroup
	for _, w := range workers {
		group.Go(w.Stop)
	}
	group.Wait()
}

// RegisterTickets registers the ticket workflow, its step, and the local activity that sends a mail. The latter also for workers
// that send none within workflow tasks: other workers may have begun a history that continues with it.
func RegisterTickets(r worker.Registry, steps *activities.Steps) {
	r.RegisterWorkflowWithOptions(workflows.Ticket, workflow.RegisterOptions{Name: workflows.TicketWorkflow})
	r.RegisterActivityWithOptions(steps.Step, activity.RegisterOptions{Name: workflows.StepActivity})
	r.RegisterActivityWithOptions(steps.SendMailNow, activity.RegisterOptions{Name: workflows.SendNowActivity})
}

// RegisterMails registers the activity that sends ticket mails.
func RegisterMails(r worker.Registry, mails *activities.Mails) {
	r.RegisterActivityWithOptions(mails.Mail, activity.RegisterOptions{Name: workflows.MailActivity})
}

// RegisterWebhooks registers the activity that calls webhooks.
func RegisterWebhooks(r worker.Registry, calls *activities.Webhooks) {
	r.RegisterActivityWithOptions(calls.Call, activity.RegisterOptions{Name: workflows.WebhookActivity})
}

// RegisterEmergency registers the emergency workflow and its activities other than those of announcements.
func RegisterEmergency(r worker.Registry, a *activities.Emergencies) {
	r.RegisterWorkflowWithOptions(workflows.Emergency, workflow.RegisterOptions{Name: workflows.EmergencyWorkflow})
	for name, f := range map[string]any{
		workflows.ReadScheduleActivity: a.ReadSchedule, workflows.CheckTicketsActivity: a.CheckTickets,
		workflows.NotifyTicketsActivity: a.NotifyTickets, workflows.ManualCommandActivity: a.ExecuteManual,
	} {
		r.RegisterActivityWithOptions(f, activity.RegisterOptions{Name: name})
	}
}

// RegisterPrepareAnnouncements registers the activity that records announcements, for the queue of the emergency workflow.
func RegisterPrepareAnnouncements(r worker.Registry, a *activities.Announcements) {
	r.RegisterActivityWithOptions(a.Prepare, activity.RegisterOptions{Name: workflows.PrepareAnnouncementsActivity})
}

// RegisterSendAnnouncements registers the activity that sends announcements, for the queue of mails.
func RegisterSendAnnouncements(r worker.Registry, a *activities.Announcements) {
	r.RegisterActivityWithOptions(a.Send, activity.RegisterOptions{Name: workflows.SendAnnouncementsActivity})
}
