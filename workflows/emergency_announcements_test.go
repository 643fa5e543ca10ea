package workflows_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// announcerFixture answers what an announcer asks for, in skipped time.
type announcerFixture struct {
	env       *testsuite.TestWorkflowEnvironment
	mu        sync.Mutex // activities run beside each other
	announced []int64    // revisions
	sent      int        // calls
	last      time.Time  // of them
	left      []ticket.SendAnnouncementsResult
	away      bool // the mail server
}

func newAnnouncerFixture() *announcerFixture {
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	w := &announcerFixture{env: suite.NewTestWorkflowEnvironment()}
	w.env.SetStartTime(begin)
	w.env.RegisterActivityWithOptions(func(_ context.Context, r ticket.AnnounceRequest) (ticket.AnnounceResult, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.announced = append(w.announced, r.Revision)
		return ticket.AnnounceResult{Announcements: 1, Left: len(w.left)}, nil
	}, activity.RegisterOptions{Name: workflows.PrepareAnnouncementsActivity})
	w.env.RegisterActivityWithOptions(func(context.Context, ticket.SendAnnouncementsRequest) (result ticket.SendAnnouncementsResult, err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.sent++
		w.last = w.env.Now()
		if w.away {
			return result, fault.New(fault.Unavailable, "the mail server cannot be reached")
		}
		if len(w.left) > 0 {
			result, w.left = w.left[0], w.left[1:]
		}
		return result, nil
	}, activity.RegisterOptions{Name: workflows.SendAnnouncementsActivity})
	return w
}

func (w *announcerFixture) run(t *testing.T, in workflows.AnnouncementState, second, halt time.Duration) (out workflows.AnnouncementState) {
	t.Helper()
	w.env.ExecuteWorkflow(workflows.RunAnnouncer, in, second, halt)
	if err := w.env.GetWorkflowResult(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAnnouncer_sendsUntilNothingIsLeft(t *testing.T) {
	w := newAnnouncerFixture()
	w.left = []ticket.SendAnnouncementsResult{{Sent: 500, Left: 700}, {Sent: 500, Left: 200}, {Sent: 199, Left: 1, Next: begin.Add(time.Hour)}, {Sent: 1}}
	out := w.run(t, workflows.AnnouncementState{}, 2*time.Hour, time.Minute)
	if out.Sent != 1200 || out.Unsent != 0 || !out.Idle || out.Pending || fmt.Sprint(w.announced) != "[1 2]" {
		t.Errorf("%+v, announced %v in %d calls", out, w.announced, w.sent)
	}
}

// A mail that a server has deferred is left alone until its time.
func TestAnnouncer_waitsForDeferredMails(t *testing.T) {
	w := newAnnouncerFixture()
	w.left = []ticket.SendAnnouncementsResult{{Left: 1, Next: begin.Add(3 * time.Hour)}, {Sent: 1}}
	if out := w.run(t, workflows.AnnouncementState{Idle: true}, 24*time.Hour, 0); w.sent != 2 || out.Sent != 1 || w.last.Before(begin.Add(3*time.Hour)) {
		t.Errorf("%d calls, the last at %s, %+v", w.sent, w.last, out)
	}
}

// A mail server that is away for a day holds up neither the schedule nor the next announcement.
func TestAnnouncer_announcesWhileTheMailServerIsAway(t *testing.T) {
	w := newAnnouncerFixture()
	w.away = true
	out := w.run(t, workflows.AnnouncementState{}, 24*time.Hour, time.Hour)
	if fmt.Sprint(w.announced) != "[1 2]" || out.Idle || w.sent < 10 { // the test environment ends retries after ten
		t.Errorf("announced %v, %d tries, %+v", w.announced, w.sent, out)
	}
	again := newAnnouncerFixture()
	again.left = []ticket.SendAnnouncementsResult{{Sent: 7}}
	if out := again.run(t, out, time.Minute, time.Minute); out.Sent != 7 || !out.Idle {
		t.Errorf("the next run %+v", out)
	}
}
