// Package skiptest skips the tests that need what a machine lacks: a browser, a user that may mount disks, /proc. In CI,
// where the environment has CI=true, they fail instead, so that nothing is left untested unseen. No test skips itself in
// another way. For tests only.
package skiptest

import (
	"os"
	"testing"
)

// Skipf skips the test, for the want of what it names, or fails it in CI.
func Skipf(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("in CI no test may be skipped: "+format, args...)
	}
	t.Skipf(format, args...)
}
