package api

import "net/netip"

// Line is a line of the route table, as the tests see it.
type Line struct{ Method, Path, ID string }

// Lines is the route table.
func Lines() []Line {
	var lines []Line
	for _, r := range routes() {
		lines = append(lines, Line{r.method, prefix + r.path, r.id})
	}
	return lines
}

// RefusesUnruled reports the error for a route that nobody gave a rule.
func RefusesUnruled() error {
	_, err := (&server{}).operation(nil, route{method: get, path: "/open"})
	return err
}

// Remembered is how many sources are remembered after n have asked, when half of the memory holds size.
func Remembered(n, size int) int {
	s := newSources(trackRate, trackBurst, size)
	for i := range n {
		s.allow(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}).String())
	}
	return len(s.young) + len(s.old)
}
