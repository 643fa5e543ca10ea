package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Fanout is how far open tickets have come to know of an edge. It goes in rounds: a proof says who is behind, those are
// told, and the next proof says whether they have taken it up. Only a proof ends it.
type Fanout struct {
	Edge   ticket.Edge   `json:"edge"`
	Began  time.Time     `json:"began"`
	Total  int           `json:"total"`           // behind when it began
	Told   int           `json:"told"`            // signals sent, those sent again too
	Round  int           `json:"round"`           // the proof that it goes by; 0: none yet
	After  ticket.Number `json:"after,omitempty"` // the last one told in this round
	Over   bool          `json:"over,omitempty"`  // this round has told everybody
	Proof  ticket.Proof  `json:"proof"`           // the last one
	Again  time.Time     `json:"again,omitzero"`  // the next round waits until then
	Proven time.Time     `json:"proven,omitzero"` // zero: not yet

	InPart   int       `json:"in_part,omitempty"` // how often it was announced to those whose tickets are right, because of others
	InPartAt time.Time `json:"in_part_at,omitzero"`
}

// due reports whether there is something to do now.
func (f Fanout) due() bool {
	return !f.Edge.At.IsZero() && f.Proven.IsZero() && f.Again.IsZero()
}

// partDue is when those whose tickets are right are to be told, if the fan-out is not proven by then; zero: never. It
// comes again with growing pauses, for those whose tickets have become right since.
func (f Fanout) partDue() time.Time {
	switch {
	case f.Edge.At.IsZero() || !f.Proven.IsZero():
		return time.Time{}
	case f.InPart == 0:
		return f.Began.Add(ticket.FanoutPatience)
	}
	return f.InPartAt.Add(min(ticket.FanoutPatience<<min(f.InPart-1, 10), longestPause))
}

// late reports whether tickets are named that hold up the fan-out: everybody was told, and it takes too long.
func (f Fanout) late(now time.Time) bool {
	return f.Round > 1 && f.Proven.IsZero() && len(f.Proof.Late) > 0 && now.Sub(f.Began) >= ticket.FanoutPatience
}

// longestPause is between rounds for tickets that don't take up what they are told, because a worker that has them was
// killed or because something is wrong with them.
const longestPause = 10 * time.Minute

// spread takes the next step of a fan-out: a proof, or a slice of the telling.
func (w *vigil) spread(ctx workflow.Context) error {
	if w.fanout.Round == 0 || w.fanout.Over {
		return w.prove(ctx)
	}
	result, err := callTell(ctx, ticket.FanoutRequest{
		Edge: w.fanout.Edge, Gate: w.outlook.Revision, After: w.fanout.After,
		Total: w.fanout.Total, Told: w.fanout.Told, Began: w.fanout.Began,
	}, w.fanout)
	if err != nil {
		// Whoever is behind still is told again after the next proof, and waits for none of the others.
		workflow.GetLogger(ctx).Error("tickets could not be told", "error", err)
		w.fanout.Over = true
		return nil
	}
	w.fanout.After, w.fanout.Over = result.After, result.Over
	w.fanout.Told += result.Told
	return nil
}

func (w *vigil) prove(ctx workflow.Context) error {
	proof, err := callProve(ctx, w.fanout.Edge)
	if err != nil {
		return err
	}
	now, f := workflow.Now(ctx), &w.fanout
	if proof.Passed {
		w.stale = true                 // and look puts the later edge in the place of this one
		f.Again = now.Add(time.Second) // should it not, that is no reason to ask without a pause
		return nil
	}
	if f.Round == 0 {
		f.Total = proof.Left()
	}
	f.Proof, f.After, f.Over = proof, "", false
	switch f.Round++; {
	case proof.Left() == 0:
		f.Proven = now
		w.announce()
	case f.Round > 1:
		f.Again = now.Add(min(time.Second<<min(f.Round-2, 10), longestPause))
	}
	return nil
}
