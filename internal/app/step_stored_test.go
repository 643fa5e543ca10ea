package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// inPostgreSQL is the implementation over PostgreSQL, with the clock of a scenario. It replaces the IDs of the people in
// desktest by valid ones in the same order.
type inPostgreSQL struct {
	*store.Store
	t     testing.TB
	conn  *pgx.Conn
	clock time.Time
	steps *app.Steps
}

var storedPeople = []struct {
	name, id ticket.PersonID
	role     ticket.Role
	handle   string
}{
	{desktest.Administrator, "P-0000000001", ticket.RoleAdministrator, "administrator"},
	{desktest.Alice, "P-0000000002", ticket.RoleAgent, "alice"},
	{desktest.Bob, "P-0000000003", ticket.RoleAgent, "bob"},
	{desktest.Customer, "P-0000000004", ticket.RoleCustomer, ""},
	{desktest.Supervisor, "P-0000000005", ticket.RoleSupervisor, "supervisor"},
}

func newInPostgreSQL(t testing.TB, document string) *inPostgreSQL {
	t.Helper()
	dsn := pgtest.Template(t, "contract", store.Migrate)
	db, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	s := &inPostgreSQL{Store: db, t: t, conn: conn}
	s.steps = app.NewSteps(withClock{db, s}, app.MaxCommands)
	s.publish(document)
	for _, p := range storedPeople {
		s.sql(`INSERT INTO people (id, role, name, address, handle) VALUES ($1, $2, $3, $3 || '@desk.example', nullif($4, ''))`, p.id, p.role, p.name, p.handle)
	}
	return s
}

// withClock is a store with the clock of a scenario.
type withClock struct {
	*store.Store
	scenario *inPostgreSQL
}

func (c withClock) StepTx(ctx context.Context, n ticket.Number, fn func(app.LockedTicket, app.StepTx) error) error {
	return c.Store.StepTx(ctx, n, func(l app.LockedTicket, tx app.StepTx) error {
		l.Clock = c.scenario.clock
		return fn(l, tx)
	})
}

// inStore and fromStore translate the IDs in JSON.
func inStore[T any](value T) T {
	return translate(value, func(name, id ticket.PersonID) (string, string) { return string(name), string(id) })
}

func fromStore[T any](value T) T {
	return translate(value, func(name, id ticket.PersonID) (string, string) { return string(id), string(name) })
}

func translate[T any](value T, each func(name, id ticket.PersonID) (from, to string)) (translated T) {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	text := string(data)
	for _, p := range storedPeople {
		from, to := each(p.name, p.id)
		text = strings.ReplaceAll(text, from, to)
	}
	if err := json.Unmarshal([]byte(text), &translated); err != nil {
		panic(err)
	}
	return translated
}

func (s *inPostgreSQL) sql(statement string, args ...any) {
	s.t.Helper()
	if _, err := s.conn.Exec(s.t.Context(), statement, args...); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

func rowsOf[T any](s *inPostgreSQL, query string, args ...any) []T {
	s.t.Helper()
	rows, err := s.conn.Query(s.t.Context(), query, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		s.t.Fatalf("%s: %v", query, err)
	}
	return all
}

// Step takes a step under the scenario's clock.
func (s *inPostgreSQL) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	result, err := s.steps.Step(ctx, inStore(r))
	return fromStore(result), err
}

func (s *inPostgreSQL) set(clock time.Time) { s.clock = clock }

func (s *inPostgreSQL) accept(c ticket.Command) ticket.Command {
	s.t.Helper()
	c = inStore(c)
	c.At = s.clock
	if c.Verb == ticket.VerbSubmit {
		s.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category)
			VALUES ($1, $2, 1, $3, $3, $3, 0, 'new', $4, $5)`, contractTicket, c.By.ID, c.At, c.Priority, c.Category)
	}
	var message *int64
	if c.Message != 0 {
		message = &rowsOf[int64](s, `INSERT INTO messages (ticket, body) VALUES ($1, 'Words.') RETURNING id`, contractTicket)[0]
	}
	var mail *int
	if c.Resend != nil {
		mail = &c.Resend.Mail
	}
	c.Seq = rowsOf[int64](s, `UPDATE tickets SET last_command = last_command + 1, latest_at = $2 WHERE number = $1 RETURNING last_command`, contractTicket, c.At)[0]
	s.sql(`INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message, assignee, priority, category, mail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), nullif($9, ''), nullif($10, ''), $11)`,
		contractTicket, c.Seq, c.Verb, c.By.ID, c.By.Role, c.At, message, c.Assignee, c.Priority, c.Category, mail)
	return c
}

func (s *inPostgreSQL) settle(n int, bounced bool) {
	s.t.Helper()
	mail := outbox.Key{Queue: outbox.TicketMails, Ticket: contractTicket, N: int64(n)}
	err := s.SettleDelivery(s.t.Context(), mail, desk.DeliverySent, "")
	if bounced && err == nil {
		err = s.SettleDelivery(s.t.Context(), mail, desk.DeliveryBounced, "550 no such user")
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.sql(`UPDATE deliveries SET settled_at = $3 WHERE ticket = $1 AND n = $2`, contractTicket, n, s.clock)
}

func (s *inPostgreSQL) publish(document string) int64 {
	s.t.Helper()
	version, _, err := app.PublishPolicy(s.t.Context(), s, []byte(document), "a test", "to be tried")
	if err != nil {
		s.t.Fatal(err)
	}
	return version
}

func (s *inPostgreSQL) schedule(g ticket.EmergencySchedule) {
	for _, e := range g.Emergencies {
		s.sql(`INSERT INTO emergencies (id, kind, notice, starts_at, ends_at, revision) VALUES ($1, $2, 'Snow.', $3, $4, $5)
			ON CONFLICT DO NOTHING`, e.ID, e.Kind, e.From, e.Until, g.Revision)
		for _, d := range e.Delays {
			s.sql(`INSERT INTO emergency_delays (emergency, starts_at, seconds) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
				e.ID, d.From, int64(d.By/time.Second))
		}
	}
	s.sql(`UPDATE emergency_schedule SET revision = $1`, g.Revision)
}

func (s *inPostgreSQL) disable(person ticket.PersonID) {
	s.sql(`UPDATE people SET disabled_at = now() WHERE id = $1`, inStore(person))
}

func (s *inPostgreSQL) group(handle string, members ...ticket.PersonID) {
	s.sql(`INSERT INTO agent_groups (handle, title) VALUES ($1, $1)`, handle)
	for _, person := range members {
		s.sql(`INSERT INTO group_members (group_handle, person) VALUES ($1, $2)`, handle, inStore(person))
	}
}

func (s *inPostgreSQL) forbid(kind ticket.EventKind) func() {
	s.sql(fmt.Sprintf(`ALTER TABLE events ADD CONSTRAINT forbidden CHECK (kind <> '%s') NOT VALID`, kind))
	return func() { s.sql(`ALTER TABLE events DROP CONSTRAINT forbidden`) }
}

func (s *inPostgreSQL) events() (events []ticket.Event) {
	return fromStore(rowsOf[ticket.Event](s, `SELECT data FROM events WHERE ticket = $1 ORDER BY n`, contractTicket))
}

func (s *inPostgreSQL) outcomes() (outcomes []ticket.Outcome) {
	return rowsOf[ticket.Outcome](s, `SELECT jsonb_build_object('Refused', refused, 'Code', code, 'Reason', reason)
		FROM outcomes WHERE ticket = $1 ORDER BY seq`, contractTicket)
}

func (s *inPostgreSQL) state() ticket.State {
	return fromStore(rowsOf[ticket.State](s, `SELECT state FROM tickets WHERE number = $1`, contractTicket)[0])
}
