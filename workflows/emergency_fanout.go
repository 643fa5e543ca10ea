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
}

// due reports whether there is something to do now.
func (f Fanout) due() bool {
	return !f.Edge.At.IsZero() && f.Proven.IsZero() && f.Again.IsZero()
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
		return err
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
