package activities_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func room(context.Context, bool) (bool, error) { return true, nil }

// slowOutbox delivers once it is released, and counts the deliveries that ended.
type slowOutbox struct {
	release chan struct{}
	ended   atomic.Int32
	cut     atomic.Int32 // deliveries whose context ended first
}

func (o *slowOutbox) Deliver(ctx context.Context, _ outbox.Key) (bool, error) {
	defer o.ended.Add(1)
	select {
	case <-o.release:
		return false, nil
	case <-ctx.Done():
		o.cut.Add(1)
		return false, ctx.Err()
	}
}

func send(t *testing.T, m *activities.ImmediateMails) ticket.DeliveryResult {
	t.Helper()
	result, err := m.Mail(t.Context(), ticket.DeliveryRequest{Number: number, N: 1})
	if err != nil {
		t.Errorf("an error for the workflow: %v", err)
	}
	return result
}

func TestImmediateMails_returnWhatBecameOfAMail(t *testing.T) {
	for name, c := range map[string]struct {
		outbox fixture
		want   ticket.DeliveryResult
		ready  bool
	}{
		"sent":        {ready: true},
		"bounced":     {outbox: fixture{bounced: true}, want: ticket.DeliveryResult{Bounced: true}, ready: true},
		"failed":      {outbox: fixture{err: fault.New(fault.Unavailable, "it is away")}, want: ticket.DeliveryResult{Pending: true}},
		"has no mail": {outbox: fixture{err: fault.New(fault.NotFound, "there is none")}, want: ticket.DeliveryResult{Pending: true}, ready: true},
		"deferred":    {outbox: fixture{err: fault.New(fault.Limited, "later")}, want: ticket.DeliveryResult{Pending: true}, ready: true},
		"claimed":     {outbox: fixture{err: outbox.ErrClaimed}, want: ticket.DeliveryResult{Pending: true}, ready: true},
		"panicked":    {outbox: fixture{panics: true}, want: ticket.DeliveryResult{Pending: true}, ready: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := activities.NewImmediateMails(c.outbox, 8, room)
			if got := send(t, m); got != c.want || m.Ready() != c.ready {
				t.Errorf("%+v, ready %v", got, m.Ready())
			}
		})
	}
}

// A workflow task does not wait for a slow server, and the try is not abandoned: the server may accept the mail.
func TestImmediateMails_doNotWaitForASlowServerAndLetTheTryGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &slowOutbox{release: make(chan struct{})}
		m := activities.NewImmediateMails(o, 2, room)
		began := time.Now()
		if got := send(t, m); !got.Pending || time.Since(began) > time.Second || m.Ready() {
			t.Errorf("%+v after %s, ready %v", got, time.Since(began), m.Ready())
		}
		send(t, m)
		began = time.Now()
		if got := send(t, m); !got.Pending || time.Since(began) != 0 { // both places are taken
			t.Errorf("a third try: %+v after %s", got, time.Since(began))
		}
		time.Sleep(time.Minute)
		if !m.Ready() {
			t.Error("nothing is tried any more")
		}
		if o.ended.Load() != 0 {
			t.Error("a try was abandoned")
		}
		close(o.release)
		m.Close(time.Second)
		if o.ended.Load() != 2 || o.cut.Load() != 0 {
			t.Errorf("%d tries ended, %d of them cancelled", o.ended.Load(), o.cut.Load())
		}
	})
}

// stubborn is a delivery that goes on although its context has ended, as one does whose mail a server takes long to accept.
type stubborn chan struct{}

func (o stubborn) Deliver(context.Context, outbox.Key) (bool, error) {
	<-o
	return false, nil
}

func TestImmediateMails_closeDoesNotWaitForATryThatCannotBeCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := make(stubborn)
		m := activities.NewImmediateMails(o, 2, room)
		send(t, m)
		began := time.Now()
		m.Close(time.Second)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("it took %s", took)
		}
		close(o)
	})
}

// A mail for which there was no room does not end the pause after a slow server.
func TestImmediateMails_theLongerPauseHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &slowOutbox{release: make(chan struct{})}
		var tries atomic.Int64
		m := activities.NewImmediateMails(o, 2, func(context.Context, bool) (bool, error) { return tries.Add(1) == 1, nil })
		send(t, m)
		send(t, m)
		time.Sleep(5 * time.Second)
		if m.Ready() {
			t.Error("the pause was cut short")
		}
		close(o.release)
		m.Close(time.Second)
	})
}

func TestImmediateMails_doNotWaitForASlowRateEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := activities.NewImmediateMails(fixture{}, 2, func(ctx context.Context, _ bool) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		})
		began := time.Now()
		if got := send(t, m); !got.Pending || time.Since(began) > time.Second {
			t.Errorf("%+v after %s", got, time.Since(began))
		}
		m.Close(time.Second)
	})
}

func TestImmediateMails_closeEndsTriesThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &slowOutbox{release: make(chan struct{})}
		m := activities.NewImmediateMails(o, 2, room)
		send(t, m)
		m.Close(time.Second)
		if o.cut.Load() != 1 {
			t.Error("a try goes on")
		}
	})
}

func TestImmediateMails_keepToTheRate(t *testing.T) {
	for name, rate := range map[string]func(context.Context, bool) (bool, error){
		"no room":       func(context.Context, bool) (bool, error) { return false, nil },
		"no PostgreSQL": func(context.Context, bool) (bool, error) { return false, errors.New("away") },
	} {
		t.Run(name, func(t *testing.T) {
			o := &slowOutbox{release: make(chan struct{})}
			m := activities.NewImmediateMails(o, 1, rate)
			for range 3 { // no place is lost
				if got := send(t, m); !got.Pending || m.Ready() || o.ended.Load() != 0 {
					t.Errorf("%+v, ready %v", got, m.Ready())
				}
			}
		})
	}
	var counted []bool
	m := activities.NewImmediateMails(fixture{}, 1, func(_ context.Context, always bool) (bool, error) {
		counted = append(counted, always)
		return false, nil
	})
	if failed, err := m.Counting(fixture{bounced: true}).Deliver(t.Context(), outbox.Key{}); !failed || err != nil || !slices.Equal(counted, []bool{true}) {
		t.Errorf("a regular delivery: failed %v, %v; counted %v", failed, err, counted)
	}
}

// The result of a step says whether its mails may be sent at once.
func TestStep_saysWhetherItsMailsMayBeSentNow(t *testing.T) {
	owes := fixture{step: ticket.StepResult{Owed: []ticket.Owed{{N: 1}}}}
	m := activities.NewImmediateMails(fixture{err: fault.New(fault.Unavailable, "no")}, 1, room)
	for _, c := range []struct {
		name    string
		stepper fixture
		mails   *activities.ImmediateMails
		want    bool
	}{
		{"mails", owes, m, true}, {"no mails", fixture{}, m, false}, {"not here", owes, nil, false},
	} {
		if r, err := activities.NewSteps(c.stepper, c.mails).Step(t.Context(), ticket.StepRequest{}); err != nil || r.SendNow != c.want {
			t.Errorf("%s: %v, %v", c.name, r.SendNow, err)
		}
	}
	send(t, m)
	if r, _ := activities.NewSteps(owes, m).Step(t.Context(), ticket.StepRequest{}); r.SendNow {
		t.Error("mails may be sent at once although the server fails")
	}
}
