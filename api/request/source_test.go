package request_test

import (
	"net/netip"
	"testing"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/request"
)

func TestSources_remembersFew(t *testing.T) {
	s := request.NewSources(5, 30, 100)
	for i := range 10_000 {
		s.Allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String())
	}
	if n := s.Remembered(); n < 100 || n > 200 {
		t.Errorf("%d sources are remembered, want at most twice 100", n)
	}
}

func TestSources_limitEachByItself(t *testing.T) {
	s := request.NewSources(rate.Limit(1e-9), 2, 100)
	for _, address := range []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", ""} {
		for i, want := range []bool{true, true, false} {
			if got := s.Allow(address); got != want {
				t.Errorf("request %d from %q: %v", i+1, address, got)
			}
		}
	}
	if s.Allow("2001:db8::ffff") || s.Allow("::ffff:192.0.2.1") {
		t.Error("another address of the same subscriber has an allowance of its own")
	}
}
