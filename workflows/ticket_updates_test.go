package workflows_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// update sends an update and returns its answer, or why there is none.
func update(ctx context.Context, s *desktest.Site, id string, verb ticket.Verb, args ...any) (answer string, err error) {
	for {
		handle, err := s.Temporal.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
			UpdateID: id, WorkflowID: workflows.TicketID(number), UpdateName: string(verb), Args: args,
			WaitForStage: client.WorkflowUpdateStageCompleted,
		})
		if _, ok := errors.AsType[*serviceerror.WorkflowNotReady](err); ok && ctx.Err() == nil {
			continue // a workflow task failed just then; sent again with the same ID, the update happens once
		}
		if err != nil {
			return "", err
		}
		err = handle.Get(ctx, &answer)
		return answer, err
	}
}

func TestUpdate_returnsItsResult(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	s.Work()
	s.Tell(number, s.Submit(number))
	for _, u := range []struct {
		id   string
		verb ticket.Verb
		args []any
		says string
	}{
		{"a", ticket.VerbAssign, []any{map[string]any{"agent": "alice"}}, "assign: done, ticket is open"},
		{"b", ticket.VerbAssign, []any{map[string]any{"agent": "alice"}}, "assign: refused, nothing to change"},
		{"a", ticket.VerbAssign, []any{map[string]any{"agent": "alice"}}, "assign: done, ticket is open"},
		{"c", ticket.VerbAssign, []any{map[string]any{"agent": "nobody"}}, "assign: refused, agent missing"},
		{"d", ticket.VerbResolve, nil, "resolve: done, ticket is resolved"},
		{"e", ticket.VerbResolve, nil, "resolve: refused, wrong status"},
		{"f", ticket.VerbClose, nil, "close: done, ticket is closed"},
	} {
		if says, err := update(t.Context(), s, u.id, u.verb, u.args...); err != nil || says != u.says {
			t.Errorf("%s %s: %q, %v; want %q", u.verb, u.id, says, err, u.says)
		}
	}
	s.Ended(number)
	if got := len(s.Outcomes(number)); got != 7 { // with the submission; the doubled one is done once
		t.Errorf("%d commands", got)
	}
	if says, err := update(t.Context(), s, "g", ticket.VerbReopen); err == nil {
		t.Errorf("a closed workflow says %q", says)
	}
}

func TestUpdate_thatIsMalformedLeavesNoEvent(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	s.Work()
	s.Tell(number, s.Submit(number))
	if _, err := update(t.Context(), s, "first", ticket.VerbAssign, workflows.Signal{Agent: "alice"}); err != nil {
		t.Fatal(err)
	}
	s.Await("its mails", func() bool {
		report, ok := ask(t, s)
		return ok && len(s.Unsettled(number)) == 0 && len(report.Owed) == 0
	})
	length := func() int64 {
		d, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(number), "")
		s.Check(err)
		return d.GetWorkflowExecutionInfo().GetHistoryLength()
	}
	before := length()
	for _, u := range []struct {
		verb ticket.Verb
		args []any
	}{
		{ticket.VerbAssign, nil},
		{ticket.VerbAssign, []any{map[string]any{"agent": 7}}},
		{ticket.VerbAssign, []any{map[string]any{"agent": strings.Repeat("a", 300)}}},
		{ticket.VerbResolve, []any{map[string]any{"reason": "done"}}},
		{ticket.VerbResolve, []any{map[string]any{"agent": "alice"}}},
		{ticket.VerbResolve, []any{workflows.Signal{Seq: 3}}},
		{ticket.VerbReclassify, []any{map[string]any{"priority": "highest"}}},
		{ticket.VerbEmergencyExtend, []any{map[string]any{"seconds": -1}}},
		{ticket.VerbNote, nil}, {ticket.VerbWithdraw, nil}, {"make-coffee", nil},
	} {
		if says, err := update(t.Context(), s, "", u.verb, u.args...); err == nil {
			t.Errorf("%s %v: %q", u.verb, u.args, says)
		}
	}
	if after := length(); after != before {
		t.Errorf("%d events became %d", before, after)
	}
}

func TestUpdate_waitsForAWorkerAndIsDoneOnce(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	s.Tell(number, s.Submit(number))
	impatient, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if says, err := update(impatient, s, "once", ticket.VerbAssign, workflows.Signal{Agent: "alice"}); err == nil {
		t.Errorf("without a worker it says %q", says)
	}
	s.Work()
	says, err := update(t.Context(), s, "once", ticket.VerbAssign, workflows.Signal{Agent: "alice"})
	if err != nil || says != "assign: done, ticket is open" {
		t.Errorf("%q, %v", says, err)
	}
	if got := len(s.Outcomes(number)); got != 2 {
		t.Errorf("%d commands", got)
	}
}

// While more commands by hand wait than a run may hand on, an update is refused rather than left waiting.
func TestUpdate_isRefusedWhileTooMuchWaits(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	var away, awayByHand atomic.Bool // PostgreSQL for every step, and for those by hand only
	away.Store(true)
	s.OnStep(func(r ticket.StepRequest) error {
		if away.Load() || awayByHand.Load() && len(r.Manual) > 0 {
			return fault.New(fault.Unavailable, "the database is away")
		}
		return nil
	})
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the first step", func() bool { return len(s.Steps()) > 0 })
	const signals = 300
	for range signals {
		signalByHand(s, ticket.VerbAssign, map[string]any{"agent": "alice"})
	}
	awayByHand.Store(true)
	away.Store(false)
	s.Await("the signals' first step", func() bool {
		return slices.ContainsFunc(s.Steps(), func(r ticket.StepRequest) bool { return len(r.Manual) == ticket.MaxManual })
	})
	soon, cancel := context.WithTimeout(t.Context(), 30*time.Second) // it must not wait with the others
	defer cancel()
	says, err := update(soon, s, "late", ticket.VerbResolve)
	if application, ok := errors.AsType[*temporal.ApplicationError](err); !ok || application.Type() != fault.Limited.String() {
		t.Errorf("%q, %v", says, err)
	}
	awayByHand.Store(false)
	s.Await("every signal", func() bool { return s.State(number).Command == 1+signals })
	if says, err := update(t.Context(), s, "later", ticket.VerbResolve); err != nil || says != "resolve: done, ticket is resolved" {
		t.Errorf("afterwards %q, %v", says, err)
	}
}
