package local

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/holesalemart/supportdesk/internal/fault"
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

const loopback = "127.0.0.1"

// ChoosePort returns port if it is free, or for 0 a free port. A port in use is a Conflict fault.
func ChoosePort(port int, forWhat string) (int, error) {
	if port == 0 {
		return freePort()
	}
	if port < 0 || port > 65535 {
		return 0, fault.New(fault.Invalid, "%d is not a port: %s needs one from 1 to 65535, or 0 for any free port", port, forWhat)
	}
	if !isFree(port) {
		return 0, fault.New(fault.Conflict, "port %d is in use: choose another for %s, or stop the process that uses it", port, forWhat)
	}
	return port, nil
}

// freePort stays below the range of ephemeral ports: there, a client that reconnects while its server is restarted
// could take the server's port.
func freePort() (int, error) {
	const low, high, tries = 15000, 32000, 200
	for range tries {
		if port := low + rand.IntN(high-low); isFree(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("find a free port between %d and %d on %s: none in %d tries", low, high, loopback, tries)
}

func isFree(port int) bool {
	listener, err := net.Listen("tcp", address(port))
	if err != nil {
		return false
	}
	_ = closeListener(listener)
	return true
}

// closeListener frees the port immediately. Closing is not enough: a child that is being started shares the socket for
// a moment.
func closeListener(listener net.Listener) error {
	if socket, ok := listener.(*net.TCPListener); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			// Outside Linux it refuses, and closing has to do.
			_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) })
		}
	}
	return listener.Close()
}

func address(port int) string { return net.JoinHostPort(loopback, strconv.Itoa(port)) }
