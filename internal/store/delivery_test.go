package store_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestUndelivered_inOrderOnceAndAgainWhenItFails(t *testing.T) {
	d := open(t)
	a := d.submit(d.customer)
	b := d.ask(d.agent, desk.Request{Number: a.Number, Verb: ticket.VerbAssign, Agent: d.second.Handle})
	c := d.submit(d.other)
	down := errors.New("Temporal is away")
	var got []desk.Delivery
	n, err := d.Undelivered(t.Context(), 10, func(_ context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
		got = all
		return all[:1], down
	})
	if n != 3 || !errors.Is(err, down) {
		t.Errorf("%d, %v", n, err)
	}
	want := []desk.Delivery{
		{Number: a.Number, Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit, By: d.customer.Actor(), At: a.At,
			Message: got[0].Command.Message, Priority: "normal", Category: "delivery"}},
		{Number: a.Number, Command: ticket.Command{Seq: 2, Verb: ticket.VerbAssign, By: d.agent.Actor(), At: b.At,
			Assignee: d.second.ID, Handle: d.second.Handle}},
		{Number: c.Number, Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit, By: d.other.Actor(), At: c.At,
			Message: got[2].Command.Message, Priority: "normal", Category: "delivery"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	all := d.deliverAll()
	if len(all) != 2 || all[0].Command.Seq != 2 || all[1].Number != c.Number {
		t.Errorf("left %+v, want what was not delivered", all)
	}
	if left := d.deliverAll(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

func TestUndelivered_aRelayThatIsStoppedStillNotesWhatItDelivered(t *testing.T) {
	d := open(t)
	d.submit(d.customer)
	second := d.submit(d.customer)
	ctx, stop := context.WithCancel(t.Context())
	n, err := d.Undelivered(ctx, 2, func(ctx context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
		stop()
		return all[:1], ctx.Err()
	})
	if n != 2 || !errors.Is(err, context.Canceled) {
		t.Errorf("handed out %d, %v", n, err)
	}
	if left := d.deliverAll(); len(left) != 1 || left[0].Number != second.Number {
		t.Errorf("left %+v, want only what was not delivered", left)
	}
}

func (d *shop) deliverAll() (all []desk.Delivery) {
	d.t.Helper()
	_, err := d.Undelivered(d.t.Context(), 100, func(_ context.Context, some []desk.Delivery) ([]desk.Delivery, error) {
		all = some
		return some, nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

func TestUndelivered_holdsUpNeitherAnotherRelayNorAStep(t *testing.T) {
	d := open(t)
	first, second := d.submit(d.customer), d.submit(d.customer)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := d.Undelivered(ctx, 1, func(ctx context.Context, mine []desk.Delivery) ([]desk.Delivery, error) {
		if len(mine) != 1 || mine[0].Number != first.Number {
			t.Errorf("handed out %+v", mine)
		}
		_, err := d.Undelivered(ctx, 10, func(_ context.Context, theirs []desk.Delivery) ([]desk.Delivery, error) {
			if len(theirs) != 1 || theirs[0].Number != second.Number {
				t.Errorf("another relay was handed %+v", theirs)
			}
			return nil, nil
		})
		if err != nil {
			t.Error(err)
		}
		if _, err := d.Step(ctx, ticket.StepRequest{Number: first.Number, Command: 1}); err != nil {
			t.Error(err)
		}
		_, err = d.Command(ctx, d.agent, desk.Request{Number: first.Number, Verb: ticket.VerbAssign})
		return mine, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if left := d.deliverAll(); len(left) != 2 {
		t.Errorf("left %+v, want the other submission and the assignment", left)
	}
}
