package workflows_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"google.golang.org/protobuf/proto"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// A life of 8 commands and 8 mails, each sent when the previous one is done, costs no more than this. Temporal Cloud bills
// actions and storage, and a server is busy for longest with changes of search attributes.
func TestTicket_aLifeCostsFewEvents(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	s.SendMailsNow()
	s.Work()
	s.Tell(number, s.Submit(number))
	awaitTask(s, 1)
	for _, c := range []ticket.Command{
		assignToAlice(), words(alice, ticket.VerbRequestInformation), words(customer, ticket.VerbCustomerReply),
		words(alice, ticket.VerbNote), words(alice, ticket.VerbAgentReply), words(alice, ticket.VerbResolve),
		{Verb: ticket.VerbClose, By: customer},
	} {
		s.Ask(number, c)
		awaitTask(s, s.State(number).Command)
	}
	s.Ended(number)
	events := eventsOf(s)
	costs, total := costsOf(events)
	upserts := costs[enumspb.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES]
	if total.events > 53 || total.bytes > 16000 || upserts.events > 5 {
		t.Errorf("a life costs\n%s", costTable(events))
	}
}

// awaitTask waits until some commands are decided, and all that followed from them is recorded.
func awaitTask(s *desktest.Site, commands int64) {
	awaitMails(s, commands)
	s.Await("the end of the workflow task", func() bool {
		described, err := s.Temporal.DescribeWorkflowExecution(context.Background(), workflows.TicketID(number), "")
		s.Check(err)
		return described.GetPendingWorkflowTask() == nil
	})
}

func eventsOf(s *desktest.Site) (events []*historypb.HistoryEvent) {
	history := s.Temporal.GetWorkflowHistory(context.Background(), workflows.TicketID(number), "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for history.HasNext() {
		event, err := history.Next()
		s.Check(err)
		events = append(events, event)
	}
	return events
}

type eventCost struct{ events, bytes int }

func (c *eventCost) add(event *historypb.HistoryEvent) {
	c.events++
	c.bytes += proto.Size(event)
}

func costsOf(history []*historypb.HistoryEvent) (byType map[enumspb.EventType]*eventCost, total eventCost) {
	byType = map[enumspb.EventType]*eventCost{}
	for _, event := range history {
		if byType[event.GetEventType()] == nil {
			byType[event.GetEventType()] = &eventCost{}
		}
		byType[event.GetEventType()].add(event)
		total.add(event)
	}
	return byType, total
}

// costTable lists the events of a history by type, with their number and bytes.
func costTable(history []*historypb.HistoryEvent) string {
	costs, total := costsOf(history)
	var table strings.Builder
	for _, kind := range slices.SortedFunc(maps.Keys(costs), func(a, b enumspb.EventType) int { return costs[b].bytes - costs[a].bytes }) {
		fmt.Fprintf(&table, "%3d %6d %s\n", costs[kind].events, costs[kind].bytes, kind)
	}
	fmt.Fprintf(&table, "%3d %6d in all", total.events, total.bytes)
	return table.String()
}
