package pgtest_test

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/pgtest"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, statement string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func count(t *testing.T, conn *pgx.Conn, table string) int {
	t.Helper()
	var n int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatalf("count %s: %v", table, err)
	}
	return n
}

func TestDSN_isEmptyAndPrivate(t *testing.T) {
	t.Parallel()
	one, two := connect(t, pgtest.DSN(t)), connect(t, pgtest.DSN(t))
	execute(t, one, "CREATE TABLE words (w text)")
	execute(t, two, "CREATE TABLE words (w text)") // fails when it is the same database
	execute(t, one, "INSERT INTO words VALUES ('hello')")
	if n := count(t, two, "words"); n != 0 {
		t.Errorf("the second database holds %d rows of the first", n)
	}
}

func TestDSN_foldsLettersBeyondASCII(t *testing.T) {
	t.Parallel()
	var lower string
	if err := connect(t, pgtest.DSN(t)).QueryRow(t.Context(), "SELECT lower('ÄÉЖ')").Scan(&lower); err != nil {
		t.Fatal(err)
	}
	if lower != "äéж" {
		t.Errorf("lower('ÄÉЖ') = %q", lower)
	}
}

func TestDSN_isInMemoryWhereThereIsRoom(t *testing.T) {
	t.Parallel()
	var stat syscall.Statfs_t
	if syscall.Statfs("/dev/shm", &stat) != nil || stat.Bavail*uint64(stat.Bsize) < 5<<30 {
		t.Log("this machine has no room for clusters in memory")
		return
	}
	var dir string
	if err := connect(t, pgtest.DSN(t)).QueryRow(t.Context(), "SHOW data_directory").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(dir, "/dev/shm/") {
		t.Errorf("the cluster lies in %s", dir)
	}
}

func TestTemplate_migratesOnceAndClonesApart(t *testing.T) {
	t.Parallel()
	runs := 0
	migrate := func(ctx context.Context, dsn string) error {
		runs++
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "CREATE TABLE words (w text); INSERT INTO words VALUES ('seed')")
		return errors.Join(err, conn.Close(ctx))
	}
	one := connect(t, pgtest.Template(t, "words", migrate))
	two := connect(t, pgtest.Template(t, "words", migrate))
	execute(t, one, "INSERT INTO words VALUES ('mine')")
	if n := count(t, one, "words"); n != 2 {
		t.Errorf("the first clone holds %d rows, want the seed and its own", n)
	}
	if n := count(t, two, "words"); n != 1 {
		t.Errorf("the second clone holds %d rows, want the seed alone", n)
	}
	if runs != 1 {
		t.Errorf("migrate ran %d times", runs)
	}
}

func TestCluster_keepsCommittedRowsAcrossKills(t *testing.T) {
	t.Parallel()
	server := pgtest.Cluster(t)
	dsn := server.Database(t)
	execute(t, connect(t, dsn), "CREATE TABLE words (w text)")
	for want := 1; want <= 3; want++ {
		execute(t, connect(t, dsn), "INSERT INTO words VALUES ('kept')")
		server.Kill()
		if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
			_ = conn.Close(t.Context())
			t.Fatal("a killed server still answers")
		}
		server.Restart()
		if n := count(t, connect(t, dsn), "words"); n != want {
			t.Fatalf("%d rows after kill %d, want %d", n, want, want)
		}
	}
	server.Stop()
	server.Restart()
	if n := count(t, connect(t, dsn), "words"); n != 3 {
		t.Errorf("%d rows after a clean stop, want 3", n)
	}
}

func TestCluster_freezeStopsOpenConnectionsUntilItThaws(t *testing.T) {
	t.Parallel()
	server := pgtest.Cluster(t)
	conn := connect(t, server.Database(t))
	thaw, err := server.Freeze(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer thaw()
	answered := make(chan error, 1)
	go func() {
		_, err := conn.Exec(context.Background(), "SELECT 1")
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("a frozen server answers: %v", err)
	case <-time.After(200 * time.Millisecond): // it answers at once, or not
	}
	thaw()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestCluster_recoverStartsAServerThatHasEnded(t *testing.T) {
	t.Parallel()
	server := pgtest.Cluster(t)
	dsn := server.Database(t)
	execute(t, connect(t, dsn), "CREATE TABLE words (w text)")
	server.Kill()
	if err := server.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := count(t, connect(t, dsn), "words"); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func BenchmarkDSN(b *testing.B) {
	pgtest.DSN(b) // starts the cluster
	for b.Loop() {
		pgtest.DSN(b)
	}
}
