package local_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/logtest"
)

// home is a data directory that goes with the test and that every user can enter, unlike t.TempDir.
func home(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "supportdesk-local-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "postgres")
}

func startPostgres(t *testing.T, opts local.PostgresOptions) *local.Postgres {
	t.Helper()
	opts.NoSync = true
	pg, err := local.StartPostgres(t.Context(), opts)
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() { _ = pg.Stop() })
	return pg
}

func query[T any](t *testing.T, dsn, sql string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var got T
	if err := conn.QueryRow(t.Context(), sql).Scan(&got); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

// refused checks that err is a fault of one line that holds the words.
func refused(t *testing.T, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was not refused")
	}
	if got := fault.KindOf(err); got != kind {
		t.Errorf("kind %s, want %s: %v", got, kind, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than a line", err)
	}
}

func TestStartPostgres_keepsDataPasswordAndPortAcrossKill(t *testing.T) {
	t.Parallel()
	dir := home(t)
	pg := startPostgres(t, local.PostgresOptions{Dir: dir})
	dsn, err := pg.EnsureDatabase(t.Context(), "desk")
	if err != nil {
		t.Fatal(err)
	}
	if got := query[int](t, dsn, "WITH a AS (SELECT 1) SELECT count(*) FROM a"); got != 1 {
		t.Fatalf("count = %d", got)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), "CREATE TABLE words (w text); INSERT INTO words VALUES ('kept')"); err != nil {
		t.Fatal(err)
	}
	pg.Kill()
	if pg.Err() != nil {
		t.Errorf("a killed server reports a failure: %v", pg.Err())
	}
	if _, err := os.Stat(filepath.Join(dir, "data", "postmaster.pid")); err != nil {
		t.Fatalf("the kill left no pid file, so it was no kill -9: %v", err)
	}
	again := startPostgres(t, local.PostgresOptions{Dir: dir, Port: pg.Port()})
	if _, err := again.EnsureDatabase(t.Context(), "desk"); err != nil {
		t.Errorf("the database that is there: %v", err)
	}
	if got := query[string](t, dsn, "SELECT w FROM words"); got != "kept" {
		t.Errorf("the row is %q", got)
	}
}

func TestStartPostgres_keepsItsPasswordToItself(t *testing.T) {
	t.Parallel()
	dir := home(t)
	pg := startPostgres(t, local.PostgresOptions{Dir: dir})
	info, err := os.Stat(filepath.Join(dir, "password"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the password file's mode is %o", info.Mode().Perm())
	}
	config, err := pgx.ParseConfig(pg.DSN("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	config.Password = "guess"
	if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
		_ = conn.Close(t.Context())
		t.Error("any password opens the database")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.password")); len(left) > 0 {
		t.Errorf("copies of the password stay behind: %v", left)
	}
	if got := query[string](t, pg.DSN("postgres"), "SHOW listen_addresses"); got != "127.0.0.1" {
		t.Errorf("it listens on %s", got)
	}
}

// What was answered must survive a power cut, whatever a file in the cluster says.
func TestStartPostgres_isDurableUnlessThrowaway(t *testing.T) {
	t.Parallel()
	dir := home(t)
	for _, throwaway := range []bool{true, false} {
		pg, err := local.StartPostgres(t.Context(), local.PostgresOptions{Dir: dir, NoSync: throwaway})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = pg.Stop() })
		settings := query[string](t, pg.DSN("postgres"), `SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings
			WHERE name IN ('fsync', 'full_page_writes', 'synchronous_commit')`)
		want := "fsync=on full_page_writes=on synchronous_commit=on"
		if throwaway {
			want = "fsync=off full_page_writes=off synchronous_commit=on"
		}
		if settings != want {
			t.Errorf("throwaway %t: %s", throwaway, settings)
		}
		if err := pg.Stop(); err != nil {
			t.Fatal(err)
		}
		careless, err := os.OpenFile(filepath.Join(dir, "data", "postgresql.auto.conf"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = careless.WriteString("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
		if err := errors.Join(err, careless.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStartPostgres_survivesAReusedPid(t *testing.T) {
	t.Parallel()
	dir := home(t)
	pg := startPostgres(t, local.PostgresOptions{Dir: dir})
	pg.Kill()
	mark := filepath.Join(dir, "data", "postmaster.pid")
	text, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n")
	// This test is alive and is no PostgreSQL.
	if err := os.WriteFile(mark, []byte(fmt.Sprintf("%d\n%s", os.Getpid(), rest)), 0o600); err != nil {
		t.Fatal(err)
	}
	startPostgres(t, local.PostgresOptions{Dir: dir})
}

func TestStartPostgres_refusesAForeignServerOnItsData(t *testing.T) {
	t.Parallel()
	dir := home(t)
	startPostgres(t, local.PostgresOptions{Dir: dir})
	// Without the lock only the pid file shows the running server.
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	_, err := local.StartPostgres(t.Context(), local.PostgresOptions{Dir: dir})
	refused(t, err, fault.Conflict, "another PostgreSQL (process", dir)
}

func TestStartPostgres_refusesASecondOnTheSameData(t *testing.T) {
	t.Parallel()
	dir := home(t)
	startPostgres(t, local.PostgresOptions{Dir: dir})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := local.StartPostgres(ctx, local.PostgresOptions{Dir: dir})
	refused(t, err, fault.Conflict, "another PostgreSQL", dir)
}

func TestStartPostgres_refusesWhatItCannotServe(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() }) // after the parallel subtests
	port := taken.Addr().(*net.TCPAddr).Port
	put := func(t *testing.T, dir, name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "data", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name    string
		arrange func(t *testing.T, opts *local.PostgresOptions)
		kind    fault.Kind
		words   []string
	}{
		{"a port in use", func(_ *testing.T, opts *local.PostgresOptions) { opts.Port = port },
			fault.Conflict, []string{fmt.Sprintf("port %d is in use", port)}},
		{"data of another version", func(t *testing.T, opts *local.PostgresOptions) { put(t, opts.Dir, "PG_VERSION", "9\n") },
			fault.Unavailable, []string{"PostgreSQL 9", "install it"}},
		{"a directory of something else", func(t *testing.T, opts *local.PostgresOptions) { put(t, opts.Dir, "thesis.txt", "precious") },
			fault.Conflict, []string{"contains no PostgreSQL data"}},
		{"a program that is not there", func(_ *testing.T, opts *local.PostgresOptions) { opts.Bin = "/nonexistent" },
			fault.Unavailable, []string{"/nonexistent"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			opts := local.PostgresOptions{Dir: home(t), NoSync: true}
			test.arrange(t, &opts)
			_, err := local.StartPostgres(t.Context(), opts)
			refused(t, err, test.kind, test.words...)
			if _, err := os.Stat(filepath.Join(opts.Dir, "data", "thesis.txt")); test.name == "a directory of something else" && err != nil {
				t.Error("it wiped what it found")
			}
		})
	}
}

func TestPostgres_reportsItsOwnEnd(t *testing.T) {
	t.Parallel()
	dir := home(t)
	var log logtest.Buffer
	pg := startPostgres(t, local.PostgresOptions{Dir: dir, Log: &log})
	if pg.Err() != nil {
		t.Fatalf("a running server reports %v", pg.Err())
	}
	if err := syscall.Kill(postmaster(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-pg.Done():
	case <-time.After(time.Minute):
		t.Fatal("no one noticed")
	}
	if err := pg.Err(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Err() = %v", err)
	}
}

// As root the server must not run as root; as a user, as that user. A closed directory above the data, such as
// root's home, is no obstacle.
func TestStartPostgres_dropsRoot(t *testing.T) {
	t.Parallel()
	dir := home(t)
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	startPostgres(t, local.PostgresOptions{Dir: dir})
	owner := uidOf(t, fmt.Sprintf("/proc/%d", postmaster(t, dir)))
	data := uidOf(t, filepath.Join(dir, "data"))
	if me := os.Geteuid(); me == 0 && owner == 0 || me != 0 && owner != me {
		t.Errorf("the server runs as user %d", owner)
	}
	if owner != data {
		t.Errorf("the server runs as user %d on data of user %d", owner, data)
	}
}

// The tests of this package run again as an unprivileged user, who has no password, home or cache.
func TestPackage_asAUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // every other test just showed it
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(home(t))
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(dir, "local.test")
	if err := os.WriteFile(copied, text, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), copied, "-test.run", "Postgres_(keepsData|dropsRoot|survives)|LockDir")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "HOME=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as a user: %v\n%s", err, out)
	} else if !bytes.Contains(out, []byte("PASS")) || bytes.Contains(out, []byte("no tests")) {
		t.Errorf("as a user nothing ran: %s", out)
	}
}

func postmaster(t *testing.T, dir string) int {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

func uidOf(t *testing.T, path string) int {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return int(info.Sys().(*syscall.Stat_t).Uid)
}
