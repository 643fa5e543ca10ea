package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/converter"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

const page = "https://support.example.com/desk/tickets/"

// currentDetails are what Temporal UI shows of a running workflow.
func (s *fixture) currentDetails() string {
	s.t.Helper()
	value, err := s.env.QueryWorkflow("__temporal_workflow_metadata")
	var metadata sdkpb.WorkflowMetadata
	if err == nil {
		err = value.Get(&metadata)
	}
	if err != nil {
		s.t.Errorf("query the details: %v", err)
	}
	return metadata.GetCurrentDetails()
}

func TestDetails_haveTheLastManualOutcomesAndTheTicketsPage(t *testing.T) {
	s := newFixture(t)
	s.signalByHand(1*h, ticket.VerbReopen, nil)
	s.signalByHand(2*h, ticket.VerbAssign, workflows.Signal{Agent: "alice"})
	for i := range 4 {
		s.signalByHand(3*h+time.Duration(i)*time.Minute, ticket.VerbAssign, workflows.Signal{Agent: "alice"})
	}
	var shown string
	s.at(4*h, func() { shown = s.currentDetails() })
	s.closeAt(5 * h)
	s.desk.Submit(number)
	s.execute(workflows.Start{Number: number, Page: page + string(number)})
	for _, want := range []string{
		"- **manual**: assign: done, ticket is open (Mon 2 Nov 2099 12:00:00 UTC)",
		"- **manual**: assign: refused, nothing to change (Mon 2 Nov 2099 13:03:00 UTC)",
		"[Open HM-7Q2K9XM4TD in Supportdesk](https://support.example.com/desk/tickets/HM-7Q2K9XM4TD)",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("the details lack %q:\n%s", want, shown)
		}
	}
	if strings.Count(shown, "**manual**") != 5 || strings.Contains(shown, "reopen") {
		t.Errorf("not the last five:\n%s", shown)
	}
}

// What a run knows of manual commands and of its page goes to the next one.
func TestDetails_surviveGoingOnAsNew(t *testing.T) {
	s := newFixture(t)
	s.closeAt(1 * h)
	s.at(30*time.Minute, func() {
		shown := s.currentDetails()
		for _, want := range []string{"resolve: refused, wrong status (Sun 1 Nov 2099 10:00:00 UTC)", "](" + page + ")"} {
			if !strings.Contains(shown, want) {
				t.Errorf("the details lack %q:\n%s", want, shown)
			}
		}
	})
	s.desk.Submit(number)
	s.execute(workflows.Start{
		Number: number, Page: page,
		Outcomes: []workflows.ManualOutcome{{At: begin.Add(-day), Outcome: "resolve: refused, wrong status"}},
	})
}

func TestResult_ofAClosedTicketIsASentence(t *testing.T) {
	for name, c := range map[string]struct {
		play func(*fixture)
		want string
	}{
		"on time": {func(s *fixture) {
			s.ask(2*h, words(alice, ticket.VerbAgentReply))
			s.ask(3*h, words(alice, ticket.VerbResolve))
			s.ask(4*h, ticket.Command{Verb: ticket.VerbClose, By: customer})
		}, "Closed by the requester. First response on time, Mon 2 Nov 2099 12:00:00 UTC, resolution on time, Mon 2 Nov 2099 13:00:00 UTC."},
		"late": {func(s *fixture) {
			s.ask(25*h, words(alice, ticket.VerbAgentReply))
			s.closeAt(100 * h)
		}, "Closed by staff. First response late, Tue 3 Nov 2099 11:00:00 UTC instead of Tue 3 Nov 2099 10:00:00 UTC, " +
			"resolution overdue since Thu 5 Nov 2099 10:00:00 UTC."},
		"withdrawn": {func(s *fixture) {
			s.ask(1*h, ticket.Command{Verb: ticket.VerbWithdraw, By: customer})
		}, "Withdrawn by the requester. First response no longer applies, resolution no longer applies."},
		"silence": {func(s *fixture) {
			s.ask(1*h, words(alice, ticket.VerbResolve))
		}, "Closed by silence. First response on time, Mon 2 Nov 2099 11:00:00 UTC, resolution on time, Mon 2 Nov 2099 11:00:00 UTC."},
	} {
		t.Run(name, func(t *testing.T) {
			s := newFixture(t)
			c.play(s)
			s.run()
			var result string
			if err := s.env.GetWorkflowResult(&result); err != nil || result != c.want {
				t.Errorf("%q, %v; want %q", result, err, c.want)
			}
		})
	}
}

// A life on a real server, and what its description and its history show to a reader of Temporal UI.
func TestHistory_namesVerbsOutcomesAndHandles(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{Ticket: page})
	deliver := func(c ticket.Command, actor string) {
		t.Helper()
		s.Check(d.Deliver(t.Context(), desk.AcceptedCommand{Number: number, Command: c, Actor: actor}))
	}
	deliver(s.Submit(number), "")
	// No worker has run yet.
	if m := memo(t, s); m["page"] != page+string(number) || m["accepted"] == "" || !strings.Contains(m["state"], "search attributes") {
		t.Errorf("memo: %v", m)
	}
	s.Work()
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	deliver(s.Accept(number, assignToAlice()), "supervisor")
	s.Await("the assignment", func() bool { return s.State(number).Command == 2 })
	signalByHand(s, ticket.VerbReopen, nil)
	s.Await("the refusal", func() bool { return s.State(number).Command == 3 })
	deliver(s.Accept(number, ticket.Command{Verb: ticket.VerbClose, By: alice}), "alice")
	s.Ended(number)

	summaries, outcomes, signals := shownInHistory(t, s)
	for _, want := range []string{
		"commands up to 1", "assign (command 2)", "reopen (manual)", "close (command 4)",
		"email 1: receipt to the requester", "email 3: assigned to alice",
	} {
		if !slices.Contains(summaries, want) {
			t.Errorf("no summary %q among %q", want, summaries)
		}
	}
	equal(t, "outcomes", outcomes, []string{"submit: done", "assign: done", "reopen: refused, wrong status", "close: done"})
	equal(t, "signals", signals, []string{"assign by supervisor", "reopen by", "close by alice"})
}

func memo(t *testing.T, s *desktest.Site) map[string]string {
	t.Helper()
	description, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(number), "")
	s.Check(err)
	memo := map[string]string{}
	for key, payload := range description.GetWorkflowExecutionInfo().GetMemo().GetFields() {
		var text string
		s.Check(converter.GetDefaultDataConverter().FromPayload(payload, &text))
		memo[key] = text
	}
	return memo
}

// shownInHistory returns summaries, the outcomes that steps recorded, and the signals with who sent them.
func shownInHistory(t *testing.T, s *desktest.Site) (summaries, outcomes, signals []string) {
	t.Helper()
	decode := converter.GetDefaultDataConverter()
	for e := range history(t.Context(), s) {
		if payload := e.GetUserMetadata().GetSummary(); payload != nil {
			var text string
			s.Check(decode.FromPayload(payload, &text))
			summaries = append(summaries, text)
		}
		if a := e.GetMarkerRecordedEventAttributes(); a != nil {
			var result ticket.StepResult
			s.Check(decode.FromPayloads(a.GetDetails()["result"], &result))
			outcomes = append(outcomes, result.Outcomes...)
		}
		if a := e.GetWorkflowExecutionSignaledEventAttributes(); a != nil {
			var signal workflows.Signal
			s.Check(decode.FromPayloads(a.GetInput(), &signal))
			signals = append(signals, strings.TrimSpace(fmt.Sprintf("%s by %s", a.GetSignalName(), signal.By)))
		}
	}
	return summaries, outcomes, signals
}

func history(ctx context.Context, s *desktest.Site) func(func(*historypb.HistoryEvent) bool) {
	events := s.Temporal.GetWorkflowHistory(ctx, workflows.TicketID(number), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	return func(yield func(*historypb.HistoryEvent) bool) {
		for events.HasNext() {
			e, err := events.Next()
			s.Check(err)
			if !yield(e) {
				return
			}
		}
	}
}
