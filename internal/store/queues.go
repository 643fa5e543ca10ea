package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// mostCounted is as far as a queue is counted: nobody works from a longer one by its number.
const mostCounted = 1000

// QueueCounts counts the tickets in each queue as its viewer sees it, up to a thousand: what the queue's list shows.
func (s *Store) QueueCounts(ctx context.Context, viewer desk.Person) (map[desk.Queue]int, error) {
	var counts []string
	args := pgx.StrictNamedArgs{"limit": mostCounted}
	for _, queue := range desk.Queues() {
		q := listing{args: args}
		f := desk.Filter{Viewer: viewer, Queue: queue}
		q.where(`true`)
		q.statuses(f)
		q.queue(f)
		counts = append(counts, fmt.Sprintf(`(SELECT count(*) FROM (SELECT FROM tickets t WHERE %s LIMIT @limit) q)`,
			strings.Join(q.conditions, " AND ")))
	}
	rows, err := s.pool.Query(ctx, `SELECT ARRAY[`+strings.Join(counts, ", ")+`]`, args)
	if err != nil {
		return nil, explain(err, "count the queues")
	}
	found, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[[]int])
	if err != nil {
		return nil, explain(err, "count the queues")
	}
	result := map[desk.Queue]int{}
	for i, queue := range desk.Queues() {
		result[queue] = found[i]
	}
	return result, nil
}
