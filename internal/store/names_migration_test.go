package store_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// namedByVersion30 has a row of everything that migration 31 renames: a state of every status, all fields set and none, and
// one of a ticket without a step; events of the kinds renamed; SLA records of every status; a closed ticket with a mail
// to be sent, one with an undecided command, and one that needs no workflow.
const namedByVersion30 = `
	INSERT INTO policies (version, document, sha, author, reason, effective_at, published_at) VALUES (1, 'x', sha256('x'), 'a test', 'to begin with', now(), now());
	INSERT INTO people (id, role, name, address, handle) VALUES
		('P-0000000001', 'customer', 'Carla', 'carla@demo.example', NULL), ('P-0000000003', 'agent', 'Alice', 'alice@demo.example', 'alice');
	INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category, rung, gate_at, held)
		SELECT 'HM-000000000' || row_number() OVER (), 'P-0000000001', 1, now(), now(), now(), 1, status, 'normal', 'other', 2, '2026-01-02 03:04:05Z', 'E-0000000001'
		FROM unnest(ARRAY['new', 'open', 'waiting', 'resolved', 'closed', 'closed', 'new', 'closed']) status;
	UPDATE tickets SET taken = 1, events = 4, mails = 3, state = jsonb_build_object('command', 1, 'mails', 3, 'rung', 2, 'paused', true,
		'next', '{"kind": "rung", "clock": "first_response", "rung": 3, "due": "2026-01-05T00:00:00Z"}'::jsonb,
		'shown', '{"promise": "resolution", "unheard": true}'::jsonb,
		'ticket', jsonb_build_object('number', number, 'policy', 1, 'status', status, 'priority', 'normal', 'category', 'other', 'requester', requester,
			'events', 4, 'submitted', '2026-01-01T00:00:00Z', 'ranked', '2026-01-02T00:00:00Z', 'silent', 5, 'returned', '{"status": "waiting"}'::jsonb,
			'written', '{"last": {"n": 2, "by": "P-0000000003"}, "listed": 2, "public": 2}'::jsonb,
			'first_response', '{"clock": {"counts": "calendar"}, "breached_at": "2026-01-02T00:00:00Z", "ladder_from": "2026-01-03T00:00:00Z", "rungs": 2, "skipped": [1]}'::jsonb,
			'resolution', '{"clock": {"counts": "calendar"}, "ladder_from": "2026-01-04T00:00:00Z", "rungs": 1}'::jsonb))
		WHERE number < 'HM-0000000007';
	UPDATE tickets SET last_command = 2 WHERE number = 'HM-0000000008';
	UPDATE tickets SET state = state #- '{next}' #- '{shown}' #- '{rung}' #- '{ticket,ranked}' #- '{ticket,silent}' #- '{ticket,returned}' #- '{ticket,written}'
		#- '{ticket,first_response,ladder_from}' #- '{ticket,first_response,rungs}' WHERE number = 'HM-0000000001';
	UPDATE tickets SET state = jsonb_set(state, '{next}', '{"kind": "nudge", "due": "2026-01-05T00:00:00Z"}') WHERE number = 'HM-0000000003';
	INSERT INTO events (ticket, n, kind, at, data) SELECT 'HM-0000000002', n, kind, now(), jsonb_build_object('n', n, 'kind', kind) || more
		FROM (VALUES (1, 'progress-told', '{}'::jsonb), (2, 'nobody-available', '{}'), (3, 'call-failed', '{"webhook": "rung"}'), (4, 'escalated', '{"rung": 2}'),
			(5, 'noted', '{}'), (6, 'refused', '{"code": "unseen-words"}'), (7, 'refused', '{"code": "words-missing"}'), (8, 'refused', '{"code": "taken"}')) e (n, kind, more);
	INSERT INTO events (ticket, n, kind, at, data) SELECT number, 1, 'submitted', now(), '{"n": 1, "kind": "submitted"}' FROM tickets WHERE status = 'closed';
	INSERT INTO deliveries (queue, ticket, n, event, kind, person, clock, rung) VALUES ('ticket', 'HM-0000000005', 1, 1, 'escalation', 'P-0000000003', 'resolution', 3);
	INSERT INTO deliveries (queue, ticket, n, event, webhook, clock, rung, priority, broken_at, status, reason, settled_at, told)
		VALUES ('webhook', 'HM-0000000002', 1, 4, 'ops', 'resolution', 2, 'high', '2026-01-02 00:00:00Z', 'failed', 'HTTP 404', now(), 3);
	INSERT INTO charges (priority, category) VALUES ('normal', 'other');
	INSERT INTO promises (ticket, clock, submitted_at, charge, taken, counted, verdict) VALUES
		('HM-0000000002', 'first_response', now(), 1, NULL, NULL, 'o'), ('HM-0000000002', 'resolution', now(), 1, 60, 60, 'k'),
		('HM-0000000003', 'first_response', now(), 1, 60, 60, 'b'), ('HM-0000000003', 'resolution', now(), 1, NULL, NULL, 'b'),
		('HM-0000000005', 'resolution', now(), 1, NULL, NULL, 'd');
	UPDATE gate SET revision = 7, told = 6;
	INSERT INTO emergencies (id, kind, notice, starts_at, revision) VALUES ('E-0000000001', 'closed', 'x', now(), 7);
	INSERT INTO fanouts (edge_at, verb, emergency, revision, total, told, behind, proven_at) VALUES (now(), 'emergency-pause', 'E-0000000001', 7, 5, 4, 0, now());
	INSERT INTO announcements (emergency, n, tells, stage, starts_at, ends_at, seconds, proven_at, revision) VALUES ('E-0000000001', 1, 'started', 'in-force', now(), 'infinity', 0, now(), 7);
	INSERT INTO commands (ticket, seq, verb, by_role, accepted_at, hand_key, hand_run) VALUES ('HM-0000000002', 2, 'close', 'operator', now(), 'a key', 'a run'),
		('HM-0000000003', 2, 'snooze', 'operator', now(), 'b key', 'a run');
	INSERT INTO outcomes (ticket, seq, refused, code, reason) VALUES ('HM-0000000002', 2, true, 'unseen-words', 'x'),
		('HM-0000000003', 2, true, 'words-missing', 'x');
	INSERT INTO emergency_hands (key, run) VALUES ('a key', 'a run');
	INSERT INTO saved_filters (author, shared, name, query) VALUES ('P-0000000001', false, 'Escalated', 'queue=all&escalated=unanswered&priority=high');`

// TestMigrate_renamesEverythingOnce: what version 30 stored is what this program reads.
func TestMigrate_renamesEverythingOnce(t *testing.T) {
	dsn, conn := migratedTo(t, 30)
	if _, err := conn.Exec(t.Context(), namedByVersion30); err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	checkMigratedStates(t, conn)
	for query, want := range map[string][]string{
		`SELECT concat_ws(' ', n, kind, data->>'kind', data->>'escalation_step', data->>'webhook', data->>'code', data ? 'rung') FROM events WHERE ticket = 'HM-0000000002' ORDER BY n`: {
			"1 progress-updated progress-updated f", "2 no-agent-available no-agent-available f", "3 webhook-failed webhook-failed rung f",
			"4 escalated escalated 2 f", "5 noted noted f", "6 refused refused unseen-messages f", "7 refused refused message-missing f",
			"8 refused refused taken f"},
		`SELECT concat_ws(' ', number, escalation_step, extract(epoch FROM transitions_until)::bigint, paused_by) FROM tickets WHERE number = 'HM-0000000007'`: {
			"HM-0000000007 2 1767323045 E-0000000001"},
		`SELECT concat_ws(' ', queue, escalation_step, extract(epoch FROM breached_at)::bigint, failure_event) FROM deliveries ORDER BY queue`: {
			"ticket 3", "webhook 2 1767312000 3"},
		`SELECT concat_ws(' ', ticket, clock, sla_status, taken) FROM promises ORDER BY ticket, clock`: {
			"HM-0000000002 first_response p", "HM-0000000002 resolution m 60", "HM-0000000003 first_response b 60", "HM-0000000003 resolution b",
			"HM-0000000005 resolution c"},
		`SELECT concat_ws(' ', revision, notified) FROM emergency_schedule`:                              {"7 6"},
		`SELECT concat_ws(' ', verb, notified, transition_at IS NULL, verified_at IS NULL) FROM fanouts`: {"emergency-pause 4 f f"},
		`SELECT concat_ws(' ', kind, verified_at IS NULL) FROM announcements`:                            {"started f"},
		`SELECT concat_ws(' ', manual_key, manual_run) FROM commands ORDER BY ticket`:                    {"a key a run", "b key a run"},
		`SELECT code FROM outcomes ORDER BY ticket`:                                                      {"unseen-messages", "message-missing"},
		`SELECT concat_ws(' ', key, run) FROM emergency_manual_commands`:                                 {"a key a run"},
		`SELECT workflow FROM replacements ORDER BY workflow`:                                            {"HM-0000000001", "HM-0000000002", "HM-0000000003", "HM-0000000004", "HM-0000000005", "HM-0000000007", "HM-0000000008", "emergency"},
		`SELECT concat_ws(' ', number > 0, raised_by, replaced_at IS NULL) FROM epoch`:                   {"t migrate t"},
		`SELECT query FROM saved_filters`:                                                                {"queue=all&escalated=unacknowledged&priority=high"},
		`SELECT tablename FROM pg_tables WHERE tablename IN ('gate', 'emergency_hands')`:                 nil,
		`SELECT conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conname ~ '(rung|gate|verdict|told|tells|proven|_hands?(_|$)|somebody|nobody)'`: nil,
		`SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname ~ '(rung|gate|verdict|told|tells|proven|_hands?(_|$)|somebody|nobody)'`:                nil,
	} {
		rows, err := conn.Query(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", query, got, err, want)
		}
	}
}

// checkMigratedStates decodes every state, in which no name may be unknown.
func checkMigratedStates(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	rows, err := conn.Query(t.Context(), `SELECT state FROM tickets WHERE state IS NOT NULL ORDER BY number`)
	if err != nil {
		t.Fatal(err)
	}
	states, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil || len(states) != 6 {
		t.Fatalf("%d states, %v", len(states), err)
	}
	statuses := []ticket.Status{ticket.StatusNew, ticket.StatusOpen, ticket.StatusWaiting, ticket.StatusResolved, ticket.StatusClosed, ticket.StatusClosed}
	for i, data := range states {
		clock := policy.Clock{Counts: policy.CountCalendar}
		want := ticket.State{
			Command: 1, LastDelivery: 3, Paused: true, EscalationStep: 2,
			Next:         ticket.DueEvent{Kind: ticket.DueEscalation, Clock: policy.FirstResponse, EscalationStep: 3, Due: day(5)},
			SearchFields: &ticket.SearchFields{Promise: policy.Resolution, AwaitsDelivery: true},
			Ticket: ticket.Ticket{
				Number: ticket.Number("HM-000000000" + string(rune('1'+i))), Policy: 1, Status: statuses[i], Priority: policy.PriorityNormal, Category: "other",
				Requester: "P-0000000001", Events: 4, Submitted: day(1), PriorityChangedAt: day(2), SilenceBefore: 5,
				BeforeBounce:   ticket.SilenceEnding{Status: ticket.StatusWaiting},
				LatestMessages: ticket.LatestMessages{Last: ticket.MessageRef{N: 2, By: "P-0000000003"}, Reading: ticket.Reading{Listed: 2, Public: 2}},
				FirstResponse:  ticket.Promise{Clock: clock, BreachedAt: day(2), EscalatingFrom: day(3), EscalationSteps: 2, Skipped: []int{1}},
				Resolution:     ticket.Promise{Clock: clock, EscalatingFrom: day(4), EscalationSteps: 1},
			},
		}
		switch i {
		case 0: // with none of the fields
			want.Next, want.SearchFields, want.EscalationStep = ticket.DueEvent{}, nil, 0
			want.Ticket.PriorityChangedAt, want.Ticket.SilenceBefore, want.Ticket.BeforeBounce = time.Time{}, 0, ticket.SilenceEnding{}
			want.Ticket.LatestMessages = ticket.LatestMessages{}
			want.Ticket.FirstResponse.EscalatingFrom, want.Ticket.FirstResponse.EscalationSteps = time.Time{}, 0
		case 2:
			want.Next = ticket.DueEvent{Kind: ticket.DueNudge, Due: day(5)}
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		decoder.DisallowUnknownFields()
		var got ticket.State
		if err := decoder.Decode(&got); err != nil {
			t.Errorf("%s: %v", data, err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Ticket.Number, diff)
		}
	}
}

// TestMigrate_replacesTheEmergencyWorkflowOfADeskWithoutTickets: it runs as soon as there is a policy.
func TestMigrate_replacesTheEmergencyWorkflowOfADeskWithoutTickets(t *testing.T) {
	for name, desk := range map[string]struct {
		prepare string
		want    int
	}{
		"nothing":  {`SELECT 1`, 0},
		"a policy": {`INSERT INTO policies (version, document, sha, author, reason, effective_at, published_at) VALUES (1, 'x', sha256('x'), 'a test', 'to begin with', now(), now())`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dsn, conn := migratedTo(t, 30)
			if _, err := conn.Exec(t.Context(), desk.prepare); err != nil {
				t.Fatal(err)
			}
			if err := store.Migrate(t.Context(), dsn); err != nil {
				t.Fatal(err)
			}
			var replaced, raised int
			if err := conn.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM replacements WHERE workflow = 'emergency'), (SELECT (number > 0)::int FROM epoch)`).
				Scan(&replaced, &raised); err != nil || replaced != desk.want || raised != desk.want {
				t.Errorf("%d replaced, epoch raised %d, %v, want %d", replaced, raised, err, desk.want)
			}
		})
	}
}
