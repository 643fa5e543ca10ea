package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mailsAtOnce is the maximum number of mails of one activity, which also returns after a minute, so that progress is shown.
const mailsAtOnce = 500

// AnnouncementState is the state of an announcer that is passed on to the next run. With the zero value, the announcer
// checks once whether mails are left.
type AnnouncementState struct {
	Request ticket.AnnounceRequest `json:"request,omitzero"` // the last request
	Pending bool                   `json:"pending,omitempty"`
	Idle    bool                   `json:"idle,omitempty"` // no mail was left
	Unsent  int                    `json:"unsent,omitempty"`
	Held    int                    `json:"held,omitempty"` // until the tickets of their recipients have applied the transition
	Sent    int                    `json:"sent,omitempty"` // in all runs
}

// announcer announces emergencies in two coroutines beside the main loop: one records announcements, the other sends their
// mails. An SMTP outage therefore delays neither the schedule nor an announcement that makes waiting mails obsolete.
type announcer struct {
	state        AnnouncementState
	mayHaveMails bool // there may be mails that sendLoop does not know of
	stopped      bool
	running      int
	stop         workflow.CancelFunc
	changed      workflow.Channel // receives a message when state has changed, so that the main loop updates the details and may continue as new
}

// newAnnouncer starts both coroutines, which stopWork ends.
func newAnnouncer(ctx workflow.Context, in AnnouncementState) *announcer {
	a := &announcer{
		state: in, mayHaveMails: !in.Idle || in.Pending, running: 2,
		changed: workflow.NewNamedBufferedChannel(ctx, "announcements changed", 1),
	}
	ctx, a.stop = workflow.WithCancel(ctx)
	workflow.GoNamed(ctx, "announce", a.prepareLoop)
	workflow.GoNamed(ctx, "send announcements", a.sendLoop)
	return a
}

// request requests announcements up to an instant under a revision of the schedule. It is called after every fan-out, for a
// revision that changed no ticket, and as a partial one when a fan-out takes too long. PostgreSQL determines what is to be
// announced, so that repeated or late calls announce nothing twice.
func (a *announcer) request(r ticket.AnnounceRequest) {
	a.state.Request, a.state.Pending = r, true
}

// stopWork stops both coroutines and cancels activities under way. What is not done remains in state.
func (a *announcer) stopWork() {
	a.stopped = true
	a.stop()
}

// idle reports whether both coroutines have ended.
func (a *announcer) idle() bool { return a.running == 0 }

// line describes the mails that are left for the current details. It is empty if there are none.
func (a *announcer) line() string {
	if a.state.Unsent == 0 && a.state.Held == 0 {
		return ""
	}
	line := fmt.Sprintf("announcement emails: %d sent, %d left", a.state.Sent, a.state.Unsent)
	if a.state.Held > 0 {
		line += fmt.Sprintf(", %d held until their recipients' tickets are up to date", a.state.Held)
	}
	return line
}

// prepareLoop records announcements whenever they are requested.
func (a *announcer) prepareLoop(ctx workflow.Context) {
	defer func() { a.running-- }()
	for {
		if err := workflow.Await(ctx, func() bool { return a.state.Pending || a.stopped }); err != nil || a.stopped {
			return
		}
		request := a.state.Request
		result, err := callPrepareAnnouncements(ctx, request)
		if temporal.IsCanceledError(err) || a.stopped {
			return
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("nothing could be announced", "error", err)
		}
		a.state.Pending = a.state.Request != request
		if err == nil && a.state.Held != result.Held {
			a.state.Held = result.Held
			a.changed.SendAsync(nil)
		}
		if result.Left > 0 {
			a.mayHaveMails, a.state.Idle, a.state.Unsent = true, false, result.Left
			a.changed.SendAsync(nil)
		}
	}
}

// sendLoop sends mails of announcements while there are any.
func (a *announcer) sendLoop(ctx workflow.Context) {
	defer func() { a.running-- }()
	for {
		if err := workflow.Await(ctx, func() bool { return a.mayHaveMails || a.stopped }); err != nil || a.stopped {
			return
		}
		a.mayHaveMails, a.state.Idle = false, false
		result, err := callSendAnnouncements(ctx, ticket.SendAnnouncementsRequest{Most: mailsAtOnce})
		if temporal.IsCanceledError(err) || a.stopped {
			return
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("announcements could not be sent", "error", err)
		}
		a.state.Sent += result.Sent
		a.state.Unsent = result.Left
		a.state.Idle = err == nil && result.Left == 0 && !a.mayHaveMails
		a.changed.SendAsync(nil)
		if result.Left > 0 {
			a.sleep(ctx, result.Next)
			a.mayHaveMails = true
		}
	}
}

// sleep waits until deferred mails may be sent, or there are new mails.
func (a *announcer) sleep(ctx workflow.Context, until time.Time) {
	wait := until.Sub(workflow.Now(ctx))
	if wait <= 0 {
		return
	}
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: "retry sending announcements"})
	_ = workflow.Await(ctx, func() bool { return timer.IsReady() || a.mayHaveMails || a.stopped }) // if stopped, sendLoop returns
}

// callPrepareAnnouncements records announcements. It is retried until it succeeds.
func callPrepareAnnouncements(ctx workflow.Context, r ticket.AnnounceRequest) (result ticket.AnnounceResult, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Minute, // inserts a row for each of a million requesters
		Summary:             "record announcements; tickets are up to date as of " + instant(r.CheckedAt),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 1.5, MaximumInterval: 10 * time.Second,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	err = workflow.ExecuteActivity(ctx, PrepareAnnouncementsActivity, r).Get(ctx, &result)
	return result, err
}

// callSendAnnouncements sends some of the mails. Its time-outs are those of callMail.
func callSendAnnouncements(ctx workflow.Context, r ticket.SendAnnouncementsRequest) (result ticket.SendAnnouncementsResult, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           MailQueue,
		StartToCloseTimeout: mailTimeout,
		HeartbeatTimeout:    20 * time.Second,
		WaitForCancellation: true,
		Summary:             "send announcements",
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	err = workflow.ExecuteActivity(ctx, SendAnnouncementsActivity, r).Get(ctx, &result)
	return result, err
}
