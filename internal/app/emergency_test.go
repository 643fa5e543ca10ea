package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// countingStore is a store without emergencies whose CountAffected blocks until goOn is closed.
type countingStore struct {
	begun, goOn chan struct{}
}

var errCounted = errors.New("counted")

func (c countingStore) Notices(context.Context) ([]desk.Emergency, error) { return nil, nil }

func (c countingStore) CountAffected(context.Context, time.Time) (desk.AffectedCount, error) {
	c.begun <- struct{}{}
	<-c.goOn
	return desk.AffectedCount{}, errCounted
}

func (countingStore) Emergency(context.Context, ticket.EmergencyID) (desk.Emergency, error) {
	return desk.Emergency{}, nil
}
func (countingStore) Emergencies(context.Context) ([]desk.Emergency, error) { return nil, nil }
func (countingStore) EmergencyChanges(context.Context, ticket.EmergencyID) ([]desk.EmergencyEdit, error) {
	return nil, nil
}
func (countingStore) CountAnnouncementMails(context.Context, ticket.EmergencyID) (desk.DeliveryCounts, error) {
	return desk.DeliveryCounts{}, nil
}
func (countingStore) Schedule(context.Context) (ticket.EmergencySchedule, error) {
	return ticket.EmergencySchedule{}, nil
}
func (countingStore) TicketsWithTargets(context.Context, ticket.Number, int) ([]desk.OpenTicket, error) {
	return nil, nil
}
func (countingStore) LatestFanout(context.Context) (desk.Fanout, bool, error) {
	return desk.Fanout{}, false, nil
}
func (countingStore) MeasuredFanout(context.Context, int) (desk.Fanout, bool, error) {
	return desk.Fanout{}, false, nil
}

// A dry run may keep a CPU busy for seconds, so their number is limited.
func TestDryDeclare_limitsConcurrentDryRuns(t *testing.T) {
	store := countingStore{begun: make(chan struct{}), goOn: make(chan struct{})}
	m := app.NewEmergencies(nil, store, store, nil, nil)
	dryRun := func() error {
		_, err := m.DryDeclare(t.Context(), desk.Person{ID: "P-1", Role: ticket.RoleSupervisor}, desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "A flood."})
		return err
	}
	done := make(chan error)
	for range 2 {
		go func() { done <- dryRun() }()
		<-store.begun
	}
	if err := dryRun(); fault.KindOf(err) != fault.Limited {
		t.Errorf("a third one gives %v", err)
	}
	close(store.goOn)
	for range 2 {
		if err := <-done; !errors.Is(err, errCounted) {
			t.Error(err)
		}
	}
	go func() { <-store.begun }()
	if err := dryRun(); !errors.Is(err, errCounted) {
		t.Errorf("afterwards one gives %v", err)
	}
}

// twiceStore is a store whose transaction runs twice, as after a lock that could not be acquired: before the start of the
// emergency, and after it.
type twiceStore struct {
	emergency desk.Emergency
	action    desk.EmergencyAction
}

func (s *twiceStore) ScheduleTx(_ context.Context, _ string, fn func(app.ScheduleTx) error) error {
	_ = fn(&twiceTx{twiceStore: s, next: s.emergency.From.Add(-time.Second)})
	return fn(&twiceTx{twiceStore: s, next: s.emergency.From.Add(time.Second)})
}

type twiceTx struct {
	app.ScheduleTx
	*twiceStore
	next time.Time
}

func (tx *twiceTx) Next() time.Time { return tx.next }

func (tx *twiceTx) Emergency(context.Context, ticket.EmergencyID) (desk.Emergency, error) {
	return tx.emergency, nil
}

func (tx *twiceTx) UpdateEmergency(_ context.Context, _ ticket.PersonID, e desk.Emergency, act desk.EmergencyAction) (desk.Emergency, error) {
	tx.action = act
	return e, nil
}

func TestEndEmergency_logsWhatTheLastAttemptDid(t *testing.T) {
	s := &twiceStore{emergency: desk.Emergency{Emergency: ticket.Emergency{ID: "E-1", Kind: ticket.EmergencyClosed, From: time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)}}}
	e, err := app.EndEmergency(t.Context(), s, desk.Person{}, "E-1")
	if err != nil || !e.Cancelled.IsZero() || s.action != desk.ActionLifted {
		t.Errorf("%+v was logged as %s, %v", e, s.action, err)
	}
}
