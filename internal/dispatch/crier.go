package dispatch

import (
	"context"
	"log/slog"
	"time"
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
	log    *slog.Logger
	wake   chan struct{}
}

// NewCrier makes a crier between the gate and the workflow.
func NewCrier(g gate, t gateTeller, log *slog.Logger) *Crier {
	return &Crier{gate: g, teller: t, log: log, wake: make(chan struct{}, 1)}
}

// Wake tells the crier that the gate was changed. It never blocks.
func (c *Crier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default: // it has been told
	}
}

// Run tells until ctx ends.
func (c *Crier) Run(ctx context.Context) error {
	pause := time.Duration(0)
	for {
		err := c.tell(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if pause == 0 {
				c.log.Warn("the gate's change waits to be told", "error", err)
			}
			pause = min(max(2*pause, 100*time.Millisecond), maxPause)
		case pause > 0:
			c.log.Info("the gate's changes are told again")
			pause = 0
		}
		if !c.wait(ctx, pause) {
			return nil
		}
	}
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

// wait returns when there may be something to tell; false when ctx has ended. While a neighbour is away, being woken does
// not make it come back.
func (c *Crier) wait(ctx context.Context, pause time.Duration) bool {
	if pause > 0 {
		return sleep(ctx, pause)
	}
	timer := time.NewTimer(sweep)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-c.wake:
	case <-timer.C:
	}
	return true
}
