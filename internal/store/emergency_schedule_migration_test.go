package store_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestMigrate_remembersTheEmergenciesOfOldTickets: their rows named only the last one of each kind.
func TestMigrate_remembersTheEmergenciesOfOldTickets(t *testing.T) {
	d := open(t)
	migration, err := os.ReadFile("migrations/00008_emergencies.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, remember, found := strings.Cut(string(migration), "UPDATE tickets t SET state")
	if !found {
		t.Fatal("the migration remembers nothing")
	}
	for name, hands := range map[string][]ticket.ManualCommand{
		"nothing": nil,
		"over":    {{Verb: ticket.VerbEmergencyPause, Emergency: "flood"}, {Verb: ticket.VerbEmergencyResume}},
		"paused": {
			{Verb: ticket.VerbEmergencyPause}, {Verb: ticket.VerbEmergencyResume},
			{Verb: ticket.VerbEmergencyExtend, Emergency: "ice", Extension: time.Hour}, {Verb: ticket.VerbEmergencyExtend, Extension: time.Hour},
			{Verb: ticket.VerbEmergencyPause, Emergency: "flood"},
		},
		"delayed": {{Verb: ticket.VerbEmergencyExtend, Extension: time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			d := *d
			d.t = t
			n := d.taken(d.customer)
			for i, h := range hands {
				h.Key = strings.Repeat("i", i+1)
				d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{h}})
			}
			// As the release before this one left it.
			d.sql(`UPDATE events SET data = data - 'delay' WHERE ticket = $1`, n)
			d.sql(`UPDATE tickets SET state = jsonb_strip_nulls(jsonb_set(state #- '{ticket,emergencies}', '{ticket}', (state->'ticket') - 'emergencies' || jsonb_build_object(
				'emergency', (SELECT s->'id' FROM jsonb_array_elements(state->'ticket'->'emergencies') s WHERE NOT s ? 'until'),
				'emergency_since', (SELECT s->'from' FROM jsonb_array_elements(state->'ticket'->'emergencies') s WHERE NOT s ? 'until'),
				'delayed', (SELECT s->'id' FROM jsonb_array_elements(state->'ticket'->'emergencies') WITH ORDINALITY AS e (s, i) WHERE s ? 'by' ORDER BY i DESC LIMIT 1)))) WHERE number = $1`, n)
			if name == "paused" && one[string](&d, `SELECT state->'ticket'->>'emergency' FROM tickets WHERE number = $1`, n) != "flood" {
				t.Fatal("that is no old row")
			}
			d.sql("UPDATE tickets t SET state" + remember)
			d.consistent(n)
			if left := one[bool](&d, `SELECT state->'ticket' ?| ARRAY['emergency', 'emergency_since', 'delayed'] FROM tickets WHERE number = $1`, n); left {
				t.Error("the old fields are there still")
			}
			if name != "paused" {
				return
			}
			state := d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "end", Verb: ticket.VerbEmergencyResume}}}).State
			if state.Ticket.InEmergency() || len(state.Ticket.Emergencies) != 4 {
				t.Errorf("it is not ended: %+v", state.Ticket.Emergencies)
			}
			d.consistent(n)
		})
	}
}

// TestMigrate_hasWorkflowsOfAnEarlierVersionReplaced: all that are needed, and the emergency's.
func TestMigrate_hasWorkflowsOfAnEarlierVersionReplaced(t *testing.T) {
	for _, file := range []string{"00019_workflows.sql", "00030_contract.sql"} {
		t.Run(file, func(t *testing.T) { replacesWorkflows(t, file) })
	}
}

func replacesWorkflows(t *testing.T, file string) {
	d := open(t)
	if file == "00019_workflows.sql" { // as they were then
		d.sql(`CREATE VIEW mails AS SELECT * FROM deliveries WHERE queue = 'ticket'`)
		d.sql(`CREATE VIEW calls AS SELECT * FROM deliveries WHERE queue = 'webhook'`)
	}
	migration, err := os.ReadFile("migrations/" + file)
	if err != nil {
		t.Fatal(err)
	}
	d.sql(string(migration))
	emergency := 0 // the emergency workflow runs before there is a ticket; 00019 overlooked that
	if file == "00030_contract.sql" {
		emergency = 1
	}
	if r, err := d.Replacing(t.Context()); err != nil || r.Left != emergency {
		t.Errorf("a desk without tickets: %+v, %v", r, err)
	}
	alive, owing, over := d.taken(d.customer), d.taken(d.customer), d.taken(d.customer)
	for _, n := range []ticket.Number{owing, over} {
		d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	}
	d.sql(`UPDATE deliveries SET status = 'sent', settled_at = clock_timestamp() WHERE ticket = $1`, over)
	d.sql(string(migration))
	if r, err := d.Replacing(t.Context()); err != nil || r.Over || r.Left != 3 || r.Epoch == 0 {
		t.Errorf("%+v, %v", r, err)
	}
	got, err := d.ToReplace(t.Context(), "", 10)
	if want := []string{string(alive), string(owing), desk.EmergencyReplacement}; err != nil || !sameStrings(got, want) {
		t.Errorf("to be replaced are %v, %v, want %v", got, err, want)
	}
}

func sameStrings(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
