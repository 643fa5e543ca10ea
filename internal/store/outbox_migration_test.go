package store_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// migratedTo returns a connection to a database as a program of an older version leaves it.
func migratedTo(t *testing.T, version int64) (dsn string, conn *pgx.Conn) {
	t.Helper()
	dsn = pgtest.DSN(t)
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("migrations"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	if conn, err = pgx.Connect(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return dsn, conn
}

// owedByVersion27 has deliveries of every kind in every status: owed, deferred, claimed by a try that lives or died, held,
// settled in every way, sent again, of two epochs.
const owedByVersion27 = `
	INSERT INTO policies (version, document, sha, author, reason, effective_at, published_at) VALUES (1, 'x', sha256('x'), 'a test', 'to begin with', now(), now());
	INSERT INTO people (id, role, name, address, handle) VALUES
		('P-0000000001', 'customer', 'Carla', 'carla@demo.example', NULL), ('P-0000000002', 'customer', 'Carl', 'carl@demo.example', NULL),
		('P-0000000003', 'agent', 'Alice', 'alice@demo.example', 'alice'), ('P-0000000004', 'agent', 'Bob', 'bob@demo.example', 'bob');
	INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category)
		SELECT number, 'P-0000000001', 1, now(), now(), now(), 1, 'new', 'normal', 'other' FROM unnest(ARRAY['HM-7Q2K9XM4TD', 'HM-0000000002']) number;
	INSERT INTO events (ticket, n, kind, at, data) SELECT number, n, 'submitted', now(), jsonb_build_object('n', n, 'kind', 'submitted')
		FROM tickets, generate_series(1, 5) n;

	INSERT INTO mails (ticket, n, event, kind, person, clock, rung, status, reason, settled_at, deferred_at, told, claimed_by, claimed_until,
		owed_at, stands_for, epoch, asks, resends, about, address) VALUES
		('HM-7Q2K9XM4TD', 1, 1, 'receipt', 'P-0000000001', NULL, 0, 'sent', NULL, now() - interval '5 h', now() - interval '6 h', NULL, 'a try', now() - interval '5 h', now() - interval '7 h', NULL, 0, false, NULL, NULL, NULL),
		('HM-7Q2K9XM4TD', 2, 1, 'new-ticket', 'P-0000000003', NULL, 0, 'owed', NULL, NULL, NULL, NULL, NULL, NULL, now() - interval '7 h', NULL, 0, false, NULL, NULL, NULL),
		('HM-7Q2K9XM4TD', 3, 2, 'reply', 'P-0000000001', NULL, 0, 'bounced', '550 no such user', now() - interval '4 h', NULL, 3, NULL, NULL, now() - interval '5 h', NULL, 0, true, NULL, NULL, NULL),
		('HM-7Q2K9XM4TD', 4, 4, 'reply', 'P-0000000001', NULL, 0, 'owed', NULL, NULL, now() - interval '3 h', NULL, 'a dead try', now() - interval '1 h', now() - interval '4 h', NULL, 7, true, 3, 2, 'carla@elsewhere.example'),
		('HM-7Q2K9XM4TD', 6, 5, 'escalation', 'P-0000000003', 'resolution', 2, 'owed', NULL, NULL, NULL, NULL, 'a try', now() + interval '1 min', now() - interval '1 h', 'bob', 7, false, NULL, NULL, NULL),
		('HM-0000000002', 1, 1, 'receipt', 'P-0000000001', NULL, 0, 'bounced', 'given up', now() - interval '1 h', now() - interval '6 days', NULL, NULL, NULL, now() - interval '6 days', NULL, 7, false, NULL, NULL, NULL);

	INSERT INTO calls (ticket, n, event, webhook, clock, rung, priority, broken_at, status, owed_at, deferred_at, tries, reason, settled_at, told, epoch) VALUES
		('HM-7Q2K9XM4TD', 5, 5, 'ops', 'first_response', 1, 'high', now(), 'sent', now() - interval '3 h', now() - interval '2 h', 2, 'timed out', now() - interval '1 h', NULL, 0),
		('HM-7Q2K9XM4TD', 7, 5, 'pager', 'resolution', 3, 'urgent', now(), 'owed', now() - interval '1 h', NULL, 0, NULL, NULL, NULL, 7),
		('HM-0000000002', 2, 2, 'ops', 'resolution', 1, 'low', now(), 'owed', now() - interval '2 h', now() - interval '1 h', 4, 'HTTP 503', NULL, NULL, 7),
		('HM-0000000002', 3, 3, 'ops', 'resolution', 2, 'low', now(), 'failed', now() - interval '4 days', now() - interval '4 days', 5, 'HTTP 404', now(), 4, 7);

	INSERT INTO emergencies (id, kind, notice, starts_at, revision) VALUES ('E-0000000001', 'closed', 'Flood.', now(), 1);
	INSERT INTO announcements (emergency, n, tells, stage, starts_at, ends_at, seconds, proven_at, revision)
		SELECT 'E-0000000001', n, 'changed', 'in-force', now(), now(), n, now(), 1 FROM generate_series(1, 3) n;
	INSERT INTO announcement_mails (announcement, person, status, reason, owed_at, settled_at, deferred_at, deferrals, not_before, claimed_by, claimed_until) VALUES
		(1, 'P-0000000001', 'sent', NULL, now() - interval '3 h', now() - interval '2 h', NULL, 0, '-infinity', 'a try', now()),
		(1, 'P-0000000002', 'bounced', '550 no', now() - interval '3 h', now() - interval '2 h', now() - interval '150 min', 2, now() - interval '2 h', NULL, NULL),
		(2, 'P-0000000001', 'superseded', NULL, now() - interval '2 h', now() - interval '1 h', NULL, 0, '-infinity', NULL, NULL),
		(2, 'P-0000000002', 'owed', NULL, now() - interval '2 h', NULL, now() - interval '1 h', 3, now() - interval '1 s', NULL, NULL),
		(2, 'P-0000000003', 'owed', NULL, now() - interval '2 h', NULL, now() - interval '1 h', 5, now() + interval '30 min', NULL, NULL),
		(3, 'P-0000000001', 'owed', NULL, now() - interval '1 h', NULL, NULL, 0, '-infinity', 'a try', now() + interval '1 min'),
		(3, 'P-0000000002', 'owed', NULL, now() - interval '1 h', NULL, NULL, 0, '-infinity', 'a dead try', now() - interval '1 s'),
		(3, 'P-0000000003', 'owed', NULL, now() - interval '1 h', NULL, NULL, 0, '-infinity', NULL, NULL),
		(3, 'P-0000000004', 'held', NULL, now() - interval '1 h', NULL, NULL, 0, '-infinity', NULL, NULL);
	ALTER TABLE announcement_mails ALTER COLUMN id RESTART WITH 5000; -- as an epoch does

	INSERT INTO links (id, purpose, person, expires_at) VALUES (repeat('A', 26), 'sign-in', 'P-0000000001', now() + interval '1 h'), (repeat('B', 26), 'reset', NULL, now() + interval '1 h');
	INSERT INTO tokens (hash, person, label) VALUES (sha256('x'), 'P-0000000003', 'Laptop');
	INSERT INTO account_mails (kind, to_name, to_address, link, made_at, expires_at, not_before, tries, settled_at, reason, token) VALUES
		('password-changed', 'Carla', 'carla@demo.example', NULL, now() - interval '9 h', now() + interval '5 days', '-infinity', 0, now() - interval '8 h', NULL, NULL),
		('address-changed', 'Carl', 'carl@demo.example', NULL, now() - interval '9 h', now() + interval '5 days', now() - interval '8 h', 3, now() - interval '8 h', '550 no', NULL),
		('reset', '', '', repeat('B', 26), now(), now() + interval '1 h', '-infinity', 0, now(), 'nobody has that address', NULL),
		('token-made', 'Alice', 'alice@demo.example', NULL, now(), now() + interval '5 days', now() - interval '1 min', 1, NULL, NULL, (SELECT max(id) FROM tokens)),
		('sign-in', 'Carla', 'carla@demo.example', repeat('A', 26), now(), now() + interval '1 h', now() + interval '20 s', 0, NULL, NULL, NULL),
		('password-set', 'Bob', 'bob@demo.example', NULL, now(), now() + interval '5 days', '-infinity', 0, NULL, NULL, NULL),
		('password-changed', 'Bob', 'bob@demo.example', NULL, now(), now() + interval '5 days', '-infinity', 0, NULL, NULL, NULL);`

// deliveriesOfVersion27 are all that there are, each with its columns under the names that they have now, and the
// Message-ID that a program of that version set on it.
const deliveriesOfVersion27 = `
	SELECT to_jsonb(m) - 'rung' - 'told' || jsonb_build_object('queue', 'ticket', 'escalation_step', rung, 'failure_event', told), '<' || lower(ticket) || '.' || n || CASE epoch WHEN 0 THEN '' ELSE '.' || epoch END || '@x.example>' FROM mails m
	UNION ALL
	SELECT to_jsonb(c) - 'rung' - 'told' - 'broken_at' || jsonb_build_object('queue', 'webhook', 'escalation_step', rung, 'failure_event', told, 'breached_at', broken_at), '' FROM calls c
	UNION ALL
	SELECT to_jsonb(a) - 'id' - 'deferrals' || jsonb_build_object('queue', 'announcement', 'n', id, 'tries', deferrals), '<announcement.' || id || '@x.example>' FROM announcement_mails a
	UNION ALL
	SELECT to_jsonb(a) - 'id' - 'made_at' - 'to_name' - 'to_address' || jsonb_build_object('queue', 'account', 'n', id, 'owed_at', made_at, 'name', to_name, 'address', to_address),
		'<account.' || id || '@x.example>' FROM account_mails a`

// statusOfAccountMail is by ID: version 27 kept only a reason.
var statusOfAccountMail = map[string]string{
	"1": "sent", "2": "bounced", "3": "superseded", "4": "owed", "5": "owed", "6": "owed", "7": "owed",
}

type deliveryRow = map[string]any

// deliveryRows reads rows and their Message-IDs by their keys.
func deliveryRows(t *testing.T, conn *pgx.Conn, query string) (map[string]deliveryRow, map[string]string) {
	t.Helper()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	all, ids := map[string]deliveryRow{}, map[string]string{}
	var data, id string
	if _, err := pgx.ForEachRow(rows, []any{&data, &id}, func() error {
		var row deliveryRow
		err := json.Unmarshal([]byte(data), &row)
		key := fmt.Sprint(row["queue"], " ", cmp.Or(row["ticket"], any("-")), " ", row["n"])
		if all[key] != nil {
			t.Errorf("there are two of %s", key)
		}
		all[key], ids[key] = row, id
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return all, ids
}

// nextOf claims all that may be sent of a queue, in order.
func nextOf(t *testing.T, s *store.Store, q outbox.Queue) (all []int64) {
	t.Helper()
	for {
		k, found, err := s.ClaimNextDelivery(t.Context(), q, "a try", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if !found {
			return all
		}
		all = append(all, k.N)
	}
}

// TestMigrate_movesDeliveriesAsTheyAre: each one once, with everything that is known of it and in the same order, so that
// it is sent, or not sent, as before.
func TestMigrate_movesDeliveriesAsTheyAre(t *testing.T) {
	dsn, conn := migratedTo(t, 27)
	if _, err := conn.Exec(t.Context(), owedByVersion27); err != nil {
		t.Fatal(err)
	}
	want, wantIDs := deliveryRows(t, conn, deliveriesOfVersion27)
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	got, _ := deliveryRows(t, conn, `SELECT to_jsonb(d), '' FROM deliveries d`)
	if diff := gocmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" || len(want) != 26 {
		t.Fatalf("of %d (-want +got):\n%s", len(want), diff)
	}
	for key, row := range want {
		if row["queue"] == "account" {
			row["status"] = statusOfAccountMail[fmt.Sprint(row["n"])]
		}
		for column, value := range row {
			if !reflect.DeepEqual(got[key][column], value) {
				t.Errorf("%s: %s is %v, want %v", key, column, got[key][column], value)
			}
		}
		if id := messageID(got[key]); id != wantIDs[key] {
			t.Errorf("%s: its Message-ID is %s, want %s", key, id, wantIDs[key])
		}
	}
	db, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for q, want := range map[outbox.Queue][]int64{outbox.AnnouncementMails: {7, 8, 4}, outbox.AccountMails: {6, 7, 4}} {
		if got := nextOf(t, db, q); !slices.Equal(got, want) {
			t.Errorf("the next %s mails are %v, want %v", q, got, want)
		}
	}
	for k, want := range map[outbox.Key]bool{
		{Queue: outbox.TicketMails, Ticket: "HM-7Q2K9XM4TD", N: 2}: true, {Queue: outbox.TicketMails, Ticket: "HM-7Q2K9XM4TD", N: 4}: true,
		{Queue: outbox.TicketMails, Ticket: "HM-7Q2K9XM4TD", N: 6}: false, {Queue: outbox.AnnouncementMails, N: 6}: false,
	} {
		if ours, err := db.ClaimDelivery(t.Context(), k, "another", time.Minute); err != nil || ours != want {
			t.Errorf("claimed %v: %v, %v", k, ours, err)
		}
	}
	var next int64
	if err := conn.QueryRow(t.Context(), `SELECT nextval('deliveries_n')`).Scan(&next); err != nil || next <= 4999 {
		t.Errorf("the next number is %d, %v: one may be given out again", next, err)
	}
}

// messageID is the one that this program sets on a delivery; a webhook's call has none.
func messageID(row deliveryRow) string {
	n, _ := row["n"].(float64)
	switch row["queue"] {
	case "ticket":
		epoch, _ := row["epoch"].(float64)
		return mail.MessageID(ticket.Number(row["ticket"].(string)), int(n), int64(epoch), "", "x.example")
	case "announcement":
		return mail.AnnouncementID(int64(n), "x.example")
	case "account":
		return mail.AccountID(int64(n), "x.example")
	}
	return ""
}

// TestMigrate_waitsForDeliveriesBeingAdded: a program of the version before may be in the middle of a step.
func TestMigrate_waitsForDeliveriesBeingAdded(t *testing.T) {
	dsn, conn := migratedTo(t, 27)
	if _, err := conn.Exec(t.Context(), owedByVersion27); err != nil {
		t.Fatal(err)
	}
	step, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := step.Exec(t.Context(), `INSERT INTO mails (ticket, n, event, kind, person, rung)
		VALUES ('HM-7Q2K9XM4TD', 8, 5, 'reply', 'P-0000000001', 0)`); err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error)
	go func() { migrated <- store.Migrate(t.Context(), dsn) }()
	for waits := false; !waits; {
		if err := step.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	if err := step.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Fatal(err)
	}
	var owed int
	if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM deliveries WHERE ticket = 'HM-7Q2K9XM4TD' AND n = 8`).Scan(&owed); err != nil || owed != 1 {
		t.Errorf("%d of what was owed meanwhile, %v", owed, err)
	}
}
