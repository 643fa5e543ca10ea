package app

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// noticeReader reads the emergencies that notices are made of.
type noticeReader interface {
	// Notices returns those in force or planned. It is cheap: every page and every mail asks.
	Notices(context.Context) ([]desk.Emergency, error)
	// Emergencies returns all there ever were.
	Emergencies(context.Context) ([]desk.Emergency, error)
}

// NoticeBoard is what every page says about emergencies. While PostgreSQL can't be reached it goes on with what it read
// last, as long as that holds by the clock.
type NoticeBoard struct {
	source noticeReader
	last   atomic.Pointer[[]desk.Emergency]
}

// NewNoticeBoard returns a board over a store.
func NewNoticeBoard(source noticeReader) *NoticeBoard { return &NoticeBoard{source: source} }

// Notices returns what is to be said now. It fails only as long as PostgreSQL has never answered.
func (b *NoticeBoard) Notices(ctx context.Context) ([]desk.Notice, error) {
	all, err := b.source.Notices(ctx)
	if err == nil {
		b.last.Store(&all)
	} else if known := b.last.Load(); known != nil {
		all = *known
	} else {
		return nil, err
	}
	return desk.NoticesAt(all, time.Now()), nil
}

// Named returns every emergency there ever was, by its ID.
func (b *NoticeBoard) Named(ctx context.Context) (map[ticket.EmergencyID]desk.Emergency, error) {
	all, err := b.source.Emergencies(ctx)
	if err != nil {
		return nil, err
	}
	named := make(map[ticket.EmergencyID]desk.Emergency, len(all))
	for _, e := range all {
		named[e.ID] = e
	}
	return named, nil
}

// Past returns what ended since an instant, the latest first.
func (b *NoticeBoard) Past(ctx context.Context, since time.Time) ([]desk.Emergency, error) {
	all, err := b.source.Emergencies(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	past := slices.DeleteFunc(slices.Clone(all), func(e desk.Emergency) bool {
		return e.Stage(now) != desk.StageOver || e.Until.Before(since)
	})
	slices.SortStableFunc(past, func(a, b desk.Emergency) int { return b.Until.Compare(a.Until) })
	return past, nil
}
