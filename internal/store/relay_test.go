package store_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
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
	var got []desk.AcceptedCommand
	n, err := d.Undelivered(t.Context(), 10, 10, func(_ context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
		got = all
		return all[:1], down
	})
	if n != 2 || !errors.Is(err, down) { // what follows a submission waits until that is delivered
		t.Fatalf("%d, %v", n, err)
	}
	want := []desk.AcceptedCommand{
		{Number: a.Number, Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit, By: d.customer.Actor(), At: a.At,
			Message: got[0].Command.Message, Priority: "normal", Category: "delivery"}, Expected: got[0].Expected},
		{Number: c.Number, Command: ticket.Command{Seq: 1, Verb: ticket.VerbSubmit, By: d.other.Actor(), At: c.At,
			Message: got[1].Command.Message, Priority: "normal", Category: "delivery"}, Expected: got[1].Expected},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	all := d.deliverAll()
	assignment := desk.AcceptedCommand{Number: a.Number, Command: ticket.Command{Seq: 2, Verb: ticket.VerbAssign, By: d.agent.Actor(),
		At: b.At, Assignee: d.second.ID, Handle: d.second.Handle}, Actor: d.agent.Handle}
	if len(all) != 2 || !reflect.DeepEqual(all[0], assignment) || all[1].Number != c.Number {
		t.Errorf("left %+v, want what was not delivered", all)
	}
	if left := d.deliverAll(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

// The workflow of a submission starts with what its first step will return.
func TestUndelivered_aSubmissionSaysWhatItsStepWillReturn(t *testing.T) {
	d := open(t)
	n := d.submit(d.customer).Number
	all := d.deliverAll()
	if len(all) != 1 || all[0].Expected == nil {
		t.Fatalf("delivered %+v", all)
	}
	got, want := d.step(ticket.StepRequest{Number: n, Command: 1}).Digest, *all[0].Expected
	for _, label := range []*string{&got.Next.Label, &want.Next.Label} { // it ends with the time left, which may be a second less
		*label, _, _ = strings.Cut(*label, ",")
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the step returns\n%+v\nexpected were\n%+v", got, want)
	}
}

// An imported ticket's state is known only to its first step.
func TestUndelivered_anImportSaysNothingOfItsStep(t *testing.T) {
	d := open(t)
	d.imports(d.past(2))
	if all := d.deliverAll(); len(all) != 1 || all[0].Command.Verb != ticket.VerbSubmit || all[0].Expected != nil {
		t.Errorf("delivered %+v", all)
	}
}

// A rush of submissions is let through as far as there is room for them, and a command of an older ticket always.
func TestUndelivered_opensNoMoreThanThereIsRoomForAndLetsOlderTicketsOvertake(t *testing.T) {
	d := open(t)
	old := d.submit(d.customer)
	d.deliverAll()
	var rush []ticket.Number
	for range 3 {
		rush = append(rush, d.submit(d.customer).Number)
	}
	d.ask(d.agent, desk.Request{Number: old.Number, Verb: ticket.VerbAssign})
	for _, round := range []struct {
		openings int
		want     []ticket.Number
	}{
		{0, []ticket.Number{old.Number}}, {0, nil}, {2, rush[:2]}, {10, rush[2:]},
	} {
		var got []ticket.Number
		_, err := d.Undelivered(t.Context(), 10, round.openings, func(_ context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
			for _, one := range all {
				got = append(got, one.Number)
			}
			return all, nil
		})
		if err != nil || !slices.Equal(got, round.want) {
			t.Errorf("with room for %d: %v, %v; want %v", round.openings, got, err, round.want)
		}
	}
	tried := d.submit(d.customer)
	away := errors.New("Temporal is away")
	none := func(context.Context, []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) { return nil, away }
	if n, err := d.Undelivered(t.Context(), 10, 10, none); n != 1 || !errors.Is(err, away) {
		t.Fatal(n, err)
	}
	for _, openings := range []int{0, -40} { // after an outage more may be on their way than there is room for
		if n, err := d.Undelivered(t.Context(), 10, openings, none); n != 0 || err != nil {
			t.Errorf("with room for %d, %s was tried again: %d, %v", openings, tried.Number, n, err)
		}
	}
	if left := d.deliverAll(); len(left) != 1 || left[0].Number != tried.Number {
		t.Errorf("left %+v, want what was tried", left)
	}
	d.step(ticket.StepRequest{Number: rush[1], Command: 1})
	untaken, err := d.Untaken(t.Context(), rush)
	slices.Sort(untaken)
	want := []ticket.Number{rush[0], rush[2]}
	slices.Sort(want)
	if err != nil || !slices.Equal(untaken, want) {
		t.Errorf("untaken %v, %v; want %v", untaken, err, want)
	}
}

func TestUndelivered_aRelayThatIsStoppedStillNotesWhatItDelivered(t *testing.T) {
	d := open(t)
	d.submit(d.customer)
	second := d.submit(d.customer)
	ctx, stop := context.WithCancel(t.Context())
	n, err := d.Undelivered(ctx, 2, 2, func(ctx context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
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

func (d *fixture) deliverAll() (all []desk.AcceptedCommand) {
	d.t.Helper()
	_, err := d.Undelivered(d.t.Context(), 100, 100, func(_ context.Context, some []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
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
	ctx, cancel := context.WithTimeout(t.Context(), slack)
	defer cancel()
	_, err := d.Undelivered(ctx, 1, 1, func(ctx context.Context, mine []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
		if len(mine) != 1 || mine[0].Number != first.Number {
			t.Errorf("handed out %+v", mine)
		}
		_, err := d.Undelivered(ctx, 10, 10, func(_ context.Context, theirs []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
			if len(theirs) != 1 || theirs[0].Number != second.Number {
				t.Errorf("another relay was handed %+v", theirs)
			}
			return theirs, nil
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
	if left := d.deliverAll(); len(left) != 1 || left[0].Number != first.Number {
		t.Errorf("left %+v, want the assignment", left)
	}
}

// TestUndelivered_aRefusedCommandBlocksNoOther, nor lets its own ticket's later commands overtake it.
func TestUndelivered_aRefusedCommandBlocksNoOther(t *testing.T) {
	d := open(t)
	const batch = 4
	refused := map[ticket.Number]bool{}
	for range 3 * batch {
		a := d.submit(d.customer)
		d.ask(d.agent, desk.Request{Number: a.Number, Verb: ticket.VerbAssign})
		refused[a.Number] = true
	}
	good := d.submit(d.customer).Number
	signalled, tried := 0, map[ticket.Number]int{}
	round := func() int {
		n, err := d.Undelivered(t.Context(), batch, batch, func(_ context.Context, all []desk.AcceptedCommand) (done []desk.AcceptedCommand, err error) {
			for _, c := range all {
				tried[c.Number]++
				if refused[c.Number] && c.Command.Seq > 1 && tried[c.Number] == 1 {
					t.Errorf("%s: command %d came first", c.Number, c.Command.Seq)
				}
				if c.Number == good {
					signalled++
					done = append(done, c)
				}
			}
			return done, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for rounds := 0; round() > 0; rounds++ {
		if rounds > 40 {
			t.Fatal("what is refused is handed out again and again")
		}
	}
	if signalled != 1 {
		t.Errorf("the good one was signalled %d times", signalled)
	}
	// The pauses grow to ten minutes, and no further.
	for range 15 {
		d.sql(`UPDATE undelivered SET not_before = clock_timestamp() WHERE tries > 0`)
		for round() > 0 {
		}
	}
	pause := one[time.Duration](d, `SELECT max(not_before) - clock_timestamp() FROM undelivered`)
	if pause > 10*time.Minute || pause < 9*time.Minute {
		t.Errorf("the last pause is %s", pause)
	}
	// What comes meanwhile has half of every batch, however much is due again.
	d.sql(`UPDATE undelivered SET not_before = clock_timestamp() WHERE tries > 0`)
	good = d.submit(d.customer).Number
	if round(); signalled != 2 {
		t.Error("what is due again keeps out what is new")
	}
	refused = nil
	d.sql(`UPDATE undelivered SET not_before = clock_timestamp() WHERE tries > 0`)
	seen := map[ticket.Number]int64{}
	for all := d.deliverAll(); len(all) > 0; all = d.deliverAll() {
		for _, c := range all {
			if c.Command.Seq != seen[c.Number]+1 {
				t.Errorf("%s: command %d after %d", c.Number, c.Command.Seq, seen[c.Number])
			}
			seen[c.Number] = c.Command.Seq
		}
	}
	if len(seen) != 3*batch {
		t.Errorf("%d tickets were signalled in the end", len(seen))
	}
}

// TestUndelivered_anOutageIsHeldAgainstNoCommand, and the oldest don't always come first.
func TestUndelivered_anOutageIsHeldAgainstNoCommand(t *testing.T) {
	d := open(t)
	first := d.submit(d.customer).Number
	for range 3 {
		d.ask(d.agent, desk.Request{Number: first, Verb: ticket.VerbNote, Body: "Busy."})
	}
	second := d.submit(d.customer).Number
	var handed []ticket.Number
	for range 20 {
		_, err := d.Undelivered(t.Context(), 2, 2, func(_ context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
			for _, c := range all {
				handed = append(handed, c.Number)
			}
			return nil, errors.New("Temporal is away")
		})
		if err == nil {
			t.Fatal("deliver's error is lost")
		}
	}
	if !slices.Contains(handed, second) {
		t.Error("a busy ticket keeps out every other")
	}
	var after []desk.AcceptedCommand
	for all := d.deliverAll(); len(all) > 0; all = d.deliverAll() {
		after = append(after, all...)
	}
	if len(after) != 5 {
		t.Errorf("once Temporal is back, %d of 5 commands are due", len(after))
	}
}
