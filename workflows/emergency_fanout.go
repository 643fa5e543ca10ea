package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Fanout is how many open tickets have taken up a transition of the emergency schedule. It goes in rounds: a check
// returns who is behind, those are notified, and the next check returns who still is. Only a check ends it.
type Fanout struct {
	Transition ticket.Transition  `json:"transition"`
	Began      time.Time          `json:"began"`
	Total      int                `json:"total"`                // behind when it began
	Notified   int                `json:"notified"`             // signals sent, including repeated ones
	Round      int                `json:"round"`                // number of checks so far
	After      ticket.Number      `json:"after,omitempty"`      // the last one notified in this round
	RoundOver  bool               `json:"round_over,omitempty"` // this round has notified all
	Check      ticket.FanoutCheck `json:"check"`                // the last one
	RetryAt    time.Time          `json:"retry_at,omitzero"`    // the next round waits until then
	DoneAt     time.Time          `json:"done_at,omitzero"`     // zero: not yet

	Partials  int       `json:"partials,omitempty"` // how often it was announced to those whose tickets are right, because of others
	PartialAt time.Time `json:"partial_at,omitzero"`
}

// due reports whether there is something to do now.
func (f Fanout) due() bool {
	return !f.Transition.At.IsZero() && f.DoneAt.IsZero() && f.RetryAt.IsZero()
}

// partialDue is when those whose tickets are right are written to if the fan-out is not done by then; zero: never. It
// repeats with growing pauses, for those whose tickets have become right since.
func (f Fanout) partDue() time.Time {
	switch {
	case f.Transition.At.IsZero() || !f.DoneAt.IsZero():
		return time.Time{}
	case f.Partials == 0:
		return f.Began.Add(ticket.FanoutTimeout)
	}
	return f.PartialAt.Add(min(ticket.FanoutTimeout<<min(f.Partials-1, 10), maxFanoutPause))
}

// late reports whether to name the tickets that hold up the fan-out: all were notified, and it takes too long.
func (f Fanout) late(now time.Time) bool {
	return f.Round > 1 && f.DoneAt.IsZero() && len(f.Check.Late) > 0 && now.Sub(f.Began) >= ticket.FanoutTimeout
}

// maxFanoutPause is between rounds for tickets that take no step, because the worker that holds them was killed or
// because they are defective.
const maxFanoutPause = 10 * time.Minute

// fanOut does the next part of a fan-out: a check, or a slice of notifications.
func (w *emergencyWorkflow) fanOut(ctx workflow.Context) error {
	if w.fanout.Round == 0 || w.fanout.RoundOver {
		return w.checkTickets(ctx)
	}
	result, err := callNotifyTickets(ctx, ticket.FanoutRequest{
		Transition: w.fanout.Transition, ScheduleRevision: w.schedule.Revision, After: w.fanout.After,
		Total: w.fanout.Total, Notified: w.fanout.Notified, Began: w.fanout.Began,
	}, w.fanout)
	if err != nil {
		// Tickets that are still behind are notified again after the next check.
		workflow.GetLogger(ctx).Error("tickets could not be notified", "error", err)
		w.fanout.RoundOver = true
		return nil
	}
	w.fanout.After, w.fanout.RoundOver = result.After, result.Done
	w.fanout.Notified += result.Notified
	return nil
}

func (w *emergencyWorkflow) checkTickets(ctx workflow.Context) error {
	proof, err := callCheckTickets(ctx, w.fanout.Transition)
	if err != nil {
		return err
	}
	now, f := workflow.Now(ctx), &w.fanout
	if proof.Passed {
		w.stale = true                   // and readSchedule replaces this transition by the later one
		f.RetryAt = now.Add(time.Second) // in case it does not
		return nil
	}
	if f.Round == 0 {
		f.Total = proof.Left()
	}
	f.Check, f.After, f.RoundOver = proof, "", false
	switch f.Round++; {
	case proof.Left() == 0:
		f.DoneAt = now
		w.announce()
	case f.Round > 1:
		f.RetryAt = now.Add(min(time.Second<<min(f.Round-2, 10), maxFanoutPause))
	}
	return nil
}
