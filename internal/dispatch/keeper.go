package dispatch

import (
	"context"
	"log/slog"
	"time"
)

// glanceAtEmergency is how often the workflow Emergency is looked after.
const glanceAtEmergency = time.Minute

type emergencyKeeper interface {
	KeepEmergency(context.Context) error
}

// Keeper sees to it that the workflow Emergency runs: it would be missed only when an edge goes by, so one that somebody
// has terminated is started anew before long.
type Keeper struct {
	keeper emergencyKeeper
	log    *slog.Logger
}

// NewKeeper makes one.
func NewKeeper(k emergencyKeeper, log *slog.Logger) *Keeper { return &Keeper{keeper: k, log: log} }

// Run keeps it until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	for failed := false; ; {
		trying, cancel := context.WithTimeout(ctx, attempt)
		err := k.keeper.KeepEmergency(trying)
		cancel()
		wait := glanceAtEmergency
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if !failed {
				k.log.Warn("the workflow Emergency can't be started", "error", err)
			}
			failed, wait = true, maxPause
		default:
			failed = false
		}
		if !sleep(ctx, wait) {
			return nil
		}
	}
}
