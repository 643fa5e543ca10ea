package e2e_test

import (
	"context"
	"fmt"
	"net/smtp"
	"strings"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/faulttest"
)

// damage does to the desk itself, or to one of its neighbours, what a defect would, and what the judge says of it.
type damage struct {
	check  faulttest.Check
	sql    string // returns a word of what the judge says
	really func(d *faultyDesk, word string)
}

// damages are by SQL that keeps to no constraint. Each affects a row that no other one does.
var damages = []damage{
	{check: faulttest.WordLost, sql: `DELETE FROM messages WHERE id = (SELECT min(id) FROM messages WHERE channel = 'api') RETURNING substring(body FROM 'token-\w+')`},
	{check: faulttest.WordDoubled, sql: `INSERT INTO messages (ticket, body) SELECT ticket, body FROM messages WHERE id = (SELECT max(id) FROM messages WHERE channel = 'api')
		RETURNING substring(body FROM 'token-\w+')`},
	{check: faulttest.WordNotShown, sql: `INSERT INTO messages (ticket, body) SELECT ticket, 'token-HIDDEN' FROM messages LIMIT 1 RETURNING 'token-HIDDEN'`},
	{check: faulttest.WordUnknown, sql: `SELECT 'token-HIDDEN'`},
	{check: faulttest.CommandLost, sql: `DELETE FROM commands WHERE (ticket, seq) = (SELECT ticket, seq FROM commands WHERE verb = 'assign' AND key IS NOT NULL LIMIT 1) RETURNING key`},
	{check: faulttest.CommandUndecided, sql: `UPDATE tickets SET last_command = last_command + 1 WHERE number = (SELECT min(number) FROM tickets) RETURNING number`},
	{check: faulttest.TimelineGap, sql: `DELETE FROM events WHERE (ticket, n) = (SELECT ticket, 2 FROM events WHERE n = 3 LIMIT 1) RETURNING ticket`},
	{check: faulttest.DoctorReports, sql: `SELECT 'does not match its timeline'`},
	{check: faulttest.StepTwice, sql: `UPDATE events SET data = jsonb_set(data, '{escalation_step}', '1')
		WHERE (ticket, n) = (SELECT ticket, n FROM events WHERE kind = 'escalated' AND data->>'escalation_step' = '2' ORDER BY ticket LIMIT 1) RETURNING ticket`},
	{check: faulttest.StepLost, sql: `DELETE FROM events WHERE (ticket, n) = (SELECT ticket, n FROM events WHERE kind = 'escalated' AND data->>'escalation_step' = '3'
		ORDER BY ticket DESC LIMIT 1) RETURNING ticket`},
	{check: faulttest.DueTwice, sql: `UPDATE events SET kind = 'breached', data = jsonb_set(data, '{kind}', '"breached"') WHERE (ticket, n) = (SELECT ticket, n FROM events WHERE kind = 'escalated'
		AND data->>'escalation_step' = '3' ORDER BY ticket LIMIT 1) RETURNING ticket`},
	{check: faulttest.StepLate, sql: `UPDATE events SET recorded_at = recorded_at + interval '1 hour' WHERE (ticket, n) = (SELECT ticket, n FROM events WHERE kind = 'breached' LIMIT 1) RETURNING ticket`},
	{check: faulttest.EmergencyInexact, sql: `UPDATE events SET at = at + interval '1 second' WHERE (ticket, n) = (SELECT ticket, n FROM events WHERE kind = 'resumed' LIMIT 1) RETURNING ticket`},
	{check: faulttest.StepInEmergency, sql: `UPDATE events SET at = (SELECT max(starts_at) FROM emergencies)
		WHERE (ticket, n) = (SELECT ticket, n FROM events WHERE kind = 'reminded' LIMIT 1) RETURNING ticket`},
	{check: faulttest.ReminderLost, sql: `DELETE FROM events WHERE (ticket, n) = (SELECT ticket, n FROM events r WHERE kind = 'reminded' AND at <> (SELECT max(starts_at) FROM emergencies)
		AND EXISTS (SELECT FROM events b WHERE b.ticket = r.ticket AND b.kind = 'breached' AND b.data->>'promise' = r.data->>'promise') ORDER BY ticket LIMIT 1) RETURNING ticket`},
	{check: faulttest.PromiseLost, sql: `DELETE FROM events WHERE (ticket, n) = (SELECT ticket, n FROM events b WHERE kind = 'breached' AND data->>'promise' = 'first_response'
		AND data->>'escalation_step' IS NULL AND recorded_at < at + interval '1 hour' AND EXISTS (SELECT FROM events e WHERE e.ticket = b.ticket AND e.kind = 'escalated'
			AND e.data->>'promise' = b.data->>'promise' AND e.data->>'escalation_step' = '2') ORDER BY ticket DESC LIMIT 1) RETURNING ticket`},
	{check: faulttest.MailUnsent, sql: `UPDATE deliveries SET status = 'owed', settled_at = NULL WHERE (ticket, n) = (SELECT ticket, n FROM deliveries WHERE kind = 'escalation' LIMIT 1) RETURNING ticket`},
	{check: faulttest.MailLost, sql: `INSERT INTO deliveries (queue, ticket, n, status, settled_at, event, escalation_step, kind, person)
		SELECT queue, ticket, 4711, status, settled_at, 4711, 0, kind, person FROM deliveries WHERE status = 'sent' AND kind = 'reminder' LIMIT 1 RETURNING '4711'`},
	{check: faulttest.MailUnknown, sql: `DELETE FROM deliveries WHERE (ticket, n) = (SELECT ticket, n FROM deliveries WHERE kind = 'reminder' AND n < 4711 LIMIT 1) RETURNING lower(ticket) || '.' || n`},
	{check: faulttest.MailMisdirected, sql: `UPDATE deliveries SET address = 'someone@demo.example'
		WHERE (ticket, n) = (SELECT ticket, n FROM deliveries WHERE kind = 'receipt' AND status = 'sent' ORDER BY ticket DESC LIMIT 1) RETURNING address`},
	{check: faulttest.ReceiptMissing, sql: `UPDATE deliveries SET kind = 'reminder' WHERE (ticket, n) = (SELECT ticket, n FROM deliveries WHERE kind = 'receipt' LIMIT 1) RETURNING ticket`},
	{check: faulttest.LetterLost, sql: `SELECT message_id FROM incoming_mails WHERE status = 'accepted' ORDER BY id LIMIT 1`, really: (*faultyDesk).removeIncoming},
	{check: faulttest.LetterUnprocessed, sql: `UPDATE incoming_mails SET status = 'quarantined' WHERE id = (SELECT max(id) FROM incoming_mails WHERE status = 'accepted') RETURNING message_id`},
	{check: faulttest.LetterMisplaced, sql: `UPDATE messages SET ticket = (SELECT t.number FROM tickets t WHERE t.number <> messages.ticket AND t.follows IS NULL LIMIT 1)
		WHERE id = (SELECT max(m.id) FROM messages m JOIN tickets t ON t.number = m.ticket WHERE m.channel = 'email' AND t.follows IS NULL
			AND m.id > (SELECT min(id) FROM messages WHERE ticket = m.ticket)) RETURNING substring(body FROM 'token-\w+')`},
	{check: faulttest.FileLost, sql: `SELECT f.id FROM files f JOIN messages m ON m.id = f.message WHERE m.channel = 'api' LIMIT 1`, really: (*faultyDesk).removeFile},
	{check: faulttest.MailDoubled, sql: `INSERT INTO deliveries (queue, n, status, settled_at, person, announcement)
		SELECT queue, 4712, status, settled_at, person, 4712 FROM deliveries WHERE queue = 'announcement' AND status = 'sent' LIMIT 1 RETURNING 'announcement.4712@demo.example'`, really: (*faultyDesk).mailTwice},
	{check: faulttest.WorkflowMissing, sql: `SELECT number FROM tickets WHERE status <> 'closed' ORDER BY number DESC LIMIT 1`, really: (*faultyDesk).terminate},
	{check: faulttest.PersonalData, sql: `SELECT 'token-'`, really: (*faultyDesk).writeIntoTemporal},
}

// seesDamage proves that the judge is shown what it judges: the desk at rest, on which it has found nothing, is damaged.
func (d *faultyDesk) seesDamage() {
	t := d.t
	for part, p := range d.programs {
		if part != faulttest.API1 {
			p.kill() // else the reconciler mends some of it
		}
	}
	conn, err := pgx.ConnectConfig(t.Context(), d.pool.Config().ConnConfig.Copy())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), `SET session_replication_role = replica`); err != nil {
		t.Fatal(err)
	}
	words := make([]string, len(damages))
	for i, c := range damages {
		if err := conn.QueryRow(t.Context(), c.sql).Scan(&words[i]); err != nil {
			t.Fatalf("%s: %v", c.check, err)
		}
		if c.really != nil {
			c.really(d, words[i])
		}
	}
	facts := d.gather(0)
	facts.Canaries = d.canaries()
	report := faulttest.Judge(d.acknowledged, facts)
	for i, c := range damages {
		found := false
		for _, v := range report.Broken(c.check) {
			found = found || strings.Contains(v.Detail, words[i])
		}
		if !found {
			t.Errorf("the judge does not see: %s %s; it says %v", c.check, words[i], report.Broken(c.check))
		}
	}
}

func (d *faultyDesk) removeIncoming(id string) {
	d.removeBlob(`SELECT blob FROM incoming_mails WHERE message_id = $1 AND status = 'accepted'`, id)
}

func (d *faultyDesk) removeFile(id string) {
	d.removeBlob(`SELECT blob FROM files WHERE id = $1`, id)
}

func (d *faultyDesk) removeBlob(query, id string) {
	d.t.Helper()
	var key string
	if err := d.pool.QueryRow(d.t.Context(), query, id).Scan(&key); err != nil {
		d.t.Fatal(err)
	}
	if err := d.blobs.Delete(d.t.Context(), key); err != nil {
		d.t.Fatal(err)
	}
}

// mailTwice has a recipient receive an email of the desk twice, long after all faults.
func (d *faultyDesk) mailTwice(id string) {
	d.t.Helper()
	for range 2 {
		raw := fmt.Appendf(nil, "Message-ID: <%s>\r\nSubject: Twice\r\n\r\nTwice.\r\n", id)
		if err := smtp.SendMail(d.mails.Addr(), nil, "desk@demo.example", []string{customerAddress}, raw); err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d *faultyDesk) terminate(number string) {
	d.t.Helper()
	if err := d.temporalClient().TerminateWorkflow(d.t.Context(), number, "", "by mistake"); err != nil {
		d.t.Fatal(err)
	}
}

// writeIntoTemporal has Temporal store a word of a customer.
func (d *faultyDesk) writeIntoTemporal(word string) {
	d.t.Helper()
	_, err := d.temporalClient().ExecuteWorkflow(d.t.Context(), client.StartWorkflowOptions{ID: "a defect", TaskQueue: "none"}, "Defect", word+"DEFECT")
	if err != nil {
		d.t.Fatal(err)
	}
}

// canaries returns where Temporal's database holds what people wrote or are called.
func (d *faultyDesk) canaries() []string {
	d.t.Helper()
	var number string
	if err := d.pool.QueryRow(d.t.Context(), `SELECT number FROM tickets LIMIT 1`).Scan(&number); err != nil {
		d.t.Fatal(err)
	}
	return d.inTemporal(number, "token-", "demo.example", "client.example", "Demo agent", "A customer")
}
