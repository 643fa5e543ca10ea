package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/disktest"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/store"
)

// smallDisk returns a directory on a small disk of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "supportdesk-disk-*") // PostgreSQL's user can't reach t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	disktest.Mount(t, dir, "200m")
	return dir
}

func TestWritable_failsOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	pg, err := local.StartPostgres(t.Context(), local.PostgresOptions{Dir: filepath.Join(dir, "data"), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pg.Stop() })
	dsn, err := pg.EnsureDatabase(t.Context(), "supportdesk")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	ask := func() error {
		t.Helper()
		s, err := store.Open(t.Context(), dsn, store.Options{}) // whose cache is empty
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		return s.Writable(t.Context())
	}
	if err := ask(); err != nil {
		t.Errorf("with room on the disk: %v", err)
	}
	filler := filepath.Join(dir, "filler")
	file, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 4096); err == nil; {
		_, err = file.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = file.Close()
	if err := ask(); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "No space left") {
		t.Errorf("on a full disk: %v", err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
