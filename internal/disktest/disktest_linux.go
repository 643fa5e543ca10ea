// Package disktest provides small disks for tests to fill. For tests only.
package disktest

import (
	"os"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/skiptest"
)

// Mount mounts an empty disk at a directory, which must exist, until the test ends. Its size is as mount has it, such as
// "1m". A test whose user may not mount is skipped.
func Mount(t testing.TB, dir, size string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,size="+size); err != nil {
		skiptest.Skipf(t, "no small disk can be had by user %d: %v", os.Geteuid(), err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}
