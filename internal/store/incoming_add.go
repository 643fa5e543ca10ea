package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/batch"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// AddIncoming stores a mail whose content is in the blob store already, and returns its ID. A mail with the content of an
// earlier one is stored as its duplicate, unless that one was deleted. If ctx ends first, the mail may be stored all the same.
func (s *Store) AddIncoming(ctx context.Context, m desk.IncomingMail) (id int64, err error) {
	a := &addedMail{row: incomingRowOf(m)}
	a.row.Trace = s.traceOf(ctx)
	if a.row.Thread, err = s.answered(ctx, m); err != nil {
		return 0, explain(err, "store an incoming mail")
	}
	if err := s.mails.Do(ctx, a); err != nil {
		return 0, explain(err, "store an incoming mail")
	}
	// The sweep finds the mail if the notification is lost.
	s.notifier.send(notification{channel: incomingChannel})
	return a.id, nil
}

// addedMail is a mail that waits to be stored. Its ID may be read once it is.
type addedMail struct {
	row incomingRow
	id  int64
}

type (
	mailBatcher = batch.Batcher[*addedMail]
	mailItem    = batch.Item[*addedMail]
)

// incomingRow is a mail as addedMails reads it.
type incomingRow struct {
	Thread      ticket.Number   `json:"thread"`
	Blob        string          `json:"blob"`
	Size        int64           `json:"size"`
	Fingerprint string          `json:"fingerprint"` // as PostgreSQL writes bytes
	Source      desk.MailSource `json:"source"`
	Mailbox     string          `json:"mailbox"`
	Client      string          `json:"client"`
	Helo        string          `json:"helo"`
	ReturnPath  string          `json:"return_path"`
	Recipients  []string        `json:"recipients"`
	Trace       string          `json:"trace,omitempty"`
}

func incomingRowOf(m desk.IncomingMail) incomingRow {
	return incomingRow{
		Blob: m.Blob, Size: m.Size, Fingerprint: `\x` + hex.EncodeToString(m.Fingerprint), Source: m.Source, Mailbox: storable(m.Mailbox),
		Client: m.Client, Helo: storable(m.Helo), ReturnPath: storable(m.ReturnPath), Recipients: storableAll(m.Recipients),
	}
}

// addMails stores mails that wait, with one commit. If PostgreSQL refuses them, nothing was stored, and each is tried alone.
func (s *Store) addMails(ctx context.Context, items []*mailItem) {
	err := s.addTogether(ctx, items)
	for _, i := range items {
		switch {
		case i.Value.id != 0:
			i.Finish(nil)
		case len(items) > 1 && changedNothing(err):
			i.Finish(s.addTogether(ctx, []*mailItem{i}))
		default:
			i.Finish(err)
		}
	}
}

// addedMails are the mails of the argument @mails.
const (
	addedMails = ` FROM jsonb_to_recordset(@mails) AS m (thread text, blob text, size bigint, fingerprint bytea, source text, mailbox text,
		client text, helo text, return_path text, recipients text[], trace text) `
	addedColumns = ` thread, blob, size, fingerprint, source, mailbox, client, helo, return_path, recipients, trace `
)

// addTogether stores mails and sets their IDs.
func (s *Store) addTogether(ctx context.Context, items []*mailItem) error {
	ctx, cancel := context.WithTimeout(ctx, statementTimeout)
	defer cancel()
	waiting := make([]*addedMail, len(items))
	for i, item := range items {
		waiting[i] = item.Value
	}
	for len(waiting) > 0 { // again if an earlier mail is deleted meanwhile
		if err := s.addSome(ctx, &waiting, `INSERT INTO incoming_mails (`+addedColumns+`) SELECT `+addedColumns+addedMails+`
			ON CONFLICT (fingerprint) WHERE status NOT IN ('duplicate', 'deleted') DO NOTHING RETURNING blob, id`); err != nil {
			return err
		}
		// The earlier mail is visible to a new statement only.
		if err := s.addSome(ctx, &waiting, `INSERT INTO incoming_mails (`+addedColumns+`, status, duplicate_of, processed_at)
			SELECT m.thread, m.blob, m.size, m.fingerprint, m.source, m.mailbox, m.client, m.helo, m.return_path, m.recipients, m.trace,
				'duplicate', earlier.id, clock_timestamp() `+addedMails+`
			JOIN incoming_mails earlier ON earlier.fingerprint = m.fingerprint AND earlier.status NOT IN ('duplicate', 'deleted') RETURNING blob, id`); err != nil {
			return err
		}
	}
	return nil
}

// addSome runs a statement that stores some of the mails that wait, and removes those from them.
func (s *Store) addSome(ctx context.Context, waiting *[]*addedMail, statement string) error {
	if len(*waiting) == 0 {
		return nil
	}
	rows, byBlob := make([]incomingRow, len(*waiting)), make(map[string]*addedMail, len(*waiting))
	for i, a := range *waiting {
		rows[i], byBlob[a.row.Blob] = a.row, a
	}
	mails, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode mails: %w", err)
	}
	var (
		blob string
		id   int64
	)
	added, _ := s.pool.Query(ctx, statement, pgx.StrictNamedArgs{"mails": mails})
	_, err = pgx.ForEachRow(added, []any{&blob, &id}, func() error {
		byBlob[blob].id = id
		return nil
	})
	*waiting = slices.DeleteFunc(*waiting, func(a *addedMail) bool { return a.id != 0 })
	return err
}
