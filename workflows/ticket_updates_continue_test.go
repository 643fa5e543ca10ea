package workflows_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// Runs end again and again while updates come, and each update is answered and done once. Afterwards all are sent again,
// to a run that has seen few of them: the server no longer knows their IDs.
func TestUpdate_isAnsweredAndDoneOnceInEveryRun(t *testing.T) {
	t.Parallel()
	const senders, each = 6, 20
	s := desktest.NewSite(t, policy.Default())
	s.Work()
	s.Tell(number, s.Submit(number))
	flood := func() {
		var wait sync.WaitGroup
		for sender := range senders {
			wait.Go(func() {
				for i := range each {
					id := fmt.Sprintf("%d/%d", sender, i)
					says, err := update(t.Context(), s, id, ticket.VerbEmergencyExtend, workflows.Signal{Seconds: 60})
					// A task that ends a run fails when a signal has come meanwhile, and with it the updates that it accepted.
					for err != nil && strings.Contains(err.Error(), "unexpected workflow task failure") {
						t.Logf("update %s, sent again: %v", id, err)
						says, err = update(t.Context(), s, id, ticket.VerbEmergencyExtend, workflows.Signal{Seconds: 60})
					}
					if err != nil || says != "emergency-extend: done, ticket is new" {
						t.Errorf("update %s: %q, %v", id, says, err)
					}
				}
			})
		}
		wait.Go(func() {
			for range 5 { // each fills a run
				signalByHand(s, ticket.VerbAssign, map[string]any{"agent": strings.Repeat("a", 256<<10)})
			}
		})
		wait.Wait()
	}
	flood()
	s.Await("every command", func() bool { return s.State(number).Command == 1+senders*each+5 })
	flood()
	s.Await("every command", func() bool { return s.State(number).Command == 1+senders*each+10 })
	if says, err := update(t.Context(), s, "end", ticket.VerbClose); err != nil || says != "close: done, ticket is closed" {
		t.Errorf("the last update: %q, %v", says, err)
	}
	s.Ended(number)
	if n := runs(t, s); n < 3 {
		t.Errorf("%d runs", n)
	}
	inOrderOnce(t, s, 2+senders*each+10)
}
