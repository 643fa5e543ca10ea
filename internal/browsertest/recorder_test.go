package browsertest_test

import (
	"fmt"
	"testing"
)

// recorder is a testing.TB that records failures and skips.
type recorder struct {
	testing.TB
	cleanups        []func()
	skipped, failed bool
	said            string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.failed = true
	r.said += fmt.Sprintf(format, args...)
}

// over is the panic that ends the code under test.
type over struct{}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	panic(over{})
}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = true
	r.said += fmt.Sprintf(format, args...)
	panic(over{})
}

// run runs code as a test, including its cleanup.
func (r *recorder) run(code func()) {
	defer func() {
		for _, cleanup := range r.cleanups {
			cleanup()
		}
		if ended := recover(); ended != nil && ended != (over{}) {
			panic(ended)
		}
	}()
	code()
}
