package e2e_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// Whatever arrives by hand, and however fast: no signal that Temporal accepted and no command that the desk accepted is
// lost, and the workflow outlives it. Each of these signals lengthens both ledgers and what the ticket remembers.
func TestSignalByHand_aFloodBesideCommandsLosesNothing(t *testing.T) {
	s := start(t, "")
	number := s.customer.submit("A flood", "words")
	s.agent.awaitStatus(number, "new")
	c := s.temporalClient()
	var accepted, acknowledged, serial atomic.Int64
	many := func(clients, each int, f func()) *sync.WaitGroup {
		var group sync.WaitGroup
		for range clients {
			group.Go(func() {
				for range each {
					f()
				}
			})
		}
		return &group
	}
	signal := func() {
		n := serial.Add(1)
		hand := byHand{name: "emergency-extend", payload: words{"seconds": 60 + n%7, "emergency": fmt.Sprint("flood ", n)}}
		if n%5 == 0 { // of another verb: only signals of one name keep their order
			hand = byHand{name: "assign", payload: words{"agent": "agent-1"}}
		}
		if s.signal(c, number, hand) == nil {
			accepted.Add(1)
		}
	}
	note := func() {
		key := fmt.Sprint("note-", serial.Add(1))
		if s.insist(new(atomic.Bool), s.agent, "/tickets/"+number+"/notes", key, words{"body": "A note."}) != "" {
			acknowledged.Add(1)
		}
	}
	s.worker.stop() // so that half of it comes in one workflow task; a command's answer takes two seconds meanwhile
	signals, notes := many(8, 625, signal), many(40, 5, note)
	signals.Wait()
	notes.Wait()
	s.worker.start()
	signals, notes = many(8, 625, signal), many(8, 225, note)
	signals.Wait()
	notes.Wait()
	t.Logf("%d signals by hand were accepted, %d commands acknowledged", accepted.Load(), acknowledged.Load())
	if accepted.Load() < 9000 || acknowledged.Load() != 2000 {
		t.Error("of 10,000 signals and 2,000 commands")
	}

	db := s.pool()
	count := func(query string) (n int64) {
		if err := db.QueryRow(t.Context(), query, number).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	want := 1 + accepted.Load() + acknowledged.Load()
	eventually(t, "every command is decided", func() (bool, string) {
		n := count(`SELECT taken FROM tickets WHERE number = $1`)
		return n >= want, fmt.Sprintf("%d of %d", n, want)
	})
	s.agent.do(number, "closure", nil)
	names := s.endedWell(c, number)
	heard := names["emergency-extend"] + names["assign"] // one that Temporal took without its answer arriving counts too
	for query, want := range map[string]int64{
		`SELECT count(*) FROM commands WHERE ticket = $1 AND manual_key IS NOT NULL`:                    heard,
		`SELECT count(*) FROM commands WHERE ticket = $1 AND verb = 'note'`:                             acknowledged.Load(),
		`SELECT count(*) FROM events WHERE ticket = $1 AND kind IN ('extended', 'assigned', 'refused')`: heard,
		`SELECT count(*) FROM events WHERE ticket = $1 AND kind = 'noted'`:                              acknowledged.Load(),
		`SELECT count(DISTINCT data->>'command') FROM events WHERE ticket = $1`:                         2 + heard + acknowledged.Load(),
		`SELECT count(*) FROM outcomes WHERE ticket = $1`:                                               2 + heard + acknowledged.Load(),
		`SELECT count(*) FROM parked_steps WHERE ticket = $1`:                                           0,
		`SELECT (octet_length(state::text) > 32768)::int FROM tickets WHERE number = $1`:                0,
		`SELECT jsonb_array_length(state->'ticket'->'emergencies') FROM tickets WHERE number = $1`:      20,
	} {
		if got := count(query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
}

// endedWell follows a workflow from its last run to its first, and checks that no task failed but for the causes by which
// Temporal itself has a flood wait, or someone reset it. It counts the signals by their names.
func (s *stack) endedWell(c client.Client, number string) map[string]int64 {
	s.t.Helper()
	eventually(s.t, "the workflow ends", func() (bool, string) {
		d, err := c.DescribeWorkflowExecution(s.t.Context(), number, "")
		if err != nil {
			return false, err.Error()
		}
		status := d.GetWorkflowExecutionInfo().GetStatus()
		return status == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED, status.String()
	})
	run, runs, signals := "", 0, map[string]int64{}
	for {
		history := c.GetWorkflowHistory(s.t.Context(), number, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
		runs++
		previous := ""
		for history.HasNext() {
			event, err := history.Next()
			if err != nil {
				s.t.Fatal(err)
			}
			if started := event.GetWorkflowExecutionStartedEventAttributes(); started != nil {
				previous = started.GetContinuedExecutionRunId()
			}
			if signal := event.GetWorkflowExecutionSignaledEventAttributes(); signal != nil {
				signals[signal.GetSignalName()]++
			}
			failed := event.GetWorkflowTaskFailedEventAttributes()
			switch failed.GetCause() {
			case enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNSPECIFIED, enumspb.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
				enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND, enumspb.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW:
			default:
				s.t.Errorf("in run %d a task failed: %s, %s", runs, failed.GetCause(), failed.GetFailure().GetMessage())
			}
		}
		if run = previous; run == "" {
			break
		}
	}
	s.t.Logf("%d runs", runs)
	return signals
}

// Signals that nothing listens to fill a history too, and the server accepts only so many in one run.
func TestSignalByHand_aFloodOfUnknownOnesLeadsToANewRun(t *testing.T) {
	s := start(t, "")
	number := s.customer.submit("Unknown signals", "words")
	s.agent.awaitStatus(number, "new")
	c := s.temporalClient()
	first, err := c.DescribeWorkflowExecution(t.Context(), number, "")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"make-coffee", "__temporal_coffee", "submit"}
	var sent atomic.Int64
	eventually(t, "a new run", func() (bool, string) {
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				for range 50 {
					if s.signal(c, number, byHand{name: names[i%len(names)]}) == nil {
						sent.Add(1)
					}
				}
			})
		}
		group.Wait()
		now, err := c.DescribeWorkflowExecution(t.Context(), number, "")
		if err != nil {
			return false, err.Error()
		}
		run := now.GetWorkflowExecutionInfo().GetExecution().GetRunId()
		return run != first.GetWorkflowExecutionInfo().GetExecution().GetRunId(), fmt.Sprintf("%d sent", sent.Load())
	})
	t.Logf("%d signals of unknown names", sent.Load())
	s.agent.do(number, "notes", words{"body": "It goes on."})
	s.agent.do(number, "closure", nil)
	s.endedWell(c, number)
	if got := kinds(s.agent.timeline(number)); len(got) != 3 {
		t.Errorf("the timeline is %v", got)
	}
}

// A reset without its signals has the workflow count signals by hand from the start again. Another signal in the place of
// one before it is another command; the same one again can't be distinguished from a repetition, and is refused with an event.
func TestSignalByHand_afterAResetNoneVanishes(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	number := s.customer.submit("A reset", "words")
	s.agent.awaitStatus(number, "new")
	c := s.temporalClient()
	hand := func(name string, payload any, want string) {
		t.Helper()
		before := len(s.agent.timeline(number))
		if err := s.signal(c, number, byHand{name: name, payload: payload}); err != nil {
			t.Fatal(err)
		}
		var seen []entry
		eventually(t, name+" is on record", func() (bool, string) {
			seen = s.agent.timeline(number)
			return len(seen) > before, strings.Join(kinds(seen), " ")
		})
		if got := outcomeOf(seen[before:]); got != want {
			t.Errorf("after %s the timeline shows %q, want %q", name, got, want)
		}
	}
	hand("assign", words{"agent": "agent-1"}, "assigned")
	s.reset(c, number, false)
	hand("reclassify", words{"priority": "high"}, "reclassified")
	s.reset(c, number, false)
	hand("assign", words{"agent": "agent-1"}, "refused repeated")
	hand("emergency-extend", words{"seconds": 86400}, "extended")
	hand("assign", words{"agent": "nobody"}, "refused agent-missing")
	hand("emergency-extend", words{"seconds": 3600}, "extended")
	before := len(s.agent.timeline(number))
	s.reset(c, number, true) // every signal of the last run comes again, all at once
	eventually(t, "they are refused", func() (bool, string) {
		seen := s.agent.timeline(number)
		return len(seen) >= before+4, outcomeOf(seen[before:])
	})
	if got, want := outcomeOf(s.agent.timeline(number)[before:]), "refused repeated, refused repeated, refused repeated, refused repeated"; got != want {
		t.Errorf("delivered again, the timeline shows %q, want %q", got, want)
	}
	hand("close", nil, "closed")
	s.endedWell(c, number)
}

// reset takes a workflow back to its first task, with or without the signals that came since. It returns when that task is
// done again: what comes before it belongs to the new run's beginning, and the next reset would not take it away.
func (s *stack) reset(c client.Client, number string, signals bool) {
	s.t.Helper()
	var without []enumspb.ResetReapplyExcludeType
	if !signals {
		without = append(without, enumspb.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL)
	}
	reset, err := c.ResetWorkflowExecution(s.t.Context(), &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: number},
		Reason: "a test", RequestId: rand.Text(), WorkflowTaskFinishEventId: s.firstTask(c, number, ""),
		ResetReapplyExcludeTypes: without,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.firstTask(c, number, reset.GetRunId())
}

// firstTask waits for the first workflow task of a run to be completed, and returns the event of that.
func (s *stack) firstTask(c client.Client, number, run string) int64 {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	history := c.GetWorkflowHistory(ctx, number, run, true, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		if event.GetEventType() == enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED {
			return event.GetEventId()
		}
	}
	s.t.Fatal("the workflow has completed no task")
	return 0
}
