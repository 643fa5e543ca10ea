package store_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/store"
)

// beforeDeliveries has a database's deliveries as the version before this table kept them.
const beforeDeliveries = `
	CREATE TABLE mails AS SELECT * FROM deliveries WHERE queue = 'ticket';
	CREATE TABLE calls AS SELECT * FROM deliveries WHERE queue = 'webhook';
	CREATE TABLE announcement_mails AS SELECT n AS id, tries AS deferrals, d.* FROM deliveries d WHERE queue = 'announcement';
	CREATE TABLE account_mails AS SELECT n AS id, owed_at AS made_at, name AS to_name, address AS to_address, d.* FROM deliveries d WHERE queue = 'account';
	CREATE SEQUENCE announcement_mails_id_seq OWNED BY announcement_mails.id;
	CREATE SEQUENCE account_mails_id_seq OWNED BY account_mails.id;
	DROP TABLE deliveries;
	DELETE FROM goose_db_version WHERE version_id >= 28;`

// TestMigrate_movesWhatWasOwed in every status, under the numbers that make its Message-ID.
func TestMigrate_movesWhatWasOwed(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.sql(beforeDeliveries)
	d.sql(`INSERT INTO mails (queue, ticket, n, status, reason, owed_at, settled_at, event, epoch, rung, asks, kind, person)
		SELECT 'ticket', $1, 70 + i, (ARRAY['owed', 'sent', 'bounced'])[i], CASE i WHEN 3 THEN '550 no' END, now(), CASE WHEN i > 1 THEN now() END,
			1, 40 + i, 0, false, 'receipt', p FROM (SELECT id AS p, row_number() OVER (ORDER BY id) AS i FROM people WHERE id <> $2) who WHERE i <= 3`, n, d.customer.ID)
	d.sql(`INSERT INTO calls (queue, ticket, n, status, reason, owed_at, settled_at, tries, event, epoch, clock, rung, webhook, priority, broken_at)
		SELECT 'webhook', $1, 80 + i, (ARRAY['owed', 'sent', 'failed'])[i], CASE WHEN i <> 2 THEN 'HTTP 503' END, now(), CASE WHEN i > 1 THEN now() END,
			i, 1, 0, 'resolution', 1, 'hook-' || i, 'high', now() FROM generate_series(1, 3) i`, n)
	d.sql(`INSERT INTO account_mails (id, kind, to_name, to_address, made_at, expires_at, not_before, tries, settled_at, reason)
		SELECT 90 + i, 'password-changed', 'Demo', CASE i WHEN 4 THEN '' ELSE 'x@demo.example' END, now(), now(), '-infinity', 0,
			CASE WHEN i > 1 THEN now() END, CASE WHEN i > 2 THEN 'why' END FROM generate_series(1, 4) i`)
	d.sql(`SELECT setval('account_mails_id_seq', 94)`)
	if err := store.Migrate(t.Context(), d.dsn); err != nil {
		t.Fatal(err)
	}
	got := one[string](d, `SELECT string_agg(concat_ws(' ', queue, n, status, reason, epoch), ', ' ORDER BY n) FROM deliveries WHERE n > 70`)
	want := "ticket 71 owed 41, ticket 72 sent 42, ticket 73 bounced 550 no 43, " +
		"webhook 81 owed HTTP 503 0, webhook 82 sent 0, webhook 83 failed HTTP 503 0, " +
		"account 91 owed 0, account 92 sent 0, account 93 bounced why 0, account 94 superseded why 0"
	if got != want {
		t.Errorf("moved:\n%s\nwant:\n%s", got, want)
	}
	if next := one[int64](d, `SELECT nextval('deliveries_n')`); next != 95 {
		t.Errorf("the next number is %d: one may be given out again", next)
	}
}
