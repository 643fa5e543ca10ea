package skiptest_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/holesalemart/supportdesk/internal/skiptest"
)

// recorder is a test that records how it ends.
type recorder struct {
	testing.TB
	ended string
}

func (r *recorder) Fatalf(format string, args ...any) { r.end("failed: "+format, args) }
func (r *recorder) Skipf(format string, args ...any)  { r.end("skipped: "+format, args) }

func (r *recorder) end(format string, args []any) {
	r.ended = fmt.Sprintf(format, args...)
	runtime.Goexit() // as both do
}

func TestSkipf_failsInCI(t *testing.T) {
	for ci, want := range map[string]string{
		"":      "skipped: user 7 lacks /proc",
		"false": "skipped: user 7 lacks /proc",
		"true":  "failed: in CI no test may be skipped: user 7 lacks /proc",
	} {
		t.Setenv("CI", ci)
		r, ended := &recorder{TB: t}, make(chan struct{})
		go func() {
			defer close(ended)
			skiptest.Skipf(r, "user %d lacks %s", 7, "/proc")
			r.ended = "went on"
		}()
		if <-ended; r.ended != want {
			t.Errorf("CI=%q: %s, want %s", ci, r.ended, want)
		}
	}
}
