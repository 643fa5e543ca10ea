package inbound

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// queue stores the mails that wait to be processed.
type queue interface {
	// ClaimIncoming claims the oldest mail that may be processed now.
	ClaimIncoming(ctx context.Context, attempt string, lasts time.Duration) (m desk.IncomingMail, found bool, err error)
	RenewIncoming(ctx context.Context, id int64, attempt string, lasts time.Duration) error
	// DeferIncoming ends an attempt. One that does not count because a neighbour was unavailable is not an attempt any more.
	// why is shown to staff.
	DeferIncoming(ctx context.Context, id int64, attempt string, counts bool, pause time.Duration, why string) error
	SettleIncoming(ctx context.Context, id int64, attempt string, r desk.IncomingResult) error
	// RecheckIncoming has mails processed again whose commands were refused, and returns how many there are.
	RecheckIncoming(context.Context) (refused int, err error)
	// NextIncoming returns when the next mail may be processed; the zero time if there is none.
	NextIncoming(context.Context) (time.Time, error)
	// AwaitIncoming calls wake immediately and whenever a mail is added, until ctx ends or the store fails.
	AwaitIncoming(ctx context.Context, wake func()) error
	authors
}

// authors knows the members of staff who send mails, and are notified if one is quarantined.
type authors interface {
	// StaffAuthor returns the member of staff who is proven to have sent a mail; empty: there is none.
	StaffAuthor(context.Context, desk.ReadMail) (ticket.PersonID, error)
	// QuarantineNotices counts the notices that a person was sent within the last hour.
	QuarantineNotices(context.Context, ticket.PersonID) (int, error)
}

// Process processes a mail. It is called again after a crash, so it must be idempotent. A permanent fault means that the mail
// can't be processed, and Unavailable that a neighbour did not answer.
type Process func(context.Context, desk.IncomingMail) (desk.IncomingResult, error)

const (
	parallel      = 4                // mails that are processed at once, so that a large one does not hold up the others
	maxAttempts   = 20               // that crashed or failed with a defect: then the mail is taken to be the cause; many, as a kill counts for all that are under way
	claimTime     = 30 * time.Second // after which an attempt counts as dead
	attemptTime   = 15 * time.Minute
	pollInterval  = 15 * time.Second
	checkInterval = 2 * time.Second // between looks at the outcomes of what mails became
	firstPause    = time.Second     // before the next attempt, while a neighbour is unavailable; doubles
	maxPause      = time.Minute
	maxLimited    = 15 * time.Minute // the same for a sender who has sent too much: else each of many mails is read again every minute
	pauseKept     = time.Hour        // after which another process has settled the mail, or a next pause may be short again
	outagePause   = 100 * time.Millisecond
	awayPauseMax  = 2 * time.Second
)

// Processor processes the mails that a Receiver stored. Several processes may run one each.
type Processor struct {
	queue   queue
	process Process
	log     *slog.Logger

	limit time.Duration // of an attempt

	mu     sync.Mutex
	pauses map[int64]pause // the last ones of mails that were deferred
}

// pause is the time for which a mail was deferred.
type pause struct {
	time.Duration
	since time.Time
}

// NewProcessor returns a Processor that calls process for each mail.
func NewProcessor(q queue, process Process, log *slog.Logger) *Processor {
	return &Processor{queue: q, process: process, log: log, limit: attemptTime, pauses: map[int64]pause{}}
}

// Run processes mails as they arrive until ctx ends, and then waits for those under way. Its error is always nil.
func (p *Processor) Run(ctx context.Context) error {
	polls := loop.New(p.outageOptions("can't look for incoming mails", "looking for incoming mails again"))
	slots := make(chan struct{}, parallel)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() {
		loop.Listen(ctx, p.outageOptions("not listening for incoming mails", "listening for incoming mails again"), p.queue.AwaitIncoming, polls.Wake)
	})
	checks := loop.New(p.outageOptions("can't look at the outcomes of incoming mails", "looking at the outcomes of incoming mails again"))
	group.Go(func() {
		_ = checks.Run(ctx, func(ctx context.Context) (time.Duration, error) {
			refused, err := p.queue.RecheckIncoming(ctx)
			if refused > 0 {
				p.log.Info("incoming mails are processed again, since their tickets refused them", "mails", refused)
				polls.Wake()
			}
			return checkInterval, err
		})
	})
	return polls.Run(ctx, func(ctx context.Context) (time.Duration, error) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return 0, nil
		}
		attempt := rand.Text()
		m, found, err := p.queue.ClaimIncoming(ctx, attempt, claimTime)
		if err != nil || !found {
			<-slots
			return p.untilNext(ctx, err)
		}
		group.Go(func() {
			defer polls.Wake() // the next mail of the same sender may wait for this one
			defer func() { <-slots }()
			p.attempt(ctx, m, attempt)
		})
		return 0, nil
	})
}

// attempt processes a claimed mail and records the result.
func (p *Processor) attempt(ctx context.Context, m desk.IncomingMail, attempt string) {
	ctx = logging.With(ctx, slog.Int64(logging.Mail, m.ID))
	limited, end := context.WithTimeout(ctx, p.limit)
	defer end()
	renew := loop.Every(limited, claimTime/4, func(ctx context.Context) {
		_ = p.queue.RenewIncoming(ctx, m.ID, attempt, claimTime) // the claim lasts for three more intervals
	})
	result, err := p.processOnce(limited, m)
	renew()
	stopping := ctx.Err() != nil
	counts := !stopping && (fault.KindOf(err) == fault.Internal || limited.Err() != nil)
	// What was processed is recorded even if the program is being stopped.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rowTimeout)
	defer cancel()
	if err != nil {
		// At least as long as the error asks for: else the many mails of a sender who has used up an allowance take others' turns.
		pause := max(p.pause(m.ID, err), retryAfter(err))
		p.log.WarnContext(ctx, "an incoming mail is processed again", "error", err, "pause", pause)
		err = p.queue.DeferIncoming(ctx, m.ID, attempt, counts, pause, why(err))
	} else {
		p.forget(m.ID)
		result.Author = p.notified(ctx, m, result)
		err = p.queue.SettleIncoming(ctx, m.ID, attempt, result)
		p.log.InfoContext(ctx, "incoming mail processed", "status", result.Status, "reason", result.Reason, "ticket", result.Ticket)
	}
	if err != nil {
		p.log.WarnContext(ctx, "the result of an incoming mail was not recorded", "error", err)
	}
}

// processOnce processes a mail. It returns the quarantine for a mail that can't be processed, so that it does not hold up
// others, and an error only if a neighbour is unavailable.
func (p *Processor) processOnce(ctx context.Context, m desk.IncomingMail) (r desk.IncomingResult, err error) {
	if m.Attempts > maxAttempts {
		return desk.Quarantined(desk.ReasonCrashed, fmt.Sprintf("%d attempts to process this email failed.", m.Attempts-1)), nil
	}
	defer func() {
		if cause := recover(); cause != nil {
			p.log.ErrorContext(ctx, "processing a mail panicked", "cause", cause, "stack", string(debug.Stack()))
			r, err = desk.Quarantined(desk.ReasonCrashed, "This email could not be processed because of a defect in the program."), nil
		}
	}()
	r, err = p.process(ctx, m)
	if err != nil && fault.KindOf(err).Permanent() {
		p.log.WarnContext(ctx, "an incoming mail is quarantined", "error", err)
		return desk.Quarantined(desk.ReasonCrashed, "This email could not be processed: "+err.Error()), nil
	}
	return r, err
}

// notified returns the author of a mail who is notified of its quarantine; empty: no one is. Of a mail that could not be processed only the
// envelope, and what an earlier attempt has read, says who sent it. A look-up that fails does not hold up the quarantine.
func (p *Processor) notified(ctx context.Context, m desk.IncomingMail, r desk.IncomingResult) (author ticket.PersonID) {
	author = r.Author
	var err error
	if r.Reason == desk.ReasonUnreadable || r.Reason == desk.ReasonCrashed {
		from := desk.Mailbox{Address: cmp.Or(m.Sender, m.ReturnPath)}
		author, err = p.queue.StaffAuthor(ctx, desk.ReadMail{IncomingMail: m, From: from, Addressed: m.Recipients})
	}
	before := 0
	if err == nil && author != "" {
		before, err = p.queue.QuarantineNotices(ctx, author)
	}
	if err != nil {
		p.log.WarnContext(ctx, "the author of a mail is not notified of its quarantine", "error", err)
		return ""
	}
	if !automatic.DefaultLimits().Allow(automatic.History{Sent: before}) {
		return ""
	}
	return author
}

// pause returns the pause before the next attempt with a mail, of which the last one ended with an error.
func (p *Processor) pause(id int64, err error) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	most := maxPause
	if fault.KindOf(err) == fault.Limited {
		most = maxLimited
	}
	next := min(max(firstPause, 2*p.pauses[id].Duration), most)
	maps.DeleteFunc(p.pauses, func(_ int64, last pause) bool { return time.Since(last.since) > pauseKept })
	p.pauses[id] = pause{next, time.Now()}
	return next
}

// why returns for staff why a mail waits.
func why(err error) string {
	f, is := errors.AsType[*fault.Error](err)
	switch {
	case is && f.Kind == fault.Limited:
		return "its sender has sent too much in a short time"
	case is && f.Kind != fault.Internal:
		return f.Message
	}
	return "an attempt to process it failed"
}

// retryAfter returns how long an error asks to wait; 0 if it doesn't say.
func retryAfter(err error) time.Duration {
	if f, is := errors.AsType[*fault.Error](err); is {
		return f.RetryAfter
	}
	return 0
}

func (p *Processor) forget(id int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.pauses, id)
}

// untilNext returns how long to wait before looking for the next mail.
func (p *Processor) untilNext(ctx context.Context, err error) (time.Duration, error) {
	if err != nil {
		return 0, err
	}
	due, err := p.queue.NextIncoming(ctx)
	return loop.Until(due, pollInterval), err
}

func (p *Processor) outageOptions(failing, recovered string) loop.Options {
	return loop.Options{First: outagePause, Max: awayPauseMax, Log: p.log, Failing: failing, Recovered: recovered}
}
