// Package proxytest provides TCP proxies for tests of connections that fail: a proxy can refuse, cut and stall connections, and lose
// the answer to a request that the server has received. For tests only.
package proxytest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"testing"
)

// Proxy passes TCP connections on to a server. Its methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	server   string
	copying  sync.WaitGroup

	mu      sync.Mutex
	pairs   map[*pair]bool
	refuse  bool
	stalled chan struct{} // closed when traffic continues; nil: it flows
	ending  []byte        // of a request whose answer is lost; nil: none is
	closed  bool
}

// pair is a client's connection and that to the server.
type pair struct {
	client, server net.Conn
	lost           bool // the answer to come is not passed on
	tail           []byte
}

// Start starts a proxy to a host:port that ends with the test.
func Start(t testing.TB, server string) *Proxy {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start a proxy to %s: %v", server, err)
	}
	p := &Proxy{listener: listener, server: server, pairs: map[*pair]bool{}}
	p.copying.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr returns the host:port at which the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Cut resets every connection. New ones are passed on.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}

// Refuse cuts every connection and resets new ones until Heal.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = true
	p.cut()
}

// Stall passes nothing on until Heal, in either direction, and leaves connections open.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stalled == nil {
		p.stalled = make(chan struct{})
	}
}

// LoseAnswers resets a connection, until Heal, when the server answers after the client has sent something with this ending. So
// the server has done what it was asked for, and the client doesn't know.
func (p *Proxy) LoseAnswers(ending string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = []byte(ending)
}

// Heal ends all faults. Connections that were cut stay so.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heal()
}

func (p *Proxy) heal() {
	p.refuse, p.ending = false, nil
	if p.stalled != nil {
		close(p.stalled)
		p.stalled = nil
	}
}

func (p *Proxy) cut() {
	for c := range p.pairs {
		c.reset()
	}
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.heal()
	p.cut()
	p.mu.Unlock()
	p.copying.Wait()
}

// reset closes both connections in such a way that the peers see an error and not an end.
func (c *pair) reset() {
	for _, conn := range []net.Conn{c.client, c.server} {
		if tcp, is := conn.(*net.TCPConn); is {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.copying.Go(func() { p.serve(client) })
		}
	}
}

func (p *Proxy) serve(client net.Conn) {
	p.flow()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.server)
	if err != nil {
		_ = client.Close()
		return
	}
	c := &pair{client: client, server: server}
	p.mu.Lock()
	if p.refuse || p.closed {
		p.mu.Unlock()
		c.reset()
		return
	}
	p.pairs[c] = true
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { p.copy(c, client, server, p.asked) })
	both.Go(func() { p.copy(c, server, client, p.answered) })
	both.Wait()
	p.mu.Lock()
	delete(p.pairs, c)
	p.mu.Unlock()
	_ = client.Close()
	_ = server.Close()
}

// copy passes on what passes lets through, and then the end of it.
func (p *Proxy) copy(c *pair, from, to net.Conn, passes func(*pair, []byte) bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.flow()
		if n > 0 && !passes(c, buffer[:n]) {
			c.reset()
			return
		}
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			if tcp, is := to.(*net.TCPConn); is {
				_ = tcp.CloseWrite()
			}
			return
		}
	}
}

// flow returns when nothing is stalled.
func (p *Proxy) flow() {
	p.mu.Lock()
	stalled := p.stalled
	p.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
}

// asked notes whether the answer to what the client has sent is to be lost.
func (p *Proxy) asked(c *pair, sent []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.ending) == 0 {
		c.tail = nil
		return true
	}
	c.tail = append(c.tail, sent...)
	c.tail = c.tail[max(0, len(c.tail)-len(p.ending)):]
	c.lost = c.lost || bytes.Equal(c.tail, p.ending)
	return true
}

func (p *Proxy) answered(c *pair, _ []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !c.lost
}
