package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mailsAtOnce is how many mails one activity sends at most. It returns after a minute in any case, so that progress is
// shown.
const mailsAtOnce = 500

// AnnouncementState is what an announcer passes on to the next run. The zero value looks once whether any mail is left.
type AnnouncementState struct {
	Request ticket.AnnounceRequest `json:"request,omitzero"` // the last
	Pending bool                   `json:"pending,omitempty"`
	Idle    bool                   `json:"idle,omitempty"` // no mail was left
	Unsent  int                    `json:"unsent,omitempty"`
	Held    int                    `json:"held,omitempty"` // until their recipients' tickets are right
	Sent    int                    `json:"sent,omitempty"` // ever
}

// announcer announces emergencies beside the main loop: it records announcements once all tickets are checked, and has
// their mails sent. The two go on in parallel, so that an SMTP outage holds up neither the schedule nor an announcement
// that makes waiting mails obsolete.
type announcer struct {
	state        AnnouncementState
	mayHaveMails bool // there may be mails that the sending lane does not know of
	stopped      bool
	running      int
	stop         workflow.CancelFunc
	changed      workflow.Channel // a message when state has changed, so that the main loop shows it and ends a run that is full
}

// newAnnouncer starts both coroutines, which stopWork ends.
func newAnnouncer(ctx workflow.Context, in AnnouncementState) *announcer {
	h := &announcer{
		state: in, mayHaveMails: !in.Idle || in.Pending, running: 2,
		changed: workflow.NewNamedBufferedChannel(ctx, "herald", 1),
	}
	ctx, h.stop = workflow.WithCancel(ctx)
	workflow.GoNamed(ctx, "announce", h.prepareLoop)
	workflow.GoNamed(ctx, "send announcements", h.sendLoop)
	return h
}

// request requests what is to be announced, all open tickets being right up to an instant under a revision of the
// schedule. It is called after every fan-out, and for a revision that changed no ticket; with Unproven when a fan-out
// takes too long. What is announced follows from PostgreSQL, so repeated or late calls announce nothing twice.
func (h *announcer) request(r ticket.AnnounceRequest) {
	h.state.Request, h.state.Pending = r, true
}

// stopWork cancels what is under way. What is not done stays in state.
func (h *announcer) stopWork() {
	h.stopped = true
	h.stop()
}

// idle reports whether both coroutines have ended.
func (h *announcer) idle() bool { return h.running == 0 }

// line is part of the current details; empty if no mail is left.
func (h *announcer) line() string {
	if h.state.Unsent == 0 && h.state.Held == 0 {
		return ""
	}
	line := fmt.Sprintf("mails of announcements: %d sent so far, %d left", h.state.Sent, h.state.Unsent)
	if h.state.Held > 0 {
		line += fmt.Sprintf(", %d held back until their recipients' tickets are right", h.state.Held)
	}
	return line
}

func (h *announcer) prepareLoop(ctx workflow.Context) {
	defer func() { h.running-- }()
	for {
		if err := workflow.Await(ctx, func() bool { return h.state.Pending || h.stopped }); err != nil || h.stopped {
			return
		}
		asked := h.state.Request
		made, err := callPrepareAnnouncements(ctx, asked)
		if temporal.IsCanceledError(err) || h.stopped {
			return
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("nothing could be announced", "error", err)
		}
		h.state.Pending = h.state.Request != asked
		if err == nil && h.state.Held != made.Held {
			h.state.Held = made.Held
			h.changed.SendAsync(nil)
		}
		if made.Left > 0 {
			h.mayHaveMails, h.state.Idle, h.state.Unsent = true, false, made.Left
			h.changed.SendAsync(nil)
		}
	}
}

func (h *announcer) sendLoop(ctx workflow.Context) {
	defer func() { h.running-- }()
	for {
		if err := workflow.Await(ctx, func() bool { return h.mayHaveMails || h.stopped }); err != nil || h.stopped {
			return
		}
		h.mayHaveMails, h.state.Idle = false, false
		result, err := callSendAnnouncements(ctx, ticket.SendAnnouncementsRequest{Most: mailsAtOnce})
		if temporal.IsCanceledError(err) || h.stopped {
			return
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("announcements could not be sent", "error", err)
		}
		h.state.Sent += result.Sent
		h.state.Unsent = result.Left
		h.state.Idle = err == nil && result.Left == 0 && !h.mayHaveMails
		h.changed.SendAsync(nil)
		if result.Left > 0 {
			h.sleep(ctx, result.Next)
			h.mayHaveMails = true
		}
	}
}

// sleep waits until deferred mails may be tried again, or there are new ones.
func (h *announcer) sleep(ctx workflow.Context, until time.Time) {
	wait := until.Sub(workflow.Now(ctx))
	if wait <= 0 {
		return
	}
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: "until a mail server may be asked again"})
	_ = workflow.Await(ctx, func() bool { return timer.IsReady() || h.mayHaveMails || h.stopped }) // halted: the lane sees that itself
}

// callPrepareAnnouncements records announcements. It is retried until it succeeds.
func callPrepareAnnouncements(ctx workflow.Context, r ticket.AnnounceRequest) (result ticket.AnnounceResult, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Minute, // a row for each of a million people
		Summary:             "record announcements, with all tickets right up to " + instant(r.Proven),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 1.5, MaximumInterval: 10 * time.Second,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	err = workflow.ExecuteActivity(ctx, PrepareAnnouncementsActivity, r).Get(ctx, &result)
	return result, err
}

// callSendAnnouncements sends some mails. Time-outs and retries are those of every mail: see callMail.
func callSendAnnouncements(ctx workflow.Context, r ticket.SendAnnouncementsRequest) (result ticket.SendAnnouncementsResult, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           MailQueue,
		StartToCloseTimeout: mailTimeout,
		HeartbeatTimeout:    20 * time.Second,
		WaitForCancellation: true,
		Summary:             "mails of announcements",
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second,
			NonRetryableErrorTypes: permanentErrors,
		},
	})
	err = workflow.ExecuteActivity(ctx, SendAnnouncementsActivity, r).Get(ctx, &result)
	return result, err
}
