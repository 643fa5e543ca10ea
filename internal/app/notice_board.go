package app

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// noticeReader reads the emergencies whose notices are shown.
type noticeReader interface {
	// Notices returns the emergencies in force or planned. It is cheap, since every page and every mail needs them.
	Notices(context.Context) ([]desk.Emergency, error)
	// Emergencies returns all emergencies, past ones included.
	Emergencies(context.Context) ([]desk.Emergency, error)
}

// NoticeBoard provides the notices that every page shows. While the store is unavailable it uses what it read last.
type NoticeBoard struct {
	source noticeReader
	last   atomic.Pointer[[]desk.Emergency]
}

// NewNoticeBoard returns a NoticeBoard over a store.
func NewNoticeBoard(source noticeReader) *NoticeBoard { return &NoticeBoard{source: source} }

// Notices returns the current notices. It returns an error only if the store has been unavailable from the start.
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

// Named returns all emergencies by ID.
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

// Past returns the emergencies that ended at an instant or later, latest end first.
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
