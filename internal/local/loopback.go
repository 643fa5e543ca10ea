package local

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// LoopbackOnly serves requests for the loopback names of this machine and rejects all others. Listening on 127.0.0.1 is
// not enough: a page whose name resolves to 127.0.0.1 (DNS rebinding) is same-origin with what it reaches there, and
// only the Host header differs. The port is ignored, because a tunnel may use another.
func LoopbackOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.Host) {
			http.Error(w, "This address answers only to the names 127.0.0.1, [::1] and localhost.", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isLoopback reports whether a Host header, or the host of an absolute request target, is a loopback name.
func isLoopback(host string) bool {
	u, err := url.Parse("http://" + host) // checks the port and removes brackets
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
