package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// stepTx is the transaction of a step. It holds the ticket's row lock and shares the lock of the emergency schedule.
type stepTx struct {
	recipients
	store         *Store
	tx            pgx.Tx
	number        ticket.Number
	epoch         int64            // part of the Message-IDs of the step's deliveries
	undecided     []ticket.Command // the first commands without an outcome
	notifications []notification   // to be sent after the commit
}

// StepTx implements app.StepStore. Without what few steps need, it takes two round trips: one that locks and reads the ticket
// and its commands, and that of Write.
func (s *Store) StepTx(ctx context.Context, n ticket.Number, fn func(app.LockedTicket, app.StepTx) error) error {
	st := &stepTx{store: s, number: n}
	var l lockedRow
	err := s.withinBatches(ctx, func(batch *pgx.Batch) { st.queueLock(batch, &l) }, func(tx pgx.Tx) error {
		st.recipients, st.tx = recipients{tx}, tx
		if err := st.complete(ctx, &l); err != nil {
			return err
		}
		return fn(l.LockedTicket, st)
	})
	if err == nil {
		s.notifier.send(st.notifications...)
	}
	return explain(err, "step ticket %s", n)
}

// lockedRow is a locked ticket as it is read. The policy, the schedule and a draft's state are not part of its row.
type lockedRow struct {
	app.LockedTicket
	requester         ticket.PersonID
	version, revision int64
	state             *ticket.State
}

// queueLock locks the ticket and reads it, with its first undecided commands. Its error is errNoTicket if there is no ticket.
func (st *stepTx) queueLock(batch *pgx.Batch, l *lockedRow) {
	batch.Queue(shareSchedule, scheduleLock)
	batch.Queue(`SELECT requester, policy, last_command, latest_at, state, nullif(transitions_until, '-infinity'), `+parkedColumn+`,
			(SELECT disabled_at IS NOT NULL AND merged_into IS NULL FROM people WHERE id = t.requester)
		FROM tickets t WHERE number = $1 FOR UPDATE`, st.number).
		QueryRow(func(row pgx.Row) error {
			err := row.Scan(&l.requester, &l.version, &l.Last, &l.Latest, &l.state, nullable(&l.Passed), &l.Parked, &l.Env.RequesterDisabled)
			return missing(err, errNoTicket)
		})
	// The clock is read once both locks are held: whatever is accepted from here on is accepted later.
	batch.Queue(`SELECT date_trunc('second', clock_timestamp()), revision, number FROM emergency_schedule, epoch`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&l.Clock, &l.revision, &st.epoch) })
	batch.Queue(commandsSQL+`(SELECT taken FROM tickets WHERE number = $1) ORDER BY c.seq LIMIT $2`, st.number, app.MaxCommands).
		Query(func(rows pgx.Rows) (err error) {
			st.undecided, err = collectCommands(rows)
			return err
		})
}

// complete adds to a locked ticket what is cached. Before its first step the ticket is a draft.
func (st *stepTx) complete(ctx context.Context, l *lockedRow) (err error) {
	if l.Env.Policy, err = st.Policy(ctx, l.version); err != nil {
		return err
	}
	if l.Env.Schedule, err = st.store.scheduleSince(ctx, st.tx, l.revision); err != nil {
		return err
	}
	if l.state == nil {
		l.state = &ticket.State{Ticket: ticket.Draft(st.number, l.requester, l.version, l.Env.Policy)}
	}
	l.State = *l.state
	return nil
}

// Policy implements app.StepTx. It returns a published version from memory where it can.
func (st *stepTx) Policy(ctx context.Context, version int64) (*policy.Policy, error) {
	return st.store.policy(ctx, st.tx, version)
}

// Staff implements app.StepTx.
func (st *stepTx) Staff(ctx context.Context, handleOrID string) (ticket.PersonID, error) {
	p, err := st.store.staff(ctx, st.tx, handleOrID)
	return p.ID, err
}

// commandColumns selects a command c, to be scanned into a commandRow. Its handle is the assignee's or else the actor's,
// since a reply assigns an unassigned ticket to whoever replies.
const commandColumns = `c.seq, c.verb, coalesce(c.by_person, '') AS by_person, c.by_role, c.accepted_at,
	coalesce(c.message, 0) AS message, coalesce(c.assignee, '') AS assignee,
	coalesce((SELECT handle FROM people WHERE id = coalesce(c.assignee, c.by_person)), '') AS handle,
	coalesce(c.priority, '') AS priority, coalesce(c.category, '') AS category, coalesce(c.emergency, '') AS emergency,
	coalesce(c.extension, 0) AS extension, coalesce(c.policy, 0) AS adopts, c.malformed, coalesce(c.repeats, 0) AS repeats,
	c.guarded, coalesce(c.expected, '') AS expected, coalesce(c.seen, 0) AS seen, c.until, coalesce(c.person, '') AS person, coalesce(c.merged, '') AS merged, c.alone, c.quiet`

type commandRow struct {
	Seq        int64
	Verb       ticket.Verb
	ByPerson   ticket.PersonID
	ByRole     ticket.Role
	AcceptedAt time.Time
	Message    int64
	Assignee   ticket.PersonID
	Handle     string
	Priority   policy.Priority
	Category   string
	Emergency  string
	Extension  int64
	Adopts     int64
	Malformed  bool
	Repeats    int64
	Guarded    bool
	Expected   ticket.PersonID
	Seen       int
	Until      instant
	Person     ticket.PersonID
	Merged     ticket.PersonID
	Alone      bool
	Quiet      bool
}

func (r commandRow) command() ticket.Command {
	return ticket.Command{
		Seq: r.Seq, Verb: r.Verb, By: ticket.Actor{ID: r.ByPerson, Role: r.ByRole}, At: r.AcceptedAt, Message: r.Message,
		Assignee: r.Assignee, Handle: r.Handle, Priority: r.Priority, Category: r.Category, Emergency: r.Emergency,
		Extension: time.Duration(r.Extension) * time.Second, Policy: r.Adopts, Malformed: r.Malformed, Repeats: r.Repeats,
		Guarded: r.Guarded, Expected: r.Expected, Seen: r.Seen, Until: time.Time(r.Until), Person: r.Person, Merged: r.Merged, Alone: r.Alone, Quiet: r.Quiet,
	}
}

// commandsSQL selects a ticket's commands numbered above a number.
const commandsSQL = `SELECT ` + commandColumns + ` FROM commands c WHERE c.ticket = $1 AND c.seq > `

func collectCommands(rows pgx.Rows) ([]ticket.Command, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ticket.Command, error) {
		r, err := pgx.RowToStructByName[commandRow](row)
		return r.command(), err
	})
}

// Commands implements app.StepTx. It returns the commands numbered after+1 to upTo, in order.
func (st *stepTx) Commands(ctx context.Context, after, upTo int64) ([]ticket.Command, error) {
	if known := st.known(after, upTo); int64(len(known)) == upTo-after {
		return known, nil
	}
	rows, _ := st.tx.Query(ctx, commandsSQL+`$2 AND c.seq <= $3 ORDER BY c.seq`, st.number, after, upTo)
	return collectCommands(rows)
}

// known returns those of the commands numbered after+1 to upTo that were read when the ticket was locked.
func (st *stepTx) known(after, upTo int64) (known []ticket.Command) {
	for _, c := range st.undecided {
		if c.Seq > after && c.Seq <= upTo {
			known = append(known, c)
		}
	}
	return known
}

// AcceptedAt implements app.StepTx.
func (st *stepTx) AcceptedAt(ctx context.Context, command int64) (at time.Time, err error) {
	if known := st.known(command-1, command); len(known) > 0 {
		return known[0].At, nil
	}
	err = st.tx.QueryRow(ctx, `SELECT accepted_at FROM commands WHERE ticket = $1 AND seq = $2`, st.number, command).Scan(&at)
	return at, err
}

// mailWait is how long after its arrival a mail that is not processed may hold up what is due on its ticket.
const mailWait = 24 * time.Hour

// WaitingMail implements app.StepTx.
func (st *stepTx) WaitingMail(ctx context.Context) (arrived time.Time, waits bool, err error) {
	err = st.tx.QueryRow(ctx, `SELECT date_trunc('second', min(received_at)) FROM incoming_mails
		WHERE thread = $1 AND status = 'received' AND received_at > clock_timestamp() - $2::interval`, st.number, mailWait).Scan(nullable(&arrived))
	return arrived, !arrived.IsZero(), err
}

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

// recipients reads the people whom mails can go to.
type recipients struct{ q querier }

// Disabled implements app.StepTx.
func (r recipients) Disabled(ctx context.Context, some []ticket.PersonID) (map[ticket.PersonID]app.Disabled, error) {
	rows, _ := r.q.Query(ctx, `SELECT id, role, coalesce(handle, '') FROM people WHERE id = ANY ($1) AND disabled_at IS NOT NULL AND merged_into IS NULL`, some)
	disabled := map[ticket.PersonID]app.Disabled{}
	var person ticket.PersonID
	var who app.Disabled
	_, err := pgx.ForEachRow(rows, []any{&person, &who.Role, &who.Handle}, func() error {
		disabled[person] = who
		return nil
	})
	return disabled, err
}

// Audience implements app.StepTx. The condition on customers is redundant, and lets the query use the index of staff,
// who are few.
func (r recipients) Audience(ctx context.Context, a policy.Audience) ([]ticket.PersonID, error) {
	role := cmp.Or(map[policy.Audience]ticket.Role{policy.NotifyAdministrators: ticket.RoleAdministrator}[a], ticket.RoleSupervisor)
	rows, _ := r.q.Query(ctx, `SELECT id FROM people WHERE role = $1 AND role <> 'customer' AND disabled_at IS NULL ORDER BY id`, role)
	return pgx.CollectRows(rows, pgx.RowTo[ticket.PersonID])
}

// StaffByHandle implements app.StepTx. The map's keys are handles in lower case.
func (r recipients) StaffByHandle(ctx context.Context, handles []string) (map[string]ticket.PersonID, error) {
	rows, _ := r.q.Query(ctx, `SELECT id, lower(handle) FROM people
		WHERE lower(handle) IN (SELECT lower(named) FROM unnest($1::text[]) named) AND role <> 'customer' AND disabled_at IS NULL`, handles)
	people := map[string]ticket.PersonID{}
	var person ticket.PersonID
	var handle string
	_, err := pgx.ForEachRow(rows, []any{&person, &handle}, func() error {
		people[handle] = person
		return nil
	})
	return people, err
}

// assignmentLock is the advisory lock that a step holds from reading a roster to its end, so that no two steps assign by
// the same turn or load. There is one for all groups, since people are in several and a step may assign more than once.
// It is the last lock that a step takes.
const assignmentLock = 0x63686f696365 // "choice"

const takeAssignmentLock = `SELECT pg_advisory_xact_lock($1)`

// Roster implements app.StepTx. The lock is taken in a statement of its own, so that the next one sees what the previous
// holder has written.
func (st *stepTx) Roster(ctx context.Context, group string) ([]ticket.Candidate, error) {
	if _, err := st.tx.Exec(ctx, takeAssignmentLock, int64(assignmentLock)); err != nil {
		return nil, err
	}
	return roster(ctx, st.tx, group)
}

// roster returns the members of a group who are available, by ID.
func roster(ctx context.Context, q querier, group string) ([]ticket.Candidate, error) {
	rows, _ := q.Query(ctx, `
		SELECT p.id, p.handle, (SELECT count(*) FROM tickets WHERE assignee = p.id AND status IN ('new', 'open', 'waiting')) AS load,
			coalesce(t.turn, 0) AS turn
		FROM people p LEFT JOIN group_turns t ON t.group_handle = @group AND t.person = p.id
		WHERE p.role <> 'customer' AND p.disabled_at IS NULL
			AND (p.away_until IS NULL OR p.away_until <= clock_timestamp())
			AND CASE WHEN @group = @everyone THEN p.role = 'agent'
				ELSE EXISTS (SELECT FROM group_members m WHERE m.group_handle = @group AND m.person = p.id) END
		ORDER BY p.id`, pgx.StrictNamedArgs{"group": group, "everyone": policy.Everyone})
	return pgx.CollectRows(rows, pgx.RowToStructByName[ticket.Candidate])
}
