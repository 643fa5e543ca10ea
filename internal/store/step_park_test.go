package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// forbid has the schema refuse rows of a table until the returned function is called.
func (d *fixture) forbid(table, rows string) (allow func()) {
	d.t.Helper()
	d.sql(fmt.Sprintf(`ALTER TABLE %s ADD CONSTRAINT forbidden CHECK (NOT (%s)) NOT VALID`, table, rows))
	return func() { d.sql(fmt.Sprintf(`ALTER TABLE %s DROP CONSTRAINT forbidden`, table)) }
}

func TestStep_refusesTheOneCommandThatCannotBeRecorded(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	var guilty desk.Accepted
	for i := range 70 {
		a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "A note."})
		if i == 41 {
			guilty = a
		}
	}
	d.forbid("events", fmt.Sprintf(`kind = 'noted' AND (data->>'command')::bigint = %d AND ticket = '%s'`, guilty.Seq, n))
	for i := 0; i < 20 && d.step(ticket.StepRequest{Number: n, Command: 71}).Digest.Command < 71; i++ {
	}
	for seq := int64(2); seq <= 71; seq++ {
		if o := d.outcome(n, seq); o.Refused != (seq == guilty.Seq) || o.Refused && o.Code != ticket.CodeUnrecordable {
			t.Errorf("outcome of command %d: %+v; command %d is guilty", seq, o, guilty.Seq)
		}
	}
	d.consistent(n)
}

func TestStep_parksWhatIsDueAndCannotBeRecordedAndTriesItAgain(t *testing.T) {
	d := openUnder(t, quick)
	a := d.submit(d.customer)
	d.redate(a, a.At.Add(-24*time.Hour))
	state := d.step(ticket.StepRequest{Number: a.Number, Command: 1}).State
	state = d.step(ticket.StepRequest{Number: a.Number, Due: state.Next.Due}).State // the reminder
	due := state.Next.Due
	allow := d.forbid("events", `kind = 'breached'`)
	for tries := range 2 {
		got := d.step(ticket.StepRequest{Number: a.Number, Due: due})
		if p := got.Digest.Parked; p == nil || p.Reason != "SQLSTATE 23514 forbidden" || !p.Retry.After(time.Now()) || got.State.Ticket.Events != state.Ticket.Events {
			t.Fatalf("try %d: %+v", tries, got.Digest)
		}
	}
	note := d.ask(d.agent, desk.Request{Number: a.Number, Verb: ticket.VerbNote, Body: "Later."})
	hand := []ticket.ManualCommand{{Key: "run/1", Verb: ticket.VerbResolve}}
	got := d.step(ticket.StepRequest{Number: a.Number, Manual: hand})
	if got.LastCommand != note.Seq+1 || got.Digest.Command != 1 || got.Digest.Parked == nil {
		t.Errorf("a signal by hand meanwhile: %+v, pending %d", got.Digest, got.LastCommand)
	}
	tries := func() int {
		parked, err := d.Parked(t.Context(), 10)
		if err != nil || len(parked) != 1 || parked[0].Number != a.Number {
			t.Fatalf("parked: %+v, %v", parked, err)
		}
		return parked[0].Tries
	}
	if n := tries(); n != 1 {
		t.Errorf("%d tries before the time of the second", n)
	}
	d.sql(`UPDATE parked_steps SET retry_at = clock_timestamp()`)
	d.step(ticket.StepRequest{Number: a.Number, CatchUp: true})
	if n := tries(); n != 2 {
		t.Errorf("%d tries at the time of the second", n)
	}
	allow()
	got = d.step(ticket.StepRequest{Number: a.Number, CatchUp: true})
	if got.Digest.Parked != nil || got.Digest.Command != got.LastCommand || !got.State.Ticket.FirstResponse.BreachedAt.Equal(due) {
		t.Errorf("afterwards: %+v", got.Digest)
	}
	if parked, err := d.Parked(t.Context(), 10); err != nil || len(parked) != 0 {
		t.Errorf("still parked: %+v, %v", parked, err)
	}
	kinds := d.kinds(a.Number)
	if breach, note := slices.Index(kinds, ticket.EventBreached), slices.Index(kinds, ticket.EventNoted); breach < 0 || note < breach {
		t.Errorf("the timeline is %v", kinds)
	}
	d.consistent(a.Number)
}

func TestStep_parksATransitionAndDecidesWhatCameBeforeIt(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	before := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Before."})
	d.until(d.declare(closedBy("Snow.")).From)
	allow := d.forbid("events", `kind = 'paused'`)
	got := d.step(ticket.StepRequest{Number: n, CatchUp: true})
	if got.Digest.Parked == nil || d.outcome(n, before.Seq).Refused || got.Digest.Paused {
		t.Errorf("with the transition refused: %+v", got.Digest)
	}
	allow()
	if got = d.step(ticket.StepRequest{Number: n, CatchUp: true}); got.Digest.Parked != nil || !got.Digest.Paused {
		t.Errorf("afterwards: %+v", got.Digest)
	}
	d.consistent(n)
}

// A row that is not its state is a defect of the step itself: no command is to blame, and nothing may hide it.
func TestStep_theTriggerThatComparesRowAndStateIsLoud(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "A note."})
	d.sql(`CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.events := NEW.events + 1; RETURN NEW; END $$`)
	d.sql(`CREATE TRIGGER spoil BEFORE UPDATE OF state ON tickets FOR EACH ROW EXECUTE FUNCTION spoil()`)
	if _, err := d.Step(t.Context(), ticket.StepRequest{Number: n, Command: a.Seq}); fault.KindOf(err) != fault.Internal {
		t.Errorf("got %v, want an internal fault", err)
	}
	if parked, err := d.Parked(t.Context(), 10); err != nil || len(parked) != 0 {
		t.Errorf("parked: %+v, %v", parked, err)
	}
	if one[int64](d, `SELECT taken FROM tickets WHERE number = $1`, n) != 1 {
		t.Error("the command was decided")
	}
}

func TestStep_takesManySignalsByHandOnceEach(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	hands := make([]ticket.ManualCommand, ticket.MaxManual)
	for i := range hands {
		hands[i] = ticket.ManualCommand{Key: fmt.Sprint("chain/", i), Verb: ticket.VerbEmergencyExtend, Emergency: fmt.Sprint("flood ", i), Extension: time.Hour}
	}
	hands[7].Category = "misplaced"
	hands[8] = ticket.ManualCommand{Key: "chain/8", Verb: ticket.VerbAssign, Agent: d.second.Handle}
	hands[9] = ticket.ManualCommand{Key: "chain/9", Verb: ticket.VerbAssign, Agent: "nobody-of-that-name"}
	d.forbid("commands", `emergency = 'flood 50'`)
	r := ticket.StepRequest{Number: n, Manual: hands}
	for range 2 { // asked again, because the answer was lost
		if got := d.step(r); got.LastCommand != 101 || got.Digest.Command != 101 || got.Digest.Handle != d.second.Handle {
			t.Errorf("pending %d, %+v", got.LastCommand, got.Digest)
		}
	}
	for i, code := range map[int]string{7: ticket.CodeMalformed, 9: ticket.CodeNoAgent, 50: ticket.CodeMalformed, 51: ""} {
		if o := d.outcome(n, int64(i+2)); o.Code != code {
			t.Errorf("signal %d: %+v, want code %q", i, o, code)
		}
	}
	d.consistent(n)
}

// After a reset, a redelivered signal can't be distinguished from a new one with the same content. Neither is lost.
func TestStep_aSignalOfAnotherRunWithTheSameKeyIsRefusedWithAnEvent(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	hand := []ticket.ManualCommand{{Key: "chain/1/0a0b0c0d", Verb: ticket.VerbEmergencyExtend, Extension: time.Hour}}
	d.step(ticket.StepRequest{Number: n, Manual: hand})
	hand[0].Run = "second"
	for range 2 {
		if got := d.step(ticket.StepRequest{Number: n, Manual: hand}); got.LastCommand != 3 || got.Digest.Command != 3 {
			t.Errorf("pending %d, decided %d, want 3 and 3", got.LastCommand, got.Digest.Command)
		}
	}
	if o := d.outcome(n, 3); o.Code != ticket.CodeRepeated {
		t.Errorf("outcome %+v", o)
	}
	if got := d.step(ticket.StepRequest{Number: n, CatchUp: true}); got.Digest.Resolution.Extended != time.Hour {
		t.Errorf("extended by %s", got.Digest.Resolution.Extended)
	}
	d.consistent(n)
}

func TestStep_returnsNoMorePendingMailsThanAHistoryMayHold(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	var last desk.Accepted
	for range ticket.MaxOwed + 20 {
		last = d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbProgressUpdate, Body: "Still at it."})
	}
	for d.step(ticket.StepRequest{Number: n, Command: last.Seq}).Digest.Command < last.Seq {
	}
	first := d.step(ticket.StepRequest{Number: n, CatchUp: true})
	rest := d.step(ticket.StepRequest{Number: n, CatchUp: true, LastDelivery: first.Owed[len(first.Owed)-1].N})
	if len(first.Owed) != ticket.MaxOwed || len(rest.Owed) != 21 || rest.Owed[20].N != rest.Digest.LastDelivery {
		t.Errorf("%d mails at first, then %d; the last is %d", len(first.Owed), len(rest.Owed), rest.Digest.LastDelivery)
	}
}
