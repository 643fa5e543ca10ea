package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type noticeStore struct {
	all []desk.Emergency
	err error
}

func (w *noticeStore) Notices(context.Context) ([]desk.Emergency, error)     { return w.all, w.err }
func (w *noticeStore) Emergencies(context.Context) ([]desk.Emergency, error) { return w.all, w.err }

func closure(from, until time.Time) desk.Emergency {
	return desk.Emergency{Emergency: ticket.Emergency{Kind: ticket.EmergencyClosed, From: from, Until: until}}
}

func TestNotices_usesLastReadDuringOutage(t *testing.T) {
	now := time.Now()
	w := &noticeStore{err: fault.New(fault.Unavailable, "away")}
	b := app.NewNoticeBoard(w)
	if _, err := b.Notices(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("before the first answer: %v", err)
	}
	w.all, w.err = []desk.Emergency{closure(now.Add(-time.Hour), now.Add(time.Hour)), closure(now.Add(-time.Hour), now.Add(-time.Second))}, nil
	if notices, err := b.Notices(t.Context()); err != nil || len(notices) != 1 {
		t.Errorf("notices %v, %v", notices, err)
	}
	w.all, w.err = nil, fault.New(fault.Unavailable, "away")
	if notices, err := b.Notices(t.Context()); err != nil || len(notices) != 1 {
		t.Errorf("during the outage: %v, %v", notices, err)
	}
	w.err = nil
	if notices, err := b.Notices(t.Context()); err != nil || len(notices) != 0 {
		t.Errorf("after the end: %v, %v", notices, err)
	}
}

func TestPast_returnsRecentlyEndedEmergencies(t *testing.T) {
	now := time.Now()
	early, lately := closure(now.Add(-99*time.Hour), now.Add(-50*time.Hour)), closure(now.Add(-9*time.Hour), now.Add(-time.Hour))
	cancelled := closure(now.Add(-9*time.Hour), now.Add(-2*time.Hour))
	cancelled.Cancelled = now.Add(-10 * time.Hour)
	w := &noticeStore{all: []desk.Emergency{
		closure(now.Add(-999*time.Hour), now.Add(-900*time.Hour)), early, lately, closure(now.Add(-time.Hour), time.Time{}),
		cancelled,
	}}
	past, err := app.NewNoticeBoard(w).Past(t.Context(), now.Add(-100*time.Hour))
	if err != nil || len(past) != 2 || !past[0].Until.Equal(lately.Until) || !past[1].Until.Equal(early.Until) {
		t.Errorf("past %+v, %v", past, err)
	}
}
