package store

import (
	"context"
	"encoding/binary"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Promises counts the promises of a period, by the weeks that begin at the given instants, ascending. Both clocks are
// read at once, each on a connection of its own.
func (s *Store) Promises(ctx context.Context, f desk.PromiseFilter, weeks []time.Time) ([]desk.PromiseCell, error) {
	names := policy.ClockNames()
	packed := make([][]byte, len(names))
	group, reading := errgroup.WithContext(ctx)
	for i, name := range names {
		group.Go(func() (err error) {
			packed[i], err = s.promises(reading, name, f)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, explain(err, "count promises")
	}
	charges, err := s.charges(ctx) // last: no promise read before is charged to one that is made later
	if err != nil {
		return nil, explain(err, "count promises")
	}
	var cells []desk.PromiseCell
	for i, name := range names {
		cells = append(cells, unpack(packed[i], name, weeks, charges)...)
	}
	return cells, nil
}

// charge is what promises are charged to.
type charge struct {
	ID       int32
	Priority policy.Priority
	Category string
	Agent    ticket.PersonID
	Name     string
	Handle   string
	Role     ticket.Role
}

// charges gives all of them, by number.
func (s *Store) charges(ctx context.Context) (map[int32]charge, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT c.id, c.priority, c.category, coalesce(a.id, '') AS agent, coalesce(a.name, '') AS name,
			coalesce(a.handle, '') AS handle, coalesce(a.role, '') AS role
		FROM charges c LEFT JOIN people a ON a.id = c.agent`)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[charge])
	byID := make(map[int32]charge, len(found))
	for _, c := range found {
		byID[c.ID] = c
	}
	return byID, err
}

// promises packs those of one clock. They travel as one string of bytes and are grouped here: to group 100,000 rows, or
// to send them one by one, takes PostgreSQL longer than a report may.
func (s *Store) promises(ctx context.Context, name policy.ClockName, f desk.PromiseFilter) (packed []byte, err error) {
	taken, condition := "taken", ""
	if f.Measure == desk.MeasureCounted {
		taken = "counted"
	}
	args := pgx.StrictNamedArgs{"clock": name, "from": f.From, "to": f.To}
	if f.Priority != "" || f.Category != "" || f.Agent != "" {
		condition = `AND charge IN (
			SELECT c.id FROM charges c LEFT JOIN people a ON a.id = c.agent
			WHERE (@priority = '' OR c.priority = @priority) AND (@category = '' OR c.category = @category)
				AND (@agent = '' OR a.id = @agent OR lower(a.handle) = lower(@agent)))`
		args["priority"], args["category"], args["agent"] = f.Priority, f.Category, f.Agent
	}
	err = s.pool.QueryRow(ctx, `
		SELECT coalesce(string_agg(timestamptz_send(submitted_at) || int4send(charge) || int4send(coalesce(`+taken+`, -1)) || charsend(verdict), ''), '')
		FROM promises WHERE clock = @clock AND submitted_at >= @from AND submitted_at < @to `+condition, args).Scan(&packed)
	return packed, err
}

// verdicts are what a promise's letter stands for.
var verdicts = map[byte]ticket.Verdict{
	'o': ticket.VerdictOwed, 'k': ticket.VerdictKept, 'b': ticket.VerdictBroken, 'd': ticket.VerdictDropped,
}

// unpack groups packed promises: an instant in microseconds since 2000, a charge, the seconds taken or -1, a verdict.
func unpack(packed []byte, name policy.ClockName, weeks []time.Time, charges map[int32]charge) []desk.PromiseCell {
	const size = 8 + 4 + 4 + 1
	starts := make([]int64, len(weeks))
	for i, week := range weeks {
		starts[i] = week.Sub(time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)).Microseconds()
	}
	type key struct {
		week    int
		charge  int32
		verdict byte
	}
	index := map[key]int{}
	var cells []desk.PromiseCell
	for ; len(packed) >= size; packed = packed[size:] {
		at := int64(binary.BigEndian.Uint64(packed))
		week, begins := slices.BinarySearch(starts, at)
		if !begins {
			week--
		}
		k := key{week, int32(binary.BigEndian.Uint32(packed[8:])), packed[16]}
		i, known := index[k]
		if !known {
			i = len(cells)
			index[k] = i
			c := charges[k.charge]
			cells = append(cells, desk.PromiseCell{
				Clock: name, Week: week, Verdict: verdicts[k.verdict], Priority: c.Priority, Category: c.Category,
				Agent: desk.Ref{ID: c.Agent, Name: c.Name, Handle: c.Handle, Role: c.Role},
			})
		}
		cells[i].Count++
		if taken := int32(binary.BigEndian.Uint32(packed[12:])); taken >= 0 {
			cells[i].Taken = append(cells[i].Taken, taken)
		}
	}
	return cells
}
