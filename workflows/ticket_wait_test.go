package workflows_test

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// A worker has thousands of tickets that wait, and each goroutine has a stack of several KB.
func TestTicket_waitsWithOneGoroutine(t *testing.T) {
	before := coroutines()
	s := desktest.NewSite(t, policy.Default())
	s.SendMailsNow()
	s.Work()
	s.Tell(number, s.Submit(number))
	awaitTask(s, 1)
	s.Ask(number, assignToAlice())
	awaitTask(s, 2)
	if n := coroutines() - before; n != 1 {
		t.Errorf("%d goroutines", n)
	}
}

// coroutines returns the number of coroutines of all cached workflows.
func coroutines() int {
	stacks := make([]byte, 8<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "internal.(*coroutineState).run(")
}

// Signals, timers and deliveries wake a ticket, and an unknown signal only fills the history.
func TestTicket_wakesForWhateverArrives(t *testing.T) {
	s := newFixture(t)
	s.sendingNow()
	s.at(12*h, func() { // with the reminder's timer
		s.env.SignalWorkflow("make-coffee", nil)
		s.deliver(s.desk.Accept(number, assignToAlice()))
		s.env.SignalWorkflow(workflows.ReconcileSignal, nil)
	})
	s.at(13*h, func() { s.env.SignalWorkflow("make-coffee", nil) })
	s.signalByHand(14*h, ticket.VerbResolve, nil)
	s.closeAt(15 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "12h0m0s reminded first_response", "12h0m0s assigned", "14h0m0s resolved by agent", "14h0m0s question-delivered",
		"15h0m0s closed by agent",
	)
}

// The next run begins with a step, by which its own history says how it waits.
func TestTicket_continuesAsNewWhenItsHistoryBecomesFullWhileItWaits(t *testing.T) {
	s := newFixture(t)
	s.sendingNow()
	s.at(2*h, func() { // an unknown signal
		s.env.SetContinueAsNewSuggested(true)
		s.env.SignalWorkflow("make-coffee", nil)
	})
	s.desk.Submit(number)
	s.execute(workflows.Start{Number: number})
	start := s.continuedWith()
	if !start.CatchUp || start.LastCommand != 1 {
		t.Errorf("handed on: %+v", start)
	}
	s.set(begin.Add(2 * h))
	s.closeAt(3 * h)
	s.execute(start)
	s.checkTimeline("0s submitted", "5h0m0s closed by agent")
}

func TestTicket_endsWhenItsLastMailIsSent(t *testing.T) {
	s := newFixture(t)
	s.sendingNow()
	tries := 0
	s.mails(func(m ticket.Owed) (bool, error) {
		if m.Kind == ticket.MailClosure {
			if tries++; tries < 5 {
				return false, away
			}
		}
		return false, nil
	})
	s.closeAt(1 * h)
	s.run()
	s.checkMails("1 receipt to P-CUSTOMER", "2 closure to P-CUSTOMER")
	if ended := s.env.Now().Sub(begin); ended > 2*h { // it has a timer for the reminder, which it ignores
		t.Errorf("it ended after %s", ended)
	}
}

// Steps without immediate mails leave a run with its selector, which receives one signal and leaves the others to the order of names. Runs
// of earlier releases were recorded so.
func TestTicket_selectorReceivesOneSignalAtOnce(t *testing.T) {
	s := desktest.NewSite(t, policy.Default())
	stop := s.Work()
	s.Tell(number, s.Submit(number))
	awaitTask(s, 1)
	stop()
	for _, signal := range []struct {
		verb    ticket.Verb
		payload map[string]string
	}{
		{ticket.VerbReclassify, map[string]string{"priority": "urgent"}},
		{ticket.VerbAssign, map[string]string{"agent": "alice"}},
		{ticket.VerbReclassify, map[string]string{"priority": "high"}},
	} {
		s.Check(s.Temporal.Client.SignalWorkflow(t.Context(), string(number), "", string(signal.verb), signal.payload))
	}
	s.Work()
	s.Await("the commands", func() bool { return s.State(number).Command == 4 })
	var got []ticket.EventKind
	for _, e := range s.Events(number)[1:] {
		got = append(got, e.Kind)
	}
	if want := []ticket.EventKind{ticket.EventReclassified, ticket.EventAssigned, ticket.EventReclassified}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
