package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ManualCommands implements app.StepTx. It returns those of the keys that are stored.
func (st *stepTx) ManualCommands(ctx context.Context, keys []string) (map[string]app.StoredManualCommand, error) {
	rows, _ := st.tx.Query(ctx, `SELECT manual_key, seq, coalesce(manual_run, '') FROM commands WHERE ticket = $1 AND manual_key = ANY ($2)`,
		st.number, keys)
	known := map[string]app.StoredManualCommand{}
	var key string
	var n app.StoredManualCommand
	_, err := pgx.ForEachRow(rows, []any{&key, &n.Seq, &n.Run}, func() error {
		known[key] = n
		return nil
	})
	return known, err
}

// manualRow is a manual command as it is inserted.
type manualRow struct {
	Seq       int64           `json:"seq"`
	Verb      ticket.Verb     `json:"verb"`
	Assignee  ticket.PersonID `json:"assignee"`
	Priority  policy.Priority `json:"priority"`
	Category  string          `json:"category"`
	Emergency string          `json:"emergency"`
	Extension int64           `json:"extension"`
	Policy    int64           `json:"policy"`
	Until     time.Time       `json:"until,omitzero"`
	Malformed bool            `json:"malformed"`
	Key       string          `json:"key"`
	Run       string          `json:"run"`
	Repeats   int64           `json:"repeats"` // 0: none
}

// AddManualCommands implements app.StepTx. It inserts within a savepoint, so that the step can go on if that fails.
func (st *stepTx) AddManualCommands(ctx context.Context, commands []app.ManualCommand, at time.Time) error {
	var rows []manualRow
	for _, c := range commands {
		rows = append(rows, manualRow{
			Seq: c.Seq, Verb: c.Verb, Assignee: c.Assignee, Priority: c.Priority, Category: c.Category, Emergency: c.Emergency,
			Extension: int64(c.Extension / time.Second), Policy: c.Policy, Until: c.Until, Malformed: c.Malformed, Key: c.Key, Run: c.Run, Repeats: c.Repeats,
		})
	}
	data, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode the manual commands: %w", err)
	}
	return pgx.BeginFunc(ctx, st.tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO commands (ticket, seq, verb, by_role, accepted_at, assignee, priority, category, emergency, extension,
			                      policy, until, malformed, manual_key, manual_run, repeats)
			SELECT @ticket, h.seq, h.verb, @role, @at, nullif(h.assignee, ''), nullif(h.priority, ''), nullif(h.category, ''),
				nullif(h.emergency, ''), h.extension, (SELECT version FROM policies WHERE version = h.policy), h.until, h.malformed,
				h.key, h.run, nullif(h.repeats, 0)
			FROM jsonb_to_recordset(@rows) AS h (seq bigint, verb text, assignee text, priority text, category text, emergency text,
				extension bigint, policy bigint, until timestamptz, malformed boolean, key text, run text, repeats bigint)`,
			pgx.StrictNamedArgs{"ticket": st.number, "role": ticket.RoleOperator, "at": at, "rows": data})
		return err
	})
}

// queueManualOutcomes reads the outcomes of manual commands that were decided in this step or an earlier one.
func (st *stepTx) queueManualOutcomes(batch *pgx.Batch, keys []string, into *[]ticket.ManualOutcome) {
	if len(keys) == 0 {
		return
	}
	batch.Queue(`
		SELECT c.manual_key, o.refused, o.code FROM commands c JOIN outcomes o USING (ticket, seq)
		WHERE c.ticket = $1 AND c.manual_key = ANY ($2) ORDER BY c.seq`, st.number, keys).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.ManualOutcome])
		return err
	})
}
