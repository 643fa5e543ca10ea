package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// rows inserts copies of rows that the product wrote, into tables of the same columns, checks and indexes in a schema of their
// own, without foreign keys and triggers: what it costs to store them and nothing else.
type rows struct {
	pool   *pgxpool.Pool
	copies []*rowCopy
}

type rowCopy struct {
	statement string
	values    []any
	key       int // index of the value that is replaced by a new ticket's number
}

// rowsOf prepares copies of a row from each table, selected by a ticket's number. Tables without such a row are an error.
func (s *stack) rowsOf(ctx context.Context, number string, tables ...string) (*rows, error) {
	if _, err := s.pool.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS bare`); err != nil {
		return nil, err
	}
	r := &rows{pool: s.pool}
	for _, table := range tables {
		c, err := s.copyOf(ctx, number, table)
		if err != nil {
			return nil, fmt.Errorf("copy a row of %s: %w", table, err)
		}
		r.copies = append(r.copies, c)
	}
	return r, nil
}

type column struct {
	Name, Type string
	Identity   bool
}

// columnsOf returns the columns of a table that are stored as given.
func (s *stack) columnsOf(ctx context.Context, table string) ([]column, error) {
	found, _ := s.pool.Query(ctx, `SELECT quote_ident(attname) AS name, format_type(atttypid, atttypmod) AS type, attidentity <> '' AS identity FROM pg_attribute
		WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`, table)
	return pgx.CollectRows(found, pgx.RowToStructByName[column])
}

func (s *stack) copyOf(ctx context.Context, number, table string) (*rowCopy, error) {
	_, err := s.pool.Exec(ctx, fmt.Sprintf(`CREATE TABLE IF NOT EXISTS bare.%s (LIKE %s INCLUDING ALL)`, table, table))
	if err != nil {
		return nil, err
	}
	columns, err := s.columnsOf(ctx, table)
	if err != nil {
		return nil, err
	}
	columns = slices.DeleteFunc(columns, func(c column) bool { return c.Identity })
	key := "ticket"
	if table == "tickets" {
		key = "number"
	}
	c := &rowCopy{key: -1}
	var names, parameters, texts []string
	for i, column := range columns {
		names, texts = append(names, column.Name), append(texts, column.Name+"::text")
		parameters = append(parameters, fmt.Sprintf("$%d::text::%s", i+1, column.Type))
		if column.Name == key {
			c.key = i
		}
	}
	row, _ := s.pool.Query(ctx, fmt.Sprintf(`SELECT %s FROM %s WHERE %s = $1 LIMIT 1`, strings.Join(texts, ", "), table, key), number)
	c.values, err = pgx.CollectExactlyOneRow(row, func(row pgx.CollectableRow) ([]any, error) { return row.Values() })
	c.statement = fmt.Sprintf(`INSERT INTO bare.%s (%s) VALUES (%s)`, table, strings.Join(names, ", "), strings.Join(parameters, ", "))
	return c, err
}

// insert stores the rows of a new ticket in one transaction and one round trip.
func (r *rows) insert(ctx context.Context) error {
	return r.send(ctx, &pgx.Batch{})
}

func (r *rows) send(ctx context.Context, batch *pgx.Batch) error {
	number := string(ticket.NewNumber("HM"))
	for _, c := range r.copies {
		values := append([]any(nil), c.values...)
		values[c.key] = number
		batch.Queue(c.statement, values...)
	}
	return r.pool.SendBatch(ctx, batch).Close()
}

// peer is a help desk that only stores: an HTTP server that looks up who asks, changes a ticket's row and stores the
// command and its event in one transaction, and answers with the ticket's row. No workflow, no promise, no mail.
type peer struct {
	server *http.Server
	base   string
	rows   *rows
}

// startPeer starts a peer whose commands cost the rows of a ticket's latest command.
func (s *stack) startPeer(ctx context.Context, number string, tickets []string) (*peer, error) {
	r, err := s.rowsOf(ctx, number, "commands", "events")
	if err != nil {
		return nil, err
	}
	_, err = s.pool.Exec(ctx, `CREATE TABLE bare.tickets (LIKE tickets INCLUDING ALL)`)
	if err == nil {
		_, err = s.pool.Exec(ctx, `INSERT INTO bare.tickets SELECT * FROM tickets WHERE number = ANY($1)`, tickets)
	}
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &peer{rows: r, base: "http://" + listener.Addr().String()}
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: time.Minute}
	go func() { _ = p.server.Serve(listener) }() // until stop
	return p, nil
}

func (p *peer) stop() { _ = p.server.Close() }

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	var body struct{ Priority string }
	err := json.NewDecoder(r.Body).Decode(&body)
	number := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	var view string
	if err == nil {
		var id string
		err = p.rows.pool.QueryRow(r.Context(), `SELECT id FROM people WHERE lower(handle) = lower($1)`, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")).Scan(&id)
	}
	if err == nil {
		batch := &pgx.Batch{}
		batch.Queue(`UPDATE bare.tickets SET priority = $2, updated_at = clock_timestamp(), last_command = last_command + 1 WHERE number = $1`, number, body.Priority)
		err = p.rows.send(r.Context(), batch)
	}
	if err == nil {
		err = p.rows.pool.QueryRow(r.Context(), `SELECT row_to_json(t) FROM bare.tickets t WHERE number = $1`, number).Scan(&view)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprint(w, view) // the client is gone
}
