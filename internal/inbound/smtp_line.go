package inbound

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"
)

// lines is a listener whose connections wait for each part of a mail as long as for a command. The library's time-out is for
// everything until the next command, and a large mail on a slow line would never arrive within it.
type lines struct{ net.Listener }

func (l lines) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &line{Conn: c}, nil
}

// line is a connection of a client.
type line struct {
	net.Conn
	until atomic.Int64 // when the mail that is being read must have arrived, in nanoseconds since 1970; 0: none is being read
}

// lineOf returns the line under a connection, which TLS may encrypt.
func lineOf(c net.Conn) *line {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	return c.(*line) //nolint:forcetypeassert // all connections are accepted by lines
}

// mailUntil sets until when a mail may take; the zero time after it was read.
func (l *line) mailUntil(t time.Time) {
	if t.IsZero() {
		l.until.Store(0)
		return
	}
	l.until.Store(t.UnixNano())
}

func (l *line) Read(p []byte) (int, error) {
	if until := l.until.Load(); until != 0 {
		deadline := min(until, time.Now().Add(lineTimeout).UnixNano())
		if err := l.SetReadDeadline(time.Unix(0, deadline)); err != nil {
			return 0, err
		}
	}
	return l.Conn.Read(p)
}
