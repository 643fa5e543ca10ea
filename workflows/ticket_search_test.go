package workflows_test

import (
	"context"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// supervised breaks what it promises for urgent tickets at once, and promises the others a first response tomorrow.
const supervised = `
time_zone: UTC
clocks:
  first_response: {target: 24h, counts: calendar, remind_at: 50%}
  resolution: {target: 72h, counts: calendar, remind_at: 90%, pauses: [waiting, resolved]}
priorities: {urgent: {first_response: 1s}}
silence: {nudge_after: 1d, resolve_after: 2d, close_after: 1d}
escalation: [{after: 0s, tell: [supervisors]}]
`

// Every ready query of the guide finds exactly the tickets that it says it finds, on a real server.
func TestReadyQueries_findExactlyTheRightTickets(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, parse(t, supervised))
	s.WorkAs(&defective{of: "HM-STUCK"})
	s.Tell("HM-STUCK", s.Submit("HM-STUCK"))
	createTickets(s)
	want := map[string][]ticket.Number{
		"Which targets are due today?":                       {"HM-FRESH", "HM-STUCK", "HM-TAKEN"},
		"Which tickets are breached?":                        {"HM-LATE"},
		"Which escalations are not acknowledged?":            {"HM-LATE"},
		"What is paused?":                                    {"HM-HELD", "HM-STILL", "HM-WAITING"},
		"What waits for the requester?":                      {"HM-WAITING"},
		"What is paused by an emergency?":                    {"HM-HELD", "HM-STILL"},
		"What is paused by an emergency of the entire desk?": {"HM-HELD"},
		"What is paused by this emergency?":                  {"HM-HELD"},
		"What is unassigned?":                                {"HM-FRESH", "HM-LATE", "HM-STILL", "HM-STUCK"},
		"What is assigned to this agent?":                    {"HM-TAKEN", "HM-WAITING", "HM-RESOLVED"},
		"Which open tickets have a due event?":               {"HM-TAKEN"},
		"What is resolved or closed automatically soon?":     {"HM-RESOLVED"},
		"What is urgent in this category?":                   {"HM-LATE"},
		"What is closed and has queued deliveries?":          {"HM-ENDING"},
		"Which workflows fail again and again?":              {"HM-STUCK"},
	}
	queries := readyQueries(t)
	equal(t, "queries of the guide", slices.Sorted(maps.Keys(queries)), slices.Sorted(maps.Keys(want)))
	for name, query := range queries {
		t.Run(name, func(t *testing.T) {
			slices.Sort(want[name])
			var found []ticket.Number
			deadline := time.Now().Add(time.Minute) // what is listed lags
			for found = list(t, s, query); !slices.Equal(found, want[name]) && time.Now().Before(deadline); found = list(t, s, query) {
				time.Sleep(20 * time.Millisecond) // between looks, not instead of one
			}
			if !slices.Equal(found, want[name]) {
				t.Errorf("%s\nfinds %v, want %v", query, found, want[name])
			}
		})
	}
}

// defective is code that fails in one ticket's workflow.
type defective struct {
	interceptor.InterceptorBase
	of ticket.Number
}

func (d *defective) InterceptWorkflow(ctx workflow.Context, next interceptor.WorkflowInboundInterceptor) interceptor.WorkflowInboundInterceptor {
	if workflow.GetInfo(ctx).WorkflowExecution.ID == workflows.TicketID(d.of) {
		panic("a defect")
	}
	return next
}

const held ticket.EmergencyID = "E-7Q2K9XM4TD"

// createTickets creates tickets in every state that is asked for.
func createTickets(s *desktest.Site) {
	submit := func(n ticket.Number, more ...ticket.Command) {
		s.Tell(n, s.Submit(n))
		s.Await("the submission", func() bool { return s.State(n).Command == 1 })
		for _, c := range more {
			s.Ask(n, c)
		}
	}
	submit("HM-FRESH")
	submit("HM-TAKEN", assignToAlice())
	submit("HM-WAITING", words(alice, ticket.VerbRequestInformation))
	submit("HM-STILL", ticket.Command{Verb: ticket.VerbEmergencyPause, By: super})
	submit("HM-RESOLVED", words(alice, ticket.VerbAgentReply), words(alice, ticket.VerbResolve))
	submit("HM-LATE", ticket.Command{Verb: ticket.VerbReclassify, By: super, Priority: policy.PriorityUrgent})
	s.Await("the breach", func() bool { return s.Happened("HM-LATE", ticket.EventEscalated, 1) })
	submit("HM-OVER", ticket.Command{Verb: ticket.VerbClose, By: super})
	s.Await("its end", func() bool { return len(s.Unsettled("HM-OVER")) == 0 })
	s.OnMail(func(context.Context, ticket.Owed) (bool, error) { return false, away })
	submit("HM-ENDING", assignToAlice(), ticket.Command{Verb: ticket.VerbClose, By: alice})
	// Last, because nothing is done to the others any more: a step would tell them too.
	s.SetSchedule(ticket.EmergencySchedule{Revision: 1, Emergencies: []ticket.Emergency{{
		ID: held, Kind: ticket.EmergencyClosed, From: time.Now().UTC().Truncate(time.Second),
	}}})
	submit("HM-HELD", ticket.Command{Verb: ticket.VerbAssign, By: super, Assignee: desktest.Bob, Handle: "bob"})
}

var (
	queryRow = regexp.MustCompile("(?m)^\\| ([^|]+\\?) \\| `([^`]+)` \\|$")
	literal  = regexp.MustCompile(`'\d{4}-\d\d-\d\dT[0-9:]+Z'`)
)

// readyQueries reads them from the guide, with what stands for a day or a name replaced by what means the same here.
func readyQueries(t *testing.T) map[string]string {
	t.Helper()
	guide, err := os.ReadFile("../docs/temporal-ui.md")
	if err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, row := range queryRow.FindAllStringSubmatch(string(guide), -1) {
		query := literal.ReplaceAllString(row[2], "'"+time.Now().Add(30*time.Hour).UTC().Format(time.RFC3339)+"'")
		query = strings.NewReplacer("'agent-1'", "'alice'", "'E-CPA3W9V7NR'", "'"+string(held)+"'", "'delivery'", "'general'").Replace(query)
		queries[row[1]] = query
	}
	return queries
}

func list(t *testing.T, s *desktest.Site, query string) []ticket.Number {
	t.Helper()
	answer, err := s.Temporal.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{
		Namespace: s.Temporal.Namespace, Query: query, PageSize: 100,
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	found := make([]ticket.Number, 0, len(answer.GetExecutions()))
	for _, e := range answer.GetExecutions() {
		found = append(found, ticket.Number(e.GetExecution().GetWorkflowId()))
	}
	slices.Sort(found)
	return found
}

// A column of another type, or one too many, can't be had on SQL.
func TestAttributes_fitTheColumnsThatSQLHas(t *testing.T) {
	room := map[enumspb.IndexedValueType]int{
		enumspb.INDEXED_VALUE_TYPE_KEYWORD: 10, enumspb.INDEXED_VALUE_TYPE_TEXT: 3, enumspb.INDEXED_VALUE_TYPE_INT: 3,
		enumspb.INDEXED_VALUE_TYPE_DOUBLE: 3, enumspb.INDEXED_VALUE_TYPE_BOOL: 3, enumspb.INDEXED_VALUE_TYPE_DATETIME: 3,
		enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST: 3,
	}
	for _, key := range workflows.Attributes() {
		if room[key.GetValueType()]--; room[key.GetValueType()] < 0 {
			t.Errorf("there is no room for %s, a %v", key.GetName(), key.GetValueType())
		}
	}
}
