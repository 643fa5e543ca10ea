package desk

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergencies is where what there is to say comes from.
type emergencies interface {
	// Notices gives what is in force or planned, at little cost: every page and every mail asks.
	Notices(context.Context) ([]Emergency, error)
	// Emergencies gives all there ever were.
	Emergencies(context.Context) ([]Emergency, error)
}

// Board is the notice board that every page shows. What it knew last it goes on showing while PostgreSQL is away, for
// as long as it holds by the clock.
type Board struct {
	source emergencies
	last   atomic.Pointer[[]Emergency]
}

// NewBoard makes a board.
func NewBoard(source emergencies) *Board { return &Board{source: source} }

// Notices gives what is to be said now. It fails only as long as PostgreSQL has never answered.
func (b *Board) Notices(ctx context.Context) ([]Notice, error) {
	all, err := b.source.Notices(ctx)
	if err == nil {
		b.last.Store(&all)
	} else if known := b.last.Load(); known != nil {
		all = *known
	} else {
		return nil, err
	}
	return NoticesAt(all, time.Now()), nil
}

// Named gives every emergency there ever was by what tickets call it.
func (b *Board) Named(ctx context.Context) (map[ticket.EmergencyID]Emergency, error) {
	all, err := b.source.Emergencies(ctx)
	if err != nil {
		return nil, err
	}
	named := make(map[ticket.EmergencyID]Emergency, len(all))
	for _, e := range all {
		named[e.ID] = e
	}
	return named, nil
}

// Past gives what ended since an instant, the latest first.
func (b *Board) Past(ctx context.Context, since time.Time) ([]Emergency, error) {
	all, err := b.source.Emergencies(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	past := slices.DeleteFunc(slices.Clone(all), func(e Emergency) bool {
		return e.Stage(now) != StageOver || e.Until.Before(since)
	})
	slices.SortStableFunc(past, func(a, b Emergency) int { return b.Until.Compare(a.Until) })
	return past, nil
}
