package api

import (
	"net/netip"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Tracking by number is open to everybody, and so is limited: by the second, and at once, for each source.
const (
	trackRate  = rate.Limit(5)
	trackBurst = 30
	maxSources = 10_000
)

// sources limits the rate of requests for each source. It remembers at most twice as many sources as its size: when
// the young half is full it becomes the old one, and what nobody asked for since is forgotten. Who is forgotten has a
// full burst again, so whoever owns that many addresses is limited less.
type sources struct {
	limit rate.Limit
	burst int
	size  int

	mu         sync.Mutex
	young, old map[netip.Prefix]*rate.Limiter
}

func newSources(limit rate.Limit, burst, size int) *sources {
	return &sources{limit: limit, burst: burst, size: size, young: map[netip.Prefix]*rate.Limiter{}}
}

// allow reports whether a source may ask now.
func (s *sources) allow(address string) bool {
	source := sourceOf(address)
	s.mu.Lock()
	limiter, ok := s.young[source]
	if !ok {
		if limiter, ok = s.old[source]; !ok {
			limiter = rate.NewLimiter(s.limit, s.burst)
		}
		if len(s.young) >= s.size {
			s.old, s.young = s.young, make(map[netip.Prefix]*rate.Limiter, s.size)
		}
		s.young[source] = limiter
	}
	s.mu.Unlock()
	return limiter.Allow()
}

// sourceOf is one IPv4 address, or the IPv6 network of one subscriber. What is no address (a Unix socket) is one
// source.
func sourceOf(address string) netip.Prefix {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	ip = ip.Unmap()
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	source, _ := ip.WithZone("").Prefix(bits) // both lengths are valid
	return source
}

// throttle refuses a source that asks too often.
func (s *server) throttle(ctx huma.Context, next func(huma.Context)) {
	if !s.sources.allow(request.Of(ctx.Context()).Source) {
		s.fail(humagin.Unwrap(ctx), fault.New(fault.Limited, "that was too often; try again in a moment"))
		return
	}
	next(ctx)
}
