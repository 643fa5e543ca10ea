package account_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// A flood of sign-ins must not take more memory than a few hashes need, nor keep people waiting without end.
func TestHashing_isBoundedHoweverManySignIn(t *testing.T) {
	h := account.NewHasher()
	turns, waiting := h.Room()
	if turns > runtime.GOMAXPROCS(0) {
		t.Errorf("%d are hashed at once on %d processors", turns, runtime.GOMAXPROCS(0))
	}
	var ends []func()
	for range turns {
		done, err := h.Turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, done)
	}
	leaving, leave := context.WithCancel(t.Context())
	queued := make(chan error)
	for range waiting {
		go func() {
			done, err := h.Turn(leaving)
			if err == nil {
				done()
			}
			queued <- err
		}()
	}
	for h.Inside() < turns+waiting {
		runtime.Gosched()
	}
	if _, err := h.Turn(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("one more is told %v", err)
	}
	leave()
	for range waiting {
		if err := <-queued; !errors.Is(err, context.Canceled) {
			t.Errorf("who left the queue is told %v", err)
		}
	}
	for _, done := range ends {
		done()
	}
	if done, err := h.Turn(t.Context()); err != nil {
		t.Errorf("nobody is there any more, and still: %v", err)
	} else {
		done()
	}
}
