package store

import (
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Promises counts the SLA records of a period by week, where weeks are the starts in ascending order. Both clocks are
// read at once, each on its own connection.
func (s *Store) Promises(ctx context.Context, f report.PromiseFilter, weeks []time.Time) ([]report.PromiseCount, error) {
	names := policy.ClockNames()
	found := make([]promiseCounter, len(names))
	group, reading := errgroup.WithContext(ctx)
	for i, name := range names {
		group.Go(func() error {
			return found[i].count(reading, s.pool, name, f, weeks)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, explain(err, "count promises")
	}
	charges, err := s.charges(ctx) // last, so that all charges referred to above are included
	if err != nil {
		return nil, explain(err, "count promises")
	}
	var cells []report.PromiseCount
	for i := range names {
		for _, one := range found[i].counts {
			c := charges[one.to]
			if !c.selectedBy(f) {
				continue
			}
			one.Priority, one.Category = c.Priority, c.Category
			one.Agent = desk.Ref{ID: c.Agent, Name: c.Name, Handle: c.Handle, Role: c.Role}
			cells = append(cells, one.PromiseCount)
		}
	}
	return cells, nil
}

// weekSpans returns the start and the end of each week, limited to the period. Reading one span after the other by an
// index is faster than computing the week of each row.
func weekSpans(from, to time.Time, weeks []time.Time) (begins, ends []time.Time) {
	for i, week := range weeks {
		end := to
		if i+1 < len(weeks) {
			end = weeks[i+1]
		}
		if week.Before(from) {
			week = from
		}
		begins, ends = append(begins, week), append(ends, end)
	}
	return begins, ends
}

// charge is a combination of priority, category and agent that SLA records are counted under.
type charge struct {
	ID       int32
	Priority policy.Priority
	Category string
	Agent    ticket.PersonID
	Name     string
	Handle   string
	Role     ticket.Role
}

func (c charge) selectedBy(f report.PromiseFilter) bool {
	return (f.Priority == "" || f.Priority == c.Priority) && (f.Category == "" || f.Category == c.Category) &&
		(f.Agent == "" || f.Agent == string(c.Agent) || c.Handle != "" && strings.EqualFold(f.Agent, c.Handle))
}

// charges returns all charges by ID.
func (s *Store) charges(ctx context.Context) (map[int32]charge, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT c.id, c.priority, c.category, coalesce(a.id, '') AS agent, coalesce(a.name, '') AS name,
			coalesce(a.handle, '') AS handle, coalesce(a.role, '') AS role
		FROM charges c LEFT JOIN people a ON a.id = c.agent`)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[charge])
	byID := make(map[int32]charge, len(found))
	for _, c := range found {
		byID[c.ID] = c
	}
	return byID, err
}

// chargedCount is a count whose charge is known only by its ID.
type chargedCount struct {
	report.PromiseCount
	to int32
}

// promiseCounter counts the SLA records of one clock. They are transferred as byte strings and grouped here: PostgreSQL takes
// too long for a report to group 100,000 rows or to send them one by one.
type promiseCounter struct {
	clock  policy.ClockName
	counts []chargedCount
	index  map[uint64]int // of the counts, by week, charge and status
}

// timeSpan is a part of a week: [begin, end).
type timeSpan struct {
	week       int
	begin, end time.Time
}

// count counts the records of a period from the packs of its spans, see PackPromises, and reads the rest row by row. It sees
// one state of the database: a change of a row is noted for its span in the same transaction.
func (c *promiseCounter) count(ctx context.Context, pool *pgxpool.Pool, clock policy.ClockName, f report.PromiseFilter, weeks []time.Time) error {
	c.clock, c.index = clock, map[uint64]int{}
	taken := "taken"
	if f.Measure == report.MeasureCounted {
		taken = "counted"
	}
	begins, ends := weekSpans(f.From, f.To, weeks)
	return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rest, err := c.countPacked(ctx, tx, taken, begins, ends)
		if err != nil || len(rest) == 0 {
			return err
		}
		return c.countRows(ctx, tx, taken, rest)
	})
}

// countPacked counts the records of spans that are packed and not stale, and returns the rest of the period. A span without a
// pack has no records.
func (c *promiseCounter) countPacked(ctx context.Context, tx pgx.Tx, taken string, begins, ends []time.Time) (rest []timeSpan, err error) {
	rows, _ := tx.Query(ctx, `
		SELECT w.n::int - 1, s.span, coalesce(p.`+taken+`, '')
		FROM unnest(@begins::timestamptz[], @ends::timestamptz[]) WITH ORDINALITY AS w (begins, ends, n)
			JOIN promise_spans s ON s.span >= w.begins AND s.span <= w.ends - @length::interval
				AND NOT EXISTS (SELECT FROM promise_changes c WHERE c.span = s.span)
			LEFT JOIN promise_packs p ON p.span = s.span AND p.clock = @clock
		ORDER BY w.n, s.span`,
		pgx.StrictNamedArgs{"clock": c.clock, "begins": begins, "ends": ends, "length": packSpan})
	var week int
	var span time.Time
	var packed pgtype.DriverBytes               // valid until the next row, which is long enough
	counted := append([]time.Time{}, begins...) // by week: until when there is no rest
	_, err = pgx.ForEachRow(rows, []any{&week, &span, &packed}, func() error {
		if counted[week].Before(span) {
			rest = append(rest, timeSpan{week, counted[week], span})
		}
		counted[week] = span.Add(packSpan)
		c.unpack(packed, week)
		return nil
	})
	for week, end := range ends {
		if counted[week].Before(end) {
			rest = append(rest, timeSpan{week, counted[week], end})
		}
	}
	return rest, err
}

func (c *promiseCounter) countRows(ctx context.Context, tx pgx.Tx, taken string, spans []timeSpan) error {
	var weeks []int
	var begins, ends []time.Time
	for _, s := range spans {
		weeks, begins, ends = append(weeks, s.week), append(begins, s.begin), append(ends, s.end)
	}
	rows, _ := tx.Query(ctx, `
		SELECT s.week, packed
		FROM unnest(@weeks::int[], @begins::timestamptz[], @ends::timestamptz[]) AS s (week, begins, ends),
			LATERAL (SELECT `+packedRecords(taken)+` AS packed
				FROM promises WHERE clock = @clock AND submitted_at >= s.begins AND submitted_at < s.ends) p
		WHERE packed IS NOT NULL`, pgx.StrictNamedArgs{"clock": c.clock, "weeks": weeks, "begins": begins, "ends": ends})
	var week int
	var packed pgtype.DriverBytes
	_, err := pgx.ForEachRow(rows, []any{&week, &packed}, func() error {
		c.unpack(packed, week)
		return nil
	})
	return err
}

// slaStatuses maps the letters of the column sla_status.
var slaStatuses = map[byte]ticket.SLAStatus{
	'p': ticket.SLAPending, 'm': ticket.SLAMet, 'b': ticket.SLABreached, 'c': ticket.SLACancelled,
}

// unpack counts SLA records of a week. Each is eight bytes: three of the charge's ID, one letter of the status, and four of
// the seconds taken, -1 if the target was not reached.
func (c *promiseCounter) unpack(packed []byte, week int) {
	const size = 8
	for ; len(packed) >= size; packed = packed[size:] {
		key := binary.BigEndian.Uint32(packed) // charge and status
		i, known := c.index[uint64(week)<<32|uint64(key)]
		if !known {
			i = len(c.counts)
			c.index[uint64(week)<<32|uint64(key)] = i
			one := report.PromiseCount{Clock: c.clock, Week: week, SLAStatus: slaStatuses[byte(key)]}
			c.counts = append(c.counts, chargedCount{one, int32(key >> 8)})
		}
		c.counts[i].Count++
		if taken := int32(binary.BigEndian.Uint32(packed[4:])); taken >= 0 {
			c.counts[i].Taken = append(c.counts[i].Taken, taken)
		}
	}
}
