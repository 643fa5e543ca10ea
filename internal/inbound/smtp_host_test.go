package inbound_test

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/inbound"
)

// elsewhere is a listener that reports other hosts as the clients of its connections, in order.
type elsewhere struct {
	net.Listener
	clients chan string
}

func (e elsewhere) Accept() (net.Conn, error) {
	c, err := e.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &elsewhereConn{Conn: c, client: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(<-e.clients))}, nil
}

type elsewhereConn struct {
	net.Conn
	client net.Addr
}

func (c *elsewhereConn) RemoteAddr() net.Addr { return c.client }

// entrance is a server that limits the connections of a host to two, with those of 10.0.0.0/8 being internal.
type entrance struct {
	t    *testing.T
	addr string
	elsewhere
}

func openEntrance(t *testing.T) entrance {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := entrance{t, tcp.Addr().String(), elsewhere{tcp, make(chan string, 1)}}
	server := inbound.NewServer(nil, inbound.ServerOptions{
		Name: "desk.example", PerHost: 2, Internal: netip.MustParsePrefix("10.0.0.0/8").Contains, Log: slog.New(slog.DiscardHandler),
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, e.elsewhere) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return e
}

// dial opens a connection as a client and returns it with the server's greeting.
func (e entrance) dial(client string) (*bufio.ReadWriter, string) {
	e.t.Helper()
	conn, err := net.Dial("tcp", e.addr)
	if err != nil {
		e.t.Fatal(err)
	}
	e.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		e.t.Fatal(err)
	}
	e.clients <- client
	c := bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn))
	return c, e.line(c)
}

func (e entrance) line(c *bufio.ReadWriter) string {
	e.t.Helper()
	line, err := c.ReadString('\n')
	if err != nil {
		e.t.Fatal(err)
	}
	return line
}

// quit ends a connection and waits until the server has closed it.
func (e entrance) quit(c *bufio.ReadWriter) {
	e.t.Helper()
	if _, err := c.WriteString("QUIT\r\n"); err != nil {
		e.t.Fatal(err)
	}
	if err := c.Flush(); err != nil {
		e.t.Fatal(err)
	}
	e.line(c)
	if _, err := c.ReadByte(); err == nil {
		e.t.Fatal("the connection goes on")
	}
}

func TestServer_refusesFurtherConnectionsOfAHostAndAcceptsOthers(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	const accepted, refused = "220 ", "421 4.7.0 desk.example too many connections from your host; try again later\r\n"
	for i, c := range []struct{ client, want string }{
		{"192.0.2.1:1001", accepted},
		{"[::ffff:192.0.2.1]:1002", accepted}, // the same host, as a socket for both protocols names it
		{"192.0.2.1:1003", refused},
		{"192.0.2.1:1004", refused},
		{"192.0.2.2:1001", accepted},
		{"[2001:db8::1]:1001", accepted},
		{"[2001:db8::2:2:2:2]:1001", accepted}, // another address of the same /64
		{"[2001:db8::3]:1001", refused},
		{"[2001:db8:0:1::3]:1001", accepted},
		{"[fe80::1%eth0]:1001", accepted},
		{"[fe80::1%eth1]:1001", accepted},
		{"[fe80::1%eth0]:1002", refused},
		{"10.0.0.1:1001", accepted},
		{"10.0.0.1:1002", accepted},
		{"10.0.0.1:1003", accepted}, // internal
	} {
		if _, got := e.dial(c.client); !strings.HasPrefix(got, c.want) {
			t.Errorf("%d, %s: %q, want %q", i, c.client, got, c.want)
		}
	}
}

// The server closes a connection when its client takes leave, and again when it has ended.
func TestServer_aConnectionThatEndsLeavesItsPlaceToOneOther(t *testing.T) {
	t.Parallel()
	e := openEntrance(t)
	const host = "192.0.2.1:1001"
	first, _ := e.dial(host)
	e.dial(host)
	e.quit(first)
	var got string
	for deadline := time.Now().Add(time.Minute); !strings.HasPrefix(got, "220 ") && time.Now().Before(deadline); {
		_, got = e.dial(host) // the client may see the end before the server counts it
	}
	if !strings.HasPrefix(got, "220 ") {
		t.Fatalf("after one has ended: %q", got)
	}
	if _, got := e.dial(host); !strings.HasPrefix(got, "421 ") {
		t.Errorf("one more: %q", got)
	}
}
