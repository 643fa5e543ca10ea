package inbound

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// hostLimit is a listener that accepts at most a number of simultaneous connections from a host. It replies to further ones with 421 and
// closes them, so that a host can't use up the connections of all.
type hostLimit struct {
	net.Listener
	most   int
	exempt func(netip.Addr) bool // hosts without a limit
	name   string                // of the server
	log    *slog.Logger

	mu    sync.Mutex
	hosts map[netip.Prefix]*hostConns // those that are connected
}

// hostConns are the connections of a host.
type hostConns struct {
	open    int
	refused bool // a connection was refused since the first of them
}

func newHostLimit(l net.Listener, o ServerOptions) *hostLimit {
	return &hostLimit{
		Listener: l, most: o.PerHost, exempt: o.Internal, name: o.Name, log: o.Log, hosts: map[netip.Prefix]*hostConns{},
	}
}

func (l *hostLimit) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host, limited := l.hostOf(c)
		switch {
		case !limited:
			return c, nil
		case l.acquire(host):
			return &hostConn{Conn: c, release: sync.OnceFunc(func() { l.release(host) })}, nil
		}
		l.refuse(c)
	}
}

// hostOf returns the network that counts as one host: an IPv4 address, or the /64 of an IPv6 address, which a host has to itself.
// limited is false if its connections are not limited.
func (l *hostLimit) hostOf(c net.Conn) (host netip.Prefix, limited bool) {
	client, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil { // not TCP, so it is on this machine
		return host, false
	}
	address := client.Addr().Unmap().WithZone("")
	if l.most == 0 || l.exempt != nil && l.exempt(address) {
		return host, false
	}
	host, err = address.Prefix(min(address.BitLen(), 64))
	return host, err == nil
}

// acquire counts a connection of a host, unless it has as many as it may have.
func (l *hostLimit) acquire(host netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	conns := l.hosts[host]
	if conns == nil {
		conns = &hostConns{}
		l.hosts[host] = conns
	}
	if conns.open < l.most {
		conns.open++
		return true
	}
	if !conns.refused { // once, since it may try as often as it likes
		conns.refused = true
		l.log.Warn("a host has as many connections as it may have; further ones are refused", "host", host.String(), "connections", l.most)
	}
	return false
}

func (l *hostLimit) release(host netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conns := l.hosts[host]
	if conns.open--; conns.open == 0 {
		delete(l.hosts, host)
	}
}

// refuse replies that there are too many connections, and closes this one. The reply fits the buffer of a new connection.
func (l *hostLimit) refuse(c net.Conn) {
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = fmt.Fprintf(c, "421 4.7.0 %s too many connections from your host; try again later\r\n", l.name)
	_ = c.Close()
}

// hostConn is a connection of a host with a limit.
type hostConn struct {
	net.Conn
	release func() // may be called again
}

func (c *hostConn) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
