package local

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// LoopbackOnly serves requests for this machine's own names and refuses all others. A port on 127.0.0.1 is no wall by
// itself: a page from elsewhere whose name is made to resolve to 127.0.0.1 (DNS rebinding) counts as same-origin with
// what it reaches there, and only the Host header differs. The port is not compared, since a tunnel may have another.
func LoopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, "This address answers only to the names 127.0.0.1, [::1] and localhost.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether a Host header, or the host of an absolute request target, names the loopback interface.
func isLoopback(host string) bool {
	u, err := url.Parse("http://" + host) // checks the port and takes the brackets off
	if err != nil || u.Host != host {
		return false
	}
	name := strings.TrimSuffix(u.Hostname(), ".")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback()
}
