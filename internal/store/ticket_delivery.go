package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Mail returns a ticket's mail with the ticket and its events up to the one that caused the mail. It is NotFound if there
// is no such mail.
func (s *Store) Mail(ctx context.Context, n ticket.Number, mail int) (m app.StoredMail, err error) {
	d, state, signed, files := &m.Data, ticket.State{}, false, []byte{}
	d.Number, d.N = n, mail
	err = s.pool.QueryRow(ctx, `
		SELECT m.kind, m.status, p.id, p.name, coalesce(m.address, p.address) AS address, p.disabled_at IS NOT NULL AS disabled,
			coalesce((SELECT name FROM people WHERE lower(handle) = lower(m.stands_for)), m.stands_for, '') AS instead,
			m.epoch, m.signed, `+threadOfMail+` AS thread,
			coalesce(m.clock, '') AS clock, m.escalation_step, t.requester, t.policy, t.state,
			(SELECT w.subject FROM commands c JOIN messages w ON w.id = c.message WHERE c.ticket = t.number AND c.seq = 1) AS subject,
			coalesce(w.body, '') AS body, coalesce(w.format, 'text') AS format, coalesce(w.left_out, '[]') AS left_out, coalesce(a.name, '') AS author, coalesce(a.signature, '') AS signature, coalesce(`+quotedBy+`, '{}') AS quoted,
			e.n AS about, m.event AS owed_by, (SELECT at FROM events WHERE ticket = m.ticket AND n = m.event) AS owed,
			(SELECT jsonb_agg(data ORDER BY n) FROM events WHERE ticket = t.number AND (n <= m.event OR at = t.submitted_at OR kind IN ('requester-changed', 'person-merged'))) AS timeline,
			`+filesOf("e.message")+` AS files
		FROM deliveries m
		JOIN tickets t ON t.number = m.ticket
		JOIN people p ON p.id = `+knownAs("m.person")+`
		JOIN events e ON e.ticket = m.ticket AND e.n = coalesce(m.about, m.event)
		LEFT JOIN messages w ON w.id = e.message
		LEFT JOIN people a ON a.id = `+knownAs("e.data->'by'->>'id'")+`
		WHERE m.ticket = $1 AND m.n = $2 AND m.queue = 'ticket'`, n, mail).
		Scan(&d.Kind, &m.Delivery, &m.Person, &d.To.Name, &d.To.Address, &d.Disabled, &d.Instead, &d.Epoch, &signed, &d.Thread,
			&d.Clock, &d.EscalationStep, &m.Requester, &m.Policy, &state, &d.Subject, &d.Body, &d.Format, &d.LeftOut, &d.Author, &d.Signature, &d.Quoted,
			&m.About, &m.OwedBy, &m.Owed, &m.Timeline, &files)
	if err != nil {
		return m, explain(missing(err, errNoMail), "load mail %d of %s", mail, n)
	}
	m.Ticket = state.Ticket
	if d.Files, err = mailFiles(files, n); err != nil {
		return m, err
	}
	return m, s.sign(ctx, d, signed)
}

// quotedBy selects the latest message of a customer before the event e of a mail m to p. More of it than a mail quotes is not
// needed. What one person alone may see is quoted only where the mail's own message is for them alone, too: an answer quotes it in turn,
// and others may see that.
var quotedBy = `(SELECT jsonb_build_object('body', left(said.body, 20000), 'format', said.format, 'forward', said.forward, 'author', writer.name, 'at', q.at, 'own', writer.id = p.id)
	FROM events q JOIN messages said ON said.id = q.message JOIN people writer ON writer.id = ` + knownAs("q.data->'by'->>'id'") + `
	WHERE q.ticket = m.ticket AND q.n < e.n AND q.kind IN ('submitted', 'customer-replied')
		AND (q.data->>'only' IS NULL OR ` + knownAs("q.data->>'only'") + ` = ` + knownAs("e.data->>'only'") + `) ORDER BY q.n DESC LIMIT 1)`

// threadOfMail selects the earlier mails of the conversation of a mail m that its recipient p has, in order of time: those to p,
// and those that p wrote before the event e.
var threadOfMail = `coalesce((SELECT jsonb_agg(jsonb_build_object('n', n, 'epoch', epoch, 'signed', signed, 'id', id) ORDER BY at, n) FROM (
	SELECT d.n, d.epoch, d.signed, '' AS id, caused.recorded_at AS at
	FROM deliveries d JOIN events caused ON caused.ticket = d.ticket AND caused.n = d.event
	WHERE d.ticket = m.ticket AND d.queue = 'ticket' AND d.n < m.n AND ` + knownAs("d.person") + ` = p.id
	UNION ALL
	SELECT DISTINCT 0, 0::bigint, false, i.message_id, i.received_at
	FROM messages said JOIN incoming_mails i ON i.id = said.mail
	JOIN commands c ON c.ticket = said.ticket AND c.message = said.id
	WHERE said.ticket = m.ticket AND i.message_id <> '' AND i.received_at <= e.recorded_at AND ` + knownAs("c.by_person") + ` = p.id
) earlier), '[]')`

// messageIDSecret and replySecret are the names of the secrets with which Message-IDs and addresses for replies are made.
const (
	messageIDSecret = "message-ids"
	replySecret     = "replies"
)

// TokenSecrets returns the secrets with which the tokens of links and addresses in mails are made.
func (s *Store) TokenSecrets(ctx context.Context) (all link.Secrets, err error) {
	for name, secret := range map[string]*[]byte{linkSecret: &all.Links, replySecret: &all.Replies} {
		if *secret, err = s.Secret(ctx, name); err != nil {
			return all, err
		}
	}
	return all, nil
}

// sign sets what proves that the mail and the earlier ones of its conversation were made here.
func (s *Store) sign(ctx context.Context, d *desk.MailData, signed bool) error {
	secret, err := s.Secret(ctx, messageIDSecret)
	if err != nil {
		return err
	}
	if signed {
		d.MAC = link.MessageIDMAC(secret, d.Number, d.N, d.Epoch)
	}
	for i, earlier := range d.Thread {
		if earlier.Signed {
			d.Thread[i].MAC = link.MessageIDMAC(secret, d.Number, earlier.N, earlier.Epoch)
		}
	}
	return nil
}

// ReplyToken returns the token of the address at which a person replies to a mail that became due at an instant.
func (s *Store) ReplyToken(ctx context.Context, to desk.ReplyTo, from time.Time) (string, error) {
	secret, err := s.Secret(ctx, replySecret)
	if err != nil {
		return "", err
	}
	if from, err = s.linksFrom(ctx, to.Person, from); err != nil {
		return "", err
	}
	token, err := link.ReplyToken(secret, link.Reply{Number: to.Number, Person: to.Person, Public: to.Public, Alone: to.Alone, Issued: from})
	return token, explain(err, "make a reply token")
}

func mailFiles(text []byte, n ticket.Number) (all []desk.MailFile, err error) {
	files, err := readFiles(text, n)
	for _, f := range files {
		all = append(all, desk.MailFile{File: f})
	}
	return all, err
}

// PersonName returns the name of a person, disabled or not.
func (s *Store) PersonName(ctx context.Context, id ticket.PersonID) (name string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT name FROM people WHERE id = $1`, id).Scan(&name)
	return name, explain(err, "look for the name of %s", id)
}

var errNoCall = fault.New(fault.NotFound, "there is no such webhook call")

// callColumns selects from deliveries c and their events e what scanCall scans.
const callColumns = `c.ticket, c.n, c.event, c.epoch, c.webhook, c.clock, c.escalation_step, c.priority, c.breached_at, e.at, e.recorded_at,
	c.status, c.owed_at, c.deferred_at, c.tries, coalesce(c.reason, ''), c.settled_at`

func scanCall(row pgx.CollectableRow) (c desk.WebhookDelivery, err error) {
	err = row.Scan(&c.Number, &c.N, &c.Event, &c.Epoch, &c.Webhook, &c.Clock, &c.EscalationStep, &c.Priority, &c.Breached, &c.Due, &c.Fired,
		&c.Status, &c.Owed, nullable(&c.Deferred), &c.Tries, &c.Reason, nullable(&c.Settled))
	return c, err
}

// Call returns a webhook call with its data and its delivery status. It returns NotFound if there is none.
func (s *Store) Call(ctx context.Context, n ticket.Number, call int) (desk.WebhookDelivery, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+callColumns+` FROM deliveries c JOIN events e ON e.ticket = c.ticket AND e.n = c.event
		WHERE c.ticket = $1 AND c.n = $2 AND c.queue = 'webhook'`, n, call)
	c, err := pgx.CollectExactlyOneRow(rows, scanCall)
	return c, explain(missing(err, errNoCall), "load call %d of %s", call, n)
}

// webhookCalls returns a ticket's webhook calls in order.
func (s *Store) webhookCalls(ctx context.Context, n ticket.Number) ([]desk.WebhookDelivery, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+callColumns+` FROM deliveries c JOIN events e ON e.ticket = c.ticket AND e.n = c.event
		WHERE c.ticket = $1 AND c.queue = 'webhook' ORDER BY c.n`, n)
	return pgx.CollectRows(rows, scanCall)
}
