package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mailsAtOnce is how many mails one activity sends at most. It ends earlier when a minute has passed, so that what is
// left is known and shown.
const mailsAtOnce = 500

// Heralded is what a herald hands to the next run. The zero value looks once whether any mail is left.
type Heralded struct {
	Proven  ticket.AnnounceRequest `json:"proven,omitzero"` // the last that it was told
	Waiting bool                   `json:"waiting,omitempty"`
	Idle    bool                   `json:"idle,omitempty"` // no mail was left
	Left    int                    `json:"left,omitempty"`
	Held    int                    `json:"held,omitempty"` // until their recipients' tickets are right
	Sent    int                    `json:"sent,omitempty"` // ever
}

// herald tells people of emergencies beside the main loop: it has announcements written down once all tickets are
// proven right, and their mails sent. The two go side by side: a mail server that is away holds up neither the gate nor
// the announcement that makes its waiting mails obsolete.
type herald struct {
	state   Heralded
	fresh   bool // there may be mails that the sending lane does not know of
	stopped bool
	running int
	stop    workflow.CancelFunc
	news    workflow.Channel // a message when state has changed: whoever waits for something else shows it, and ends a run that is full
}

// newHerald starts both lanes. They end with halt.
func newHerald(ctx workflow.Context, in Heralded) *herald {
	h := &herald{
		state: in, fresh: !in.Idle || in.Waiting, running: 2,
		news: workflow.NewNamedBufferedChannel(ctx, "herald", 1),
	}
	ctx, h.stop = workflow.WithCancel(ctx)
	workflow.GoNamed(ctx, "announce", h.announce)
	workflow.GoNamed(ctx, "send announcements", h.send)
	return h
}

// tell says that every open ticket is right up to an instant, under a revision of the gate. It is to be called after
// every reconciliation, and for a revision that moved no ticket; with Unproven when one takes too long. Whatever there is to
// announce follows from PostgreSQL: told twice or late, it announces nothing twice.
func (h *herald) tell(r ticket.AnnounceRequest) {
	h.state.Proven, h.state.Waiting = r, true
}

// halt withdraws what is under way. What is not done stays in state.
func (h *herald) halt() {
	h.stopped = true
	h.stop()
}

// idle reports that halt has been obeyed.
func (h *herald) idle() bool { return h.running == 0 }

// line is for people who read the workflow's details; empty when no mail is left.
func (h *herald) line() string {
	if h.state.Left == 0 && h.state.Held == 0 {
		return ""
	}
	line := fmt.Sprintf("mails of announcements: %d sent so far, %d left", h.state.Sent, h.state.Left)
	if h.state.Held > 0 {
		line += fmt.Sprintf(", %d held back until their recipients' tickets are right", h.state.Held)
	}
	return line
}

func (h *herald) announce(ctx workflow.Context) {
	defer func() { h.running-- }()
	for {
		if err := workflow.Await(ctx, func() bool { return h.state.Waiting || h.stopped }); err != nil || h.stopped {
			return
		}
		asked := h.state.Proven
		made, err := callAnnounce(ctx, asked)
		if temporal.IsCanceledError(err) || h.stopped {
			return
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("nothing could be announced", "error", err)
		}
		h.state.Waiting = h.state.Proven != asked
		if err == nil && h.state.Held != made.Held {
			h.state.Held = made.Held
			h.news.SendAsync(nil)
		}
		if made.Left > 0 {
			h.fresh, h.state.Idle, h.state.Left = true, false, made.Left
			h.news.SendAsync(nil)
		}
	}
}

func (h *herald) send(ctx workflow.Context) {
	defer func() { h.running-- }()
	for {
		if err := workflow.Await(ctx, func() bool { return h.fresh || h.stopped }); err != nil || h.stopped {
			return
		}
		h.fresh, h.state.Idle = false, false
		result, err := callAnnouncements(ctx, ticket.AnnouncementsRequest{Most: mailsAtOnce})
		if temporal.IsCanceledError(err) || h.stopped {
			return
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("announcements could not be sent", "error", err)
		}
		h.state.Sent += result.Sent
		h.state.Left = result.Left
		h.state.Idle = err == nil && result.Left == 0 && !h.fresh
		h.news.SendAsync(nil)
		if result.Left > 0 {
			h.sleep(ctx, result.Next)
			h.fresh = true
		}
	}
}

// sleep waits for mails that a server has put off, unless there are others before.
func (h *herald) sleep(ctx workflow.Context, until time.Time) {
	wait := until.Sub(workflow.Now(ctx))
	if wait <= 0 {
		return
	}
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	timer := workflow.NewTimerWithOptions(ctx, wait, workflow.TimerOptions{Summary: "until a mail server may be asked again"})
	_ = workflow.Await(ctx, func() bool { return timer.IsReady() || h.fresh || h.stopped }) // halted: the lane sees that itself
}

// callAnnounce has announcements written down. It is retried until it is done.
func callAnnounce(ctx workflow.Context, r ticket.AnnounceRequest) (result ticket.AnnounceResult, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: 10 * time.Minute, // a row for each of a million people
		Summary:             "whom to tell, with all tickets right up to " + instant(r.Proven),
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 1.5, MaximumInterval: 10 * time.Second,
			NonRetryableErrorTypes: permanent,
		},
	})
	err = workflow.ExecuteActivity(ctx, AnnounceActivity, r).Get(ctx, &result)
	return result, err
}

// callAnnouncements sends some mails. Time-outs and retries are those of every mail: see callMail.
func callAnnouncements(ctx workflow.Context, r ticket.AnnouncementsRequest) (result ticket.AnnouncementsResult, err error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           MailQueue,
		StartToCloseTimeout: mailTime,
		HeartbeatTimeout:    20 * time.Second,
		WaitForCancellation: true,
		Summary:             "mails of announcements",
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 15 * time.Second,
			NonRetryableErrorTypes: permanent,
		},
	})
	err = workflow.ExecuteActivity(ctx, AnnouncementsActivity, r).Get(ctx, &result)
	return result, err
}
