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

// emergencyStore is as much of a store as a dry run needs.
type emergencyStore interface {
	DeclareEmergency(context.Context, desk.Person, desk.EmergencyPlan) (desk.Emergency, error)
	ChangeEmergency(context.Context, desk.Person, ticket.EmergencyID, desk.EmergencyChange) (desk.Emergency, error)
	EndEmergency(context.Context, desk.Person, ticket.EmergencyID) (desk.Emergency, error)
	Emergency(context.Context, ticket.EmergencyID) (desk.Emergency, error)
	Emergencies(context.Context) ([]desk.Emergency, error)
	EmergencyChanges(context.Context, ticket.EmergencyID) ([]desk.EmergencyEdit, error)
	Gate(context.Context) (ticket.Gate, error)
	OwedTickets(context.Context, ticket.Number, int) ([]desk.OpenTicket, error)
	Postbag(context.Context, ticket.EmergencyID) (desk.Postbag, error)
	LatestFanout(context.Context) (desk.Fanout, bool, error)
	MeasuredFanout(context.Context, int) (desk.Fanout, bool, error)
}

// blockedStore is a store that is busy counting until it is let go.
type blockedStore struct {
	emergencyStore
	begun, goOn chan struct{}
}

var errUnblocked = errors.New("counted")

func (c blockedStore) Notices(context.Context) ([]desk.Emergency, error) { return nil, nil }

func (c blockedStore) Census(context.Context, time.Time) (desk.Census, error) {
	c.begun <- struct{}{}
	<-c.goOn
	return desk.Census{}, errUnblocked
}

// A dry run may keep a processor busy for seconds: however many ask, the others are still served.
func TestDryDeclare_limitsConcurrentDryRuns(t *testing.T) {
	store := blockedStore{begun: make(chan struct{}), goOn: make(chan struct{})}
	m := app.NewEmergencies(store, nil, nil)
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
		if err := <-done; !errors.Is(err, errUnblocked) {
			t.Error(err)
		}
	}
	go func() { <-store.begun }()
	if err := look(); !errors.Is(err, errUnblocked) {
		t.Errorf("afterwards one gives %v", err)
	}
}
