package workflows_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/temporaltest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/worker"
	"github.com/holesalemart/supportdesk/workflows"
)

const emergencyHistories = "testdata/emergencies"

// The workflow Emergency lives for years: whatever its code of any release asked for, today's asks for too.
func TestReplay_everyStoredEmergencyGoesTheSameWay(t *testing.T) {
	if *record {
		recordEmergency(t)
	}
	files, err := filepath.Glob(filepath.Join(emergencyHistories, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d histories: %v", len(files), err)
	}
	checkReplays(t, files)
}

// TestReplay_noticesAnEmergencyThatGoesAnotherWay: else the test above would prove nothing.
func TestReplay_noticesAnEmergencyThatGoesAnotherWay(t *testing.T) {
	other := func(ctx workflow.Context, in workflows.EmergencyStart) error {
		if err := workflow.Sleep(ctx, time.Second); err != nil {
			return err
		}
		return workflows.Emergency(ctx, in)
	}
	if err := replayEmergency(storedIn(emergencyHistories, "closed"), other); err == nil {
		t.Error("it sleeps first, and no one notices")
	}
}

func replayEmergency(file string, code func(workflow.Context, workflows.EmergencyStart) error) error {
	replayer := sdkworker.NewWorkflowReplayer()
	replayer.RegisterWorkflowWithOptions(code, workflow.RegisterOptions{Name: workflows.EmergencyWorkflow})
	return replayer.ReplayWorkflowHistoryFromJSONFile(log.NewStructuredLogger(slog.New(slog.DiscardHandler)), file)
}

// recordEmergency plays one on a real server: planned, begun, one ticket notified twice, manual commands, ended.
func recordEmergency(t *testing.T) {
	if storedIn(emergencyHistories, "closed") != "" {
		return // append-only
	}
	file := filepath.Join(emergencyHistories, release+"-closed.json")
	h := newEmergencyFixture(t, 20)
	h.clock = time.Now
	h.ignoring[ticketNumber(3)] = 1
	c, err := client.Dial(client.Options{HostPort: temporaltest.Start(t).HostPort, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	h.startWorkers(t, c)
	signal := func(name string, payload any) {
		if _, err := c.SignalWithStartWorkflow(t.Context(), workflows.EmergencyID, name, payload,
			client.StartWorkflowOptions{TaskQueue: workflows.EmergencyQueue}, workflows.EmergencyWorkflow, workflows.EmergencyStart{}); err != nil {
			t.Fatal(err)
		}
	}
	first := time.Now().Truncate(time.Second).Add(3 * time.Second)
	h.change(ticket.Emergency{ID: strike, Kind: ticket.EmergencyClosed, From: first, Until: first.Add(8 * time.Second)})
	signal(workflows.ScheduleSignal, workflows.ScheduleChanged{Revision: 1})
	signal("lift", "refuse")
	signal("nonsense", nil)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for report := (workflows.EmergencyReport{}); report.Fanout.Transition.Verb != ticket.VerbEmergencyResume || report.Fanout.DoneAt.IsZero() || len(report.Outcomes) == 0; {
		value, err := c.QueryWorkflow(ctx, workflows.EmergencyID, "", workflows.EmergencyQuery)
		if err == nil {
			err = value.Get(&report)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(emergencyHistories, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, file, fetch(t, c, workflows.EmergencyID))
	writeFile(t, golden(file), []byte(replay(t, file)))
}

// startWorkers runs the emergency workflow and its activities on a real server.
func (h *emergencyFixture) startWorkers(t *testing.T, c client.Client) {
	t.Helper()
	emergency := sdkworker.New(c, workflows.EmergencyQueue, sdkworker.Options{})
	mail := sdkworker.New(c, workflows.MailQueue, sdkworker.Options{})
	worker.RegisterEmergency(emergency, activities.NewEmergencies(h, h, h, h, h.parts))
	emergency.RegisterActivityWithOptions(h.announce, activity.RegisterOptions{Name: workflows.PrepareAnnouncementsActivity})
	mail.RegisterActivityWithOptions(h.announcements, activity.RegisterOptions{Name: workflows.SendAnnouncementsActivity})
	for _, w := range []sdkworker.Worker{emergency, mail} {
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Stop)
	}
}
