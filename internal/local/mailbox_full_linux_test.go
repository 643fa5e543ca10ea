package local_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/disktest"
)

func TestMailbox_fullDiskIsATemporaryFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	disktest.Mount(t, dir, "256k")
	ballast := filepath.Join(dir, "ballast")
	fill := func() {
		if err := os.WriteFile(ballast, bytes.Repeat([]byte("x"), 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("the disk does not fill: %v", err)
		}
		if err := os.Truncate(ballast, 256<<10-32<<10); err != nil { // room for a part of a mail
			t.Fatal(err)
		}
	}
	checkFullDisk(t, dir, fill, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}
