package workflows_test

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

const contractGolden = "testdata/contract.golden"

// The names and payloads that clients, histories and people in Temporal UI rely on. A change here breaks one of them.
func TestContract_isTheRecordedOne(t *testing.T) {
	var b strings.Builder
	list := func(title string, names ...string) { fmt.Fprintf(&b, "%s: %s\n", title, strings.Join(names, ", ")) }
	list("workflows", workflows.TicketWorkflow, workflows.EmergencyWorkflow)
	list("task queues", workflows.TicketQueue, workflows.MailQueue, workflows.WebhookQueue, workflows.EmergencyQueue)
	list("queries", workflows.TicketQuery, workflows.EmergencyQuery)
	list("activities of a ticket", workflows.StepActivity, workflows.MailActivity, workflows.WebhookActivity)
	list("activities of the emergency workflow", workflows.ReadScheduleActivity, workflows.CheckTicketsActivity, workflows.NotifyTicketsActivity,
		workflows.ManualCommandActivity, workflows.PrepareAnnouncementsActivity, workflows.SendAnnouncementsActivity)
	list("signals of programs", workflows.ReconcileSignal, workflows.ScheduleSignal)
	list("ticket signals", verbs(ticket.Signals())...)
	list("ticket updates", verbs(ticket.ManualVerbs())...)
	list("emergency signals and updates", workflows.EmergencyCommands()...)
	for _, a := range workflows.Attributes() {
		list("search attribute", a.GetName(), a.GetValueType().String())
	}
	for _, payload := range []any{
		workflows.Signal{}, workflows.Start{}, workflows.Claim{}, workflows.ManualOutcome{}, workflows.Report{},
		ticket.StepRequest{}, ticket.StepResult{}, ticket.Digest{}, ticket.PromiseDigest{}, ticket.SearchFields{}, ticket.DueEvent{},
		ticket.EmergencyPeriod{}, ticket.Parked{}, ticket.Owed{}, ticket.ManualCommand{},
		ticket.ManualOutcome{}, ticket.DeliveryRequest{}, ticket.DeliveryResult{},
		workflows.EmergencyStart{}, workflows.EmergencyReport{}, workflows.EmergencyOutcome{}, workflows.Fanout{},
		workflows.AnnouncementState{}, workflows.ScheduleChanged{}, ticket.EmergencyOutlook{}, ticket.ActiveEmergency{}, ticket.Transition{},
		ticket.FanoutRequest{}, ticket.FanoutResult{},
		ticket.FanoutCheck{}, ticket.ManualEmergencyCommand{}, ticket.ManualEmergencyResult{}, ticket.AnnounceRequest{}, ticket.AnnounceResult{},
		ticket.SendAnnouncementsRequest{}, ticket.SendAnnouncementsResult{},
	} {
		list(reflect.TypeOf(payload).Name(), fields(reflect.TypeOf(payload))...)
	}
	if *record {
		if err := os.WriteFile(contractGolden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(contractGolden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s differs; make contract records it. Now:\n%s", contractGolden, b.String())
	}
}

func verbs(all []ticket.Verb) (names []string) {
	for _, v := range all {
		names = append(names, string(v))
	}
	slices.Sort(names)
	return names
}

func fields(t reflect.Type) (names []string) {
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("json"))
	}
	return names
}
