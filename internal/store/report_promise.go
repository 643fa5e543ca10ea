package store

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
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
	found := make([][]chargedCount, len(names))
	group, reading := errgroup.WithContext(ctx)
	for i, name := range names {
		group.Go(func() (err error) {
			found[i], err = s.promises(reading, name, f, weeks)
			return err
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
		for _, one := range found[i] {
			c := charges[one.to]
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

// promises counts the SLA records of one clock. They are transferred as one byte string a week and grouped here:
// PostgreSQL takes too long for a report to group 100,000 rows or to send them one by one.
func (s *Store) promises(ctx context.Context, name policy.ClockName, f report.PromiseFilter, weeks []time.Time) ([]chargedCount, error) {
	begins, ends := weekSpans(f.From, f.To, weeks)
	args := pgx.StrictNamedArgs{"clock": name, "begins": begins, "ends": ends}
	taken, condition := "taken", ""
	if f.Measure == report.MeasureCounted {
		taken = "counted"
	}
	if f.Priority != "" || f.Category != "" || f.Agent != "" {
		condition = `AND charge IN (
			SELECT c.id FROM charges c LEFT JOIN people a ON a.id = c.agent
			WHERE (@priority = '' OR c.priority = @priority) AND (@category = '' OR c.category = @category)
				AND (@agent = '' OR a.id = @agent OR lower(a.handle) = lower(@agent)))`
		args["priority"], args["category"], args["agent"] = f.Priority, f.Category, f.Agent
	}
	rows, _ := s.pool.Query(ctx, `
		SELECT w.n::int - 1, packed
		FROM unnest(@begins::timestamptz[], @ends::timestamptz[]) WITH ORDINALITY AS w (begins, ends, n),
			LATERAL (SELECT string_agg(int8send(
				(charge::bigint << 40) | (sla_status::int::bigint << 32) | coalesce(`+taken+`::bigint, 4294967295)), '') AS packed
				FROM promises WHERE clock = @clock AND submitted_at >= w.begins AND submitted_at < w.ends `+condition+`) p
		WHERE packed IS NOT NULL`, args)
	var found []chargedCount
	var week int
	var packed pgtype.DriverBytes // valid until the next row, which is long enough
	_, err := pgx.ForEachRow(rows, []any{&week, &packed}, func() error {
		found = unpack(found, packed, name, week)
		return nil
	})
	return found, err
}

// slaStatuses maps the letters of the column sla_status.
var slaStatuses = map[byte]ticket.SLAStatus{
	'p': ticket.SLAPending, 'm': ticket.SLAMet, 'b': ticket.SLABreached, 'c': ticket.SLACancelled,
}

// unpack groups the SLA records of a week. Each is eight bytes: three of the charge's ID, one letter of the status, and
// four of the seconds taken, -1 if the target was not reached.
func unpack(found []chargedCount, packed []byte, name policy.ClockName, week int) []chargedCount {
	const size = 8
	index := map[uint32]int{}
	for ; len(packed) >= size; packed = packed[size:] {
		key := binary.BigEndian.Uint32(packed) // charge and status
		i, known := index[key]
		if !known {
			i = len(found)
			index[key] = i
			found = append(found, chargedCount{report.PromiseCount{Clock: name, Week: week, SLAStatus: slaStatuses[byte(key)]}, int32(key >> 8)})
		}
		found[i].Count++
		if taken := int32(binary.BigEndian.Uint32(packed[4:])); taken >= 0 {
			found[i].Taken = append(found[i].Taken, taken)
		}
	}
	return found
}
