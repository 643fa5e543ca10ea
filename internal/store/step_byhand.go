package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// handRow is a command that is made of a signal by hand.
type handRow struct {
	Seq       int64           `json:"seq"`
	Verb      ticket.Verb     `json:"verb"`
	Assignee  ticket.PersonID `json:"assignee"`
	Priority  policy.Priority `json:"priority"`
	Category  string          `json:"category"`
	Emergency string          `json:"emergency"`
	Extension int64           `json:"extension"`
	Policy    int64           `json:"policy"`
	Malformed bool            `json:"malformed"`
	Key       string          `json:"key"`
	Run       string          `json:"run"`
	Repeats   int64           `json:"repeats"` // 0: none
}

// number makes commands of signals that came by hand, in their order, each once. What can't be read becomes a command too:
// its refusal is the answer that whoever sent it sees. So does a signal that another run of the workflow has delivered
// before: after a reset, it may be that one again, or another one that says the same.
func (l *locked) number(ctx context.Context, hands []ticket.ByHand) error {
	for _, h := range hands {
		l.hands = append(l.hands, h.Key)
	}
	known, err := l.numbered(ctx, hands)
	if err != nil {
		return err
	}
	var rows []handRow
	agents := map[string]ticket.PersonID{}
	for _, h := range hands {
		again := repeatKey(h)
		if known[again].seq != 0 || known[h.Key].seq != 0 && known[h.Key].run == h.Run {
			continue
		}
		row, err := l.handRow(ctx, h, agents)
		if err != nil {
			return err
		}
		if before := known[h.Key].seq; before != 0 {
			row = handRow{Verb: h.Verb, Key: again, Run: h.Run, Repeats: before}
		}
		row.Seq = l.last + 1
		l.last++
		known[row.Key] = numbered{seq: row.Seq, run: h.Run}
		rows = append(rows, row)
	}
	return l.insertHands(ctx, rows)
}

func repeatKey(h ticket.ByHand) string { return h.Key + " again by " + h.Run }

type numbered struct {
	seq int64
	run string
}

// numbered finds signals that are commands already, by their keys.
func (l *locked) numbered(ctx context.Context, hands []ticket.ByHand) (map[string]numbered, error) {
	var keys []string
	for _, h := range hands {
		keys = append(keys, h.Key, repeatKey(h))
	}
	rows, err := l.tx.Query(ctx, `SELECT hand_key, seq, coalesce(hand_run, '') FROM commands WHERE ticket = $1 AND hand_key = ANY ($2)`,
		l.state.Ticket.Number, keys)
	if err != nil {
		return nil, err
	}
	known := map[string]numbered{}
	var key string
	var n numbered
	_, err = pgx.ForEachRow(rows, []any{&key, &n.seq, &n.run}, func() error {
		known[key] = n
		return nil
	})
	return known, err
}

// handRow looks each agent up once, and keeps who it is among agents; empty: none.
func (l *locked) handRow(ctx context.Context, h ticket.ByHand, agents map[string]ticket.PersonID) (handRow, error) {
	h = h.Checked()
	row := handRow{
		Verb: h.Verb, Priority: h.Priority, Category: h.Category, Emergency: h.Emergency,
		Extension: int64(h.Extension / time.Second), Policy: h.Policy, Malformed: h.Malformed, Key: h.Key, Run: h.Run,
	}
	if _, known := agents[h.Agent]; !known && h.Agent != "" {
		agent, err := l.store.staff(ctx, l.tx, h.Agent)
		if err != nil && !errors.Is(err, errNobody) { // the domain refuses an assignment to no one
			return row, err
		}
		agents[h.Agent] = agent.ID
	}
	row.Assignee = agents[h.Agent]
	return row, nil
}

// insertHands stores the commands, together or, if the schema refuses one for what is in it, one by one: that one is
// stored as a command that can't be read.
func (l *locked) insertHands(ctx context.Context, rows []handRow) error {
	if len(rows) == 0 {
		return nil
	}
	err := l.insertSome(ctx, rows)
	if !unrecordable(err) {
		return err
	}
	if len(rows) == 1 {
		refused := handRow{Seq: rows[0].Seq, Verb: rows[0].Verb, Key: rows[0].Key, Run: rows[0].Run, Malformed: true}
		return l.insertSome(ctx, []handRow{refused})
	}
	for _, row := range rows {
		if err := l.insertHands(ctx, []handRow{row}); err != nil {
			return err
		}
	}
	return nil
}

// insertSome inserts behind a savepoint, so that a refusal leaves the transaction usable.
func (l *locked) insertSome(ctx context.Context, rows []handRow) error {
	data, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("encode the signals by hand: %w", err)
	}
	return pgx.BeginFunc(ctx, l.tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO commands (ticket, seq, verb, by_role, accepted_at, assignee, priority, category, emergency, extension,
			                      policy, malformed, hand_key, hand_run, repeats)
			SELECT @ticket, h.seq, h.verb, @role, @at, nullif(h.assignee, ''), nullif(h.priority, ''), nullif(h.category, ''),
				nullif(h.emergency, ''), h.extension, (SELECT version FROM policies WHERE version = h.policy), h.malformed,
				h.key, h.run, nullif(h.repeats, 0)
			FROM jsonb_to_recordset(@rows) AS h (seq bigint, verb text, assignee text, priority text, category text, emergency text,
				extension bigint, policy bigint, malformed boolean, key text, run text, repeats bigint)`,
			pgx.StrictNamedArgs{
				"ticket": l.state.Ticket.Number, "role": ticket.RoleOperator, "at": l.now, "rows": data,
			})
		return err
	})
}

// queueOutcomes reads what was decided of the signals and updates by hand, in this step or, if it is asked again, before.
func (l *locked) queueOutcomes(batch *pgx.Batch) *[]ticket.ByHandOutcome {
	var outcomes []ticket.ByHandOutcome
	if len(l.hands) > 0 {
		batch.Queue(`
			SELECT c.hand_key, o.refused, o.code FROM commands c JOIN outcomes o USING (ticket, seq)
			WHERE c.ticket = $1 AND c.hand_key = ANY ($2) ORDER BY c.seq`,
			l.state.Ticket.Number, l.hands).Query(func(rows pgx.Rows) (err error) {
			outcomes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.ByHandOutcome])
			return err
		})
	}
	return &outcomes
}
