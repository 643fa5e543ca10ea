package store

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Promises counts the promises of a period, by the weeks that begin at the given instants, ascending. Both clocks are
// counted at once, each on a connection of its own.
func (s *Store) Promises(ctx context.Context, f desk.PromiseFilter, weeks []time.Time) ([]desk.PromiseCell, error) {
	names := policy.ClockNames()
	counted := make([][]desk.PromiseCell, len(names))
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range names {
		group.Go(func() (err error) {
			counted[i], err = s.promises(ctx, name, f, weeks)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, explain(err, "count promises")
	}
	var all []desk.PromiseCell
	for _, cells := range counted {
		all = append(all, cells...)
	}
	return all, nil
}

type promiseRow struct {
	Week     int
	Verdict  ticket.Verdict
	Priority policy.Priority
	Category string
	Agent    ticket.PersonID
	Name     string
	Handle   string
	Role     ticket.Role
	Count    int
	Taken    []byte
}

func (s *Store) promises(ctx context.Context, name policy.ClockName, f desk.PromiseFilter, weeks []time.Time) ([]desk.PromiseCell, error) {
	conditions := []string{"clock = @clock", "submitted_at >= @from", "submitted_at < @to"}
	args := pgx.StrictNamedArgs{"clock": name, "from": f.From, "to": f.To, "weeks": weeks}
	for column, value := range map[string]string{"priority": string(f.Priority), "category": f.Category} {
		if value != "" {
			conditions = append(conditions, column+" = @"+column)
			args[column] = value
		}
	}
	if f.Agent != "" {
		conditions = append(conditions, "agent = (SELECT id FROM people WHERE id = @agent OR lower(handle) = lower(@agent))")
		args["agent"] = f.Agent
	}
	taken := "taken"
	if f.Measure == desk.MeasureCounted {
		taken = "counted"
	}
	// The times travel as one string of bytes a cell: 100,000 elements of an array take longer than the counting.
	var cells []desk.PromiseCell
	err := s.within(ctx, func(tx pgx.Tx) error {
		// PostgreSQL expects far more groups than there are, and would write them to disk.
		if _, err := tx.Exec(ctx, `SET LOCAL work_mem = '64MB'`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
		SELECT c.week - 1 AS week, c.verdict, c.priority, c.category, c.count, c.taken, coalesce(a.id, '') AS agent,
			coalesce(a.name, '') AS name, coalesce(a.handle, '') AS handle, coalesce(a.role, '') AS role
		FROM (
			SELECT width_bucket(submitted_at, @weeks::timestamptz[]) AS week, verdict, priority, category, agent, count(*),
				coalesce(string_agg(int4send(`+taken+`), ''), '') AS taken
			FROM promises WHERE `+strings.Join(conditions, " AND ")+`
			GROUP BY 1, 2, 3, 4, 5) c
		LEFT JOIN people a ON a.id = c.agent`, args)
		if err != nil {
			return err
		}
		cells, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.PromiseCell, error) {
			r, err := pgx.RowToStructByName[promiseRow](row)
			return r.cell(name), err
		})
		return err
	})
	return cells, err
}

func (r promiseRow) cell(name policy.ClockName) desk.PromiseCell {
	c := desk.PromiseCell{
		Clock: name, Week: r.Week, Verdict: r.Verdict, Priority: r.Priority, Category: r.Category, Count: r.Count,
		Agent: desk.Ref{ID: r.Agent, Name: r.Name, Handle: r.Handle, Role: r.Role},
		Taken: make([]int32, len(r.Taken)/4),
	}
	for i := range c.Taken {
		b := r.Taken[4*i:]
		c.Taken[i] = int32(b[0])<<24 | int32(b[1])<<16 | int32(b[2])<<8 | int32(b[3])
	}
	return c
}
