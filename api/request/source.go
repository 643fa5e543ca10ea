package request

import (
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// MaxSources is the usual size of a Sources.
const MaxSources = 10_000

// TrackRate and TrackBurst limit how often a source may track tickets, by the API and by the pages each.
const (
	TrackRate  = rate.Limit(5)
	TrackBurst = 30
)

// Sources limits the rate of requests for each source. It stores at most twice as many sources as its size: when the
// young half is full it becomes the old half, and the previous old half is dropped. A source that was dropped has a full
// burst again, so a client with that many addresses is limited less.
type Sources struct {
	limit rate.Limit
	burst int
	size  int

	mu         sync.Mutex
	young, old map[netip.Prefix]*rate.Limiter
}

// NewSources returns a limiter that allows each source limit requests per second with bursts of burst.
func NewSources(limit rate.Limit, burst, size int) *Sources {
	return &Sources{limit: limit, burst: burst, size: size, young: map[netip.Prefix]*rate.Limiter{}}
}

// Allow reports whether a source may send a request now, and counts it.
func (s *Sources) Allow(address string) bool {
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

// Remembered returns the number of sources that are stored.
func (s *Sources) Remembered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.young) + len(s.old)
}

// sourceOf returns an IPv4 address, or the IPv6 network of one subscriber. Everything that is not an address, such as a
// Unix socket, is one source.
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
