package inbound_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/holesalemart/supportdesk/internal/inbound"
)

// watched is a listener whose connections report what they read, and count how often their deadline is set.
type watched struct {
	net.Listener
	read      chan int // bytes
	deadlines atomic.Int32
}

func (w *watched) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	return &watchedConn{Conn: c, all: w}, err
}

type watchedConn struct {
	net.Conn
	all *watched
}

func (c *watchedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.all.read <- n
	return n, err
}

func (c *watchedConn) SetReadDeadline(t time.Time) error {
	c.all.deadlines.Add(1)
	return c.Conn.SetReadDeadline(t)
}

// A mail may take longer than the server waits for a line, as long as parts of it arrive.
func TestServer_waitsForEachPartOfAMailAnew(t *testing.T) {
	t.Parallel()
	d := openDoor(t, true)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener := &watched{Listener: tcp, read: make(chan int, 1000)}
	server := inbound.NewServer(inbound.NewReceiver(d.blobs, d.db, limit), inbound.ServerOptions{
		LMTP: true, Name: "desk.example", Limit: limit, Addresses: inbound.Addresses{"support@desk.example": ""}, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, listener) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()
	conn, err := net.Dial("tcp", tcp.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client := smtp.NewClientLMTP(conn)
	defer func() { _ = client.Close() }()
	for _, err := range []error{client.Hello("client.example"), client.Mail("ann@example.com", nil), client.Rcpt("support@desk.example", nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := client.Data()
	if err != nil {
		t.Fatal(err)
	}
	for len(listener.read) > 0 {
		<-listener.read
	}
	before := listener.deadlines.Load()
	const parts = 20
	for i := range parts {
		part := fmt.Sprintf("X-Part-%d: 1\r\n", i)
		if _, err := conn.Write([]byte(part)); err != nil { // past the client's buffer
			t.Fatal(err)
		}
		for left := len(part); left > 0; {
			left -= <-listener.read
		}
	}
	if n := listener.deadlines.Load() - before; n < parts-1 {
		t.Errorf("the deadline was set %d times for %d parts", n, parts)
	}
	if _, err := io.WriteString(w, "\r\nThe end.\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if m, content := d.next(); m.ID == 0 || len(content) < parts*10 {
		t.Errorf("%+v %q", m, content)
	}
}
