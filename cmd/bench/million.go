package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/store"
)

// million measures lists, search, reports and pages of a desk with many tickets, beside the bare answer of the same server.
// The tickets are those of the demonstration. Temporal is stopped: it would be busy with the open ones, and none of this
// needs it.
func million(b *bench) error {
	s, err := b.startWorking()
	if err != nil {
		return err
	}
	defer s.stop()
	s.temporal.Kill()
	if err := s.addDemo(b.ctx, b.scaled(b.settings.Tickets), b.scaled(b.settings.Open)); err != nil {
		return err
	}
	db, err := store.Open(b.ctx, s.postgres.DSN("supportdesk"), store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	browser, err := s.signIn(b.ctx, account.New(db.Accounts(), s.base), s.supervisor)
	if err != nil {
		return err
	}
	var ticket string
	if err := s.pool.QueryRow(b.ctx, `SELECT number FROM tickets WHERE status = 'open' ORDER BY events DESC, number LIMIT 1`).Scan(&ticket); err != nil {
		return err
	}
	bare, err := s.readsOf(b.ctx, http.DefaultClient, "/healthz")
	if err != nil {
		return err
	}
	for _, read := range reads(ticket) {
		taken, err := s.readsOf(b.ctx, browser, read.path)
		if err != nil {
			return err
		}
		f := millis(read.name+", p50", taken.percentile(50), taken.len()).beside(inMillis(bare.percentile(50)), "bare answer")
		if read.most > 0 {
			f = f.atMost(read.most)
		}
		f.Note = fmt.Sprintf("p95 %s ms", number(inMillis(taken.percentile(95))))
		b.report.add(f)
	}
	return nil
}

// read is a path of the server.
type read struct {
	name, path string
	most       float64 // ms; 0: no aim
}

func reads(ticket string) []read {
	from := time.Now().UTC().AddDate(0, 0, -83).Format(time.DateOnly)
	return []read{
		{"list, all", "/api/v1/tickets?queue=all&limit=100", 0},
		{"list, unassigned", "/api/v1/tickets?queue=unassigned&limit=100", 0},
		{"list, due soon", "/api/v1/tickets?queue=due-soon&limit=100", 0},
		{"list, breached", "/api/v1/tickets?queue=breached&limit=100", 0},
		{"list, closed", "/api/v1/tickets?status=closed&limit=100", 0},
		// Words of the demonstration: in few tickets, in one of thirty, in most.
		{"search, a rare word", "/api/v1/tickets?q=needed", 0},
		{"search, a common word", "/api/v1/tickets?q=yet", 0},
		{"search, a word of most tickets", "/api/v1/tickets?q=the", 0},
		{"ticket", "/api/v1/tickets/" + ticket, 0},
		{"timeline", "/api/v1/tickets/" + ticket + "/timeline", 0},
		{"report on promises, twelve weeks", "/api/v1/reports/promises?from=" + from, 100},
		{"report on promises, counted time of a category", "/api/v1/reports/promises?measure=counted&category=delivery&from=" + from, 100},
		{"page of the desk", "/desk", 0},
		{"page of a queue", "/desk?queue=all", 0},
		{"page of a ticket", "/desk/tickets/" + ticket, 0},
		{"page of supervision", "/supervision", 0},
		{"page of promises", "/supervision/promises", 100},
	}
}

// demoCopies is how often each ticket of the demonstration is there. Simulating the life of a million different ones takes an hour.
const demoCopies = 20

// addDemo adds the tickets, and waits until the database is as it would be after weeks: vacuumed, and reports prepared.
func (s *stack) addDemo(ctx context.Context, tickets, open int) error {
	tickets, open = max(1, tickets/demoCopies), max(1, open/demoCopies)
	if _, err := s.command(ctx, "demo", "--tickets", strconv.Itoa(tickets), "--open", strconv.Itoa(open)); err != nil {
		return err
	}
	if err := s.copyTickets(ctx, demoCopies-1); err != nil {
		return fmt.Errorf("copy the tickets: %w", err)
	}
	if _, err := s.pool.Exec(ctx, `VACUUM ANALYZE`); err != nil {
		return err
	}
	// The newest span of four hours has not ended.
	return s.awaitCount(ctx, 1, `SELECT count(*) FROM promise_spans HAVING max(span) > now() - interval '9 hours'
		AND min(span) <= (SELECT min(submitted_at) FROM promises) AND NOT EXISTS (SELECT FROM promise_changes WHERE span <= now() - interval '4 hours') UNION ALL SELECT 0 LIMIT 1`)
}

const (
	readsOfEach = 20
	// mostCold is how often a path may be answered with an error until what it needs is in memory.
	mostCold = 5
)

// readsOf asks for a path several times, and before that until it is answered.
func (s *stack) readsOf(ctx context.Context, browser *http.Client, path string) (*samples, error) {
	read := func(ctx context.Context, _, _ int) error {
		address, err := url.Parse(s.base + path)
		if err != nil {
			return err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
		if err != nil {
			return err
		}
		response, err := browser.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		text, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s %.200s", path, response.Status, text)
		}
		return err
	}
	for try := 1; ; try++ {
		if err := read(ctx, 0, 0); err == nil {
			break
		} else if try == mostCold || ctx.Err() != nil {
			return nil, err
		}
	}
	taken, _, err := each(ctx, 1, readsOfEach, read)
	return taken, err
}

// copyTickets adds copies of all tickets, with numbers of their own. They are read only: no trigger or foreign key checks them.
func (s *stack) copyTickets(ctx context.Context, copies int) error {
	conn, err := pgx.Connect(ctx, s.postgres.SuperuserDSN("supportdesk"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var messages int64
	if err := conn.QueryRow(ctx, `SELECT max(id) FROM messages`).Scan(&messages); err != nil {
		return err
	}
	for _, statement := range []string{
		`SET session_replication_role = replica`,
		// Another letter for each: numbers are of ten random ones.
		`CREATE FUNCTION pg_temp.copied(number text, copy int) RETURNS text IMMUTABLE LANGUAGE sql AS $$
			SELECT split_part(number, '-', 1) || '-' || translate(split_part(number, '-', 2), letters, right(letters, -copy) || left(letters, copy))
			FROM (SELECT '0123456789ABCDEFGHJKMNPQRSTVWXYZ' AS letters) l $$`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	message := fmt.Sprintf("%%s + copy * %d", messages)
	changed := map[string]string{
		"number": "pg_temp.copied(number, copy)", "ticket": "pg_temp.copied(ticket, copy)", "follows": "pg_temp.copied(follows, copy)",
		"id": fmt.Sprintf(message, "id"), "message": fmt.Sprintf(message, "message"),
		"state": "jsonb_set(state, '{ticket,number}', to_jsonb(pg_temp.copied(number, copy)))",
		"data":  "CASE WHEN data ? 'message' THEN jsonb_set(data, '{message}', to_jsonb(" + fmt.Sprintf(message, "(data->>'message')::bigint") + ")) ELSE data END",
	}
	for _, table := range []string{"tickets", "messages", "commands", "outcomes", "events", "deliveries", "ratings", "participants", "promises"} {
		columns, err := s.columnsOf(ctx, table)
		if err != nil {
			return err
		}
		var names, values []string
		for _, column := range columns {
			names, values = append(names, column.Name), append(values, cmp.Or(changed[column.Name], column.Name))
		}
		_, err = conn.Exec(ctx, fmt.Sprintf(`INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s, generate_series(1, %d) copy%s`,
			table, strings.Join(names, ", "), strings.Join(values, ", "), table, copies, map[bool]string{true: " WHERE ticket IS NOT NULL"}[table == "deliveries"]))
		if err != nil {
			return fmt.Errorf("%s: %w", table, err)
		}
	}
	// What the trigger of promises records, as if it were long ago: reports are prepared some minutes after a change.
	_, err = conn.Exec(ctx, `INSERT INTO promise_changes SELECT DISTINCT date_bin('4 hours', submitted_at, '2000-01-01 00:00:00Z'), now() - interval '1 hour' FROM promises`)
	return err
}
