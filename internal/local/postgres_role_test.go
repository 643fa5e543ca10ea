package local_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/logtest"
)

func execute(t *testing.T, dsn, sql string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(t.Context(), sql)
	return err
}

// checkOwner tries what only a superuser may, and what an owner must be able to do.
func checkOwner(t *testing.T, dsn string) {
	t.Helper()
	for _, forbidden := range []string{
		"SELECT pg_read_file('PG_VERSION')", "COPY (SELECT 1) TO PROGRAM 'cat'", "CREATE ROLE mallory", "CREATE DATABASE more",
		"ALTER ROLE postgres PASSWORD 'mine'", "ALTER SYSTEM SET log_statement = 'all'", "SET log_error_verbosity = verbose",
		"SET ROLE postgres", "SET SESSION AUTHORIZATION postgres",
	} {
		if err := execute(t, dsn, forbidden); err == nil {
			t.Errorf("the role may %s", forbidden)
		}
	}
	const migration = `CREATE TABLE IF NOT EXISTS words (n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, w text);
		ALTER TABLE words ADD COLUMN more text; ALTER TABLE words DROP COLUMN more; TRUNCATE words RESTART IDENTITY;
		INSERT INTO words (w) VALUES ('kept');
		CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE sql AS 'SELECT 42'; CREATE SCHEMA IF NOT EXISTS more`
	if err := execute(t, dsn, migration); err != nil {
		t.Errorf("the role cannot migrate its database: %v", err)
	}
}

func TestStartPostgres_givesTheOwnerNoMoreThanItsDatabase(t *testing.T) {
	t.Parallel()
	pg := startPostgres(t, local.PostgresOptions{Dir: home(t)})
	dsn, err := pg.EnsureDatabase(t.Context(), "desk")
	if err != nil {
		t.Fatal(err)
	}
	checkOwner(t, dsn)
}

// makeOlder leaves a cluster as versions did whose role was the superuser that initdb made. It ends pg.
func makeOlder(t *testing.T, dir string, pg *local.Postgres) {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ database, sql string }{
		{"desk", "REASSIGN OWNED BY supportdesk TO postgres"},
		{"postgres", `DROP ROLE supportdesk; CREATE ROLE stand_in SUPERUSER; SET SESSION AUTHORIZATION stand_in;
			ALTER ROLE postgres RENAME TO supportdesk; ALTER ROLE supportdesk PASSWORD '` + strings.TrimSpace(string(password)) + `';
			SET SESSION AUTHORIZATION supportdesk; DROP ROLE stand_in`},
	} {
		if err := execute(t, pg.SuperuserDSN(step.database), step.sql); err != nil {
			t.Fatal(err)
		}
	}
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "superuser-password")); err != nil {
		t.Fatal(err)
	}
}

func TestStartPostgres_takesTheSuperusersRightsFromAnOlderRole(t *testing.T) {
	t.Parallel()
	dir := home(t)
	pg := startPostgres(t, local.PostgresOptions{Dir: dir})
	dsn, err := pg.EnsureDatabase(t.Context(), "desk")
	if err != nil {
		t.Fatal(err)
	}
	checkOwner(t, dsn)
	makeOlder(t, dir, pg)
	older, err := os.ReadFile(filepath.Join(dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // and once more, when there is nothing to do
		pg = startPostgres(t, local.PostgresOptions{Dir: dir})
		if dsn, err = pg.EnsureDatabase(t.Context(), "desk"); err != nil {
			t.Fatal(err)
		}
		if got := query[string](t, dsn, "SELECT w FROM words"); got != "kept" {
			t.Errorf("the row is %q", got)
		}
		checkOwner(t, dsn)
		if left := query[int](t, dsn, "SELECT count(*) FROM pg_roles WHERE rolname !~ '^pg_'"); left != 2 {
			t.Errorf("there are %d roles", left)
		}
		if err := pg.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := os.ReadFile(filepath.Join(dir, "password")); err != nil || string(now) != string(older) {
		t.Errorf("the role's password has changed: %v", err)
	}
	checkMode(t, filepath.Join(dir, "superuser-password"), 0o600)
}

func TestStartPostgres_saysThatAPasswordIsWrong(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"password", "superuser-password"} {
		dir := home(t)
		if err := startPostgres(t, local.PostgresOptions{Dir: dir}).Stop(); err != nil {
			t.Fatal(err)
		}
		for _, spoil := range []func(string) error{
			func(file string) error { return os.WriteFile(file, []byte("another\n"), 0o600) },
			os.Remove,
		} {
			if err := spoil(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
			_, err := local.StartPostgres(t.Context(), local.PostgresOptions{Dir: dir, NoSync: true})
			refused(t, err, fault.Conflict, "password", "restore th")
		}
	}
}

// What people wrote and are called must not be in a log, whatever a statement with it violates.
func TestStartPostgres_logsNoValues(t *testing.T) {
	t.Parallel()
	dir := home(t)
	var log logtest.Buffer
	pg := startPostgres(t, local.PostgresOptions{Dir: dir, Log: &log})
	if err := execute(t, pg.SuperuserDSN("postgres"), `CREATE TABLE people (address text CONSTRAINT twice UNIQUE,
		name text NOT NULL CONSTRAINT short CHECK (length(name) < 20), boss text CONSTRAINT boss REFERENCES people (address));
		INSERT INTO people VALUES ('canary@demo.example', 'canary')`); err != nil {
		t.Fatal(err)
	}
	for _, violates := range []string{
		"INSERT INTO people VALUES ('canary@demo.example', 'canary')",
		"INSERT INTO people VALUES ('canary-2@demo.example', 'canary with a name that is too long')",
		"INSERT INTO people VALUES ('canary-3@demo.example', NULL)",
		"INSERT INTO people VALUES ('canary-4@demo.example', 'canary', 'canary-5@demo.example')",
		"DO $$ BEGIN RAISE EXCEPTION 'a trigger refuses' USING DETAIL = 'canary', HINT = 'canary'; END $$",
	} {
		if err := execute(t, pg.SuperuserDSN("postgres"), violates); err == nil {
			t.Fatalf("%s violates nothing", violates)
		}
	}
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	said := log.String()
	for _, want := range []string{`"twice"`, `"short"`, `"name"`, `"boss"`, "a trigger refuses"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log says nothing of %s", want)
		}
	}
	if strings.Contains(said, "canary") {
		t.Errorf("the log has what was written:\n%s", said)
	}
}
