package proxytest_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/proxytest"
)

// echo starts a server that answers each line with itself, and notes it first.
func echo(t *testing.T) (address string, heard chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	heard = make(chan string, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					heard <- lines.Text()
					_, _ = io.WriteString(conn, lines.Text()+"\n")
				}
			}()
		}
	}()
	return listener.Addr().String(), heard
}

type client struct {
	net.Conn
	answers *bufio.Reader
}

func dial(t *testing.T, p *proxytest.Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{Conn: conn, answers: bufio.NewReader(conn)}
}

func (c *client) ask(line string) (string, error) {
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return "", err
	}
	answer, err := c.answers.ReadString('\n')
	return strings.TrimSpace(answer), err
}

func answers(t *testing.T, c *client, line string) {
	t.Helper()
	if got, err := c.ask(line); got != line || err != nil {
		t.Errorf("the answer to %q is %q, %v", line, got, err)
	}
}

func fails(t *testing.T, c *client, line string) {
	t.Helper()
	if got, err := c.ask(line); err == nil {
		t.Errorf("%q is answered: %q", line, got)
	}
}

func TestProxy_cutsOpenConnectionsAndPassesNewOnesOn(t *testing.T) {
	t.Parallel()
	server, _ := echo(t)
	p := proxytest.Start(t, server)
	c := dial(t, p)
	answers(t, c, "before")
	p.Cut()
	fails(t, c, "after")
	answers(t, dial(t, p), "again")
}

func TestProxy_refusesUntilItIsHealed(t *testing.T) {
	t.Parallel()
	server, heard := echo(t)
	p := proxytest.Start(t, server)
	p.Refuse()
	if conn, err := net.Dial("tcp", p.Addr()); err == nil { // else it was refused already
		defer func() { _ = conn.Close() }()
		fails(t, &client{Conn: conn, answers: bufio.NewReader(conn)}, "refused")
	}
	p.Heal()
	answers(t, dial(t, p), "healed")
	if got := <-heard; got != "healed" {
		t.Errorf("the server has received %q", got)
	}
}

func TestProxy_stallsWhatIsSentAndPassesItOnLater(t *testing.T) {
	t.Parallel()
	server, heard := echo(t)
	p := proxytest.Start(t, server)
	c := dial(t, p)
	answers(t, c, "before")
	<-heard
	p.Stall()
	answered := make(chan error, 1)
	go func() {
		_, err := c.ask("stalled")
		answered <- err
	}()
	select {
	case line := <-heard:
		t.Errorf("%q passes a stalled proxy", line)
	case err := <-answered:
		t.Errorf("a stalled proxy answers: %v", err)
	case <-time.After(100 * time.Millisecond): // it passes at once, or not
	}
	p.Heal()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestProxy_losesTheAnswerToWhatTheServerHasReceived(t *testing.T) {
	t.Parallel()
	server, heard := echo(t)
	p := proxytest.Start(t, server)
	p.LoseAnswers("end\n")
	c := dial(t, p)
	answers(t, c, "begin")
	<-heard
	fails(t, c, "the end")
	if got := <-heard; got != "the end" {
		t.Errorf("the server has received %q", got)
	}
	p.Heal()
	answers(t, dial(t, p), "the end")
}
