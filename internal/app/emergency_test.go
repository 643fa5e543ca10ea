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

// counting is a store without emergencies that is busy counting until it may go on.
type counting struct {
	begun, goOn chan struct{}
}

var errCounted = errors.New("counted")

func (c counting) Notices(context.Context) ([]desk.Emergency, error) { return nil, nil }

func (c counting) Census(context.Context, time.Time) (desk.AffectedCount, error) {
	c.begun <- struct{}{}
	<-c.goOn
	return desk.AffectedCount{}, errCounted
}

func (counting) Emergency(context.Context, ticket.EmergencyID) (desk.Emergency, error) {
	return desk.Emergency{}, nil
}
func (counting) Emergencies(context.Context) ([]desk.Emergency, error) { return nil, nil }
func (counting) EmergencyChanges(context.Context, ticket.EmergencyID) ([]desk.EmergencyEdit, error) {
	return nil, nil
}
func (counting) Postbag(context.Context, ticket.EmergencyID) (desk.DeliveryCounts, error) {
	return desk.DeliveryCounts{}, nil
}
func (counting) Schedule(context.Context) (ticket.EmergencySchedule, error) {
	return ticket.EmergencySchedule{}, nil
}
func (counting) OwedTickets(context.Context, ticket.Number, int) ([]desk.OpenTicket, error) {
	return nil, nil
}
func (counting) LatestFanout(context.Context) (desk.Fanout, bool, error) {
	return desk.Fanout{}, false, nil
}
func (counting) MeasuredFanout(context.Context, int) (desk.Fanout, bool, error) {
	return desk.Fanout{}, false, nil
}

// A dry run may keep a processor busy for seconds: however many ask, the others are still served.
func TestDryDeclare_limitsConcurrentDryRuns(t *testing.T) {
	store := counting{begun: make(chan struct{}), goOn: make(chan struct{})}
	m := app.NewEmergencies(nil, store, store, nil, nil)
	look := func() error {
		_, err := m.DryDeclare(t.Context(), desk.Person{ID: "P-1", Role: ticket.RoleSupervisor}, desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "A flood."})
		return err
	}
	done := make(chan error)
	for range 2 {
		go func() { done <- look() }()
		<-store.begun
	}
	if err := look(); fault.KindOf(err) != fault.Limited {
		t.Errorf("a third one gives %v", err)
	}
	close(store.goOn)
	for range 2 {
		if err := <-done; !errors.Is(err, errCounted) {
			t.Error(err)
		}
	}
	go func() { <-store.begun }()
	if err := look(); !errors.Is(err, errCounted) {
		t.Errorf("afterwards one gives %v", err)
	}
}
