package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

// gate is what the workflow Emergency is to be told of: its revision, while that is news.
type gate interface {
	UntoldGate(context.Context) (revision int64, untold bool, err error)
	GateTold(ctx context.Context, revision int64) error
}

type gateTeller interface {
	TellGate(ctx context.Context, revision int64) error
}

// Crier tells the workflow Emergency whenever the gate was changed: at once when Temporal answers, later when it doesn't.
// It is told of the newest revision, at least once. Whoever changes the gate calls Wake; Run does the rest.
type Crier struct {
	gate   gate
	teller gateTeller
	loop   *loop.Loop
}

// NewCrier makes a crier between the gate and the workflow.
func NewCrier(g gate, t gateTeller, log *slog.Logger) *Crier {
	return &Crier{gate: g, teller: t, loop: loop.New(loop.Options{
		First: minPause, Max: maxPause, Log: log,
		Failing: "the gate's change waits to be told", Recovered: "the gate's changes are told again",
	})}
}

// Wake has a change told at once. It never blocks.
func (c *Crier) Wake() { c.loop.Wake() }

// Run tells until ctx ends.
func (c *Crier) Run(ctx context.Context) error {
	return c.loop.Run(ctx, func(ctx context.Context) (time.Duration, error) { return sweep, c.tell(ctx) })
}

func (c *Crier) tell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	revision, untold, err := c.gate.UntoldGate(ctx)
	if err != nil || !untold {
		return err
	}
	if err := c.teller.TellGate(ctx, revision); err != nil {
		return err
	}
	return c.gate.GateTold(ctx, revision)
}
