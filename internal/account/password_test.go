package account_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// A flood of sign-ins must take no more memory than a few hashes, and must not make people wait forever.
func TestHashing_isBounded(t *testing.T) {
	h := account.NewHasher()
	slots, waiting := h.Capacity()
	if slots > runtime.GOMAXPROCS(0) {
		t.Errorf("%d slots for %d processors", slots, runtime.GOMAXPROCS(0))
	}
	var ends []func()
	for range slots {
		done, err := h.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, done)
	}
	leaving, leave := context.WithCancel(t.Context())
	queued := make(chan error)
	for range waiting {
		go func() {
			done, err := h.Acquire(leaving)
			if err == nil {
				done()
			}
			queued <- err
		}()
	}
	for h.Queued() < slots+waiting {
		runtime.Gosched()
	}
	if _, err := h.Acquire(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("one more call returned %v", err)
	}
	leave()
	for range waiting {
		if err := <-queued; !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled call returned %v", err)
		}
	}
	for _, done := range ends {
		done()
	}
	if done, err := h.Acquire(t.Context()); err != nil {
		t.Errorf("all slots are free, but acquire failed: %v", err)
	} else {
		done()
	}
}
