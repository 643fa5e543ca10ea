package local

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"

	"github.com/holesalemart/supportdesk/internal/fault"
)

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
