package mail

// In the package itself, because time can be faked only around connections that are no sockets.

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wneessen/go-mail/smtp"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// slowServer is a server that takes its time over the answers to DATA and to the final dot.
type slowServer struct {
	beforeData, beforeAnswer func()
	took                     int
	served                   sync.WaitGroup
}

func (s *slowServer) connect(t *testing.T) *connection {
	t.Helper()
	ours, theirs := net.Pipe()
	s.served.Go(func() { s.serve(theirs) })
	client, err := smtp.NewClient(ours, "pipe")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Hello("desk.test"); err != nil {
		t.Fatal(err)
	}
	return &connection{raw: ours, smtp: client, timeout: 30 * time.Second}
}

// leave ends the connection, and waits for the server to notice: faked time stops with the test.
func (s *slowServer) leave(c *connection) {
	c.drop()
	s.served.Wait()
}

func (s *slowServer) serve(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "220 hello\r\n")
	receiving := false
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		switch {
		case receiving && lines.Text() == ".":
			receiving = false
			s.took++
			s.beforeAnswer()
			fmt.Fprint(conn, "250 taken\r\n")
		case receiving:
		case strings.HasPrefix(lines.Text(), "DATA"):
			receiving = true
			s.beforeData()
			fmt.Fprint(conn, "354 go on\r\n")
		default:
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
}

func at(d time.Duration) func() { return func() { time.Sleep(d) } }

var short = outgoing{from: "support@desk.test", to: "customer@demo.example", message: []byte("Subject: hello\r\n\r\nhello\r\n")}

func TestDeliver_waitsForTheAnswerToTheFinalDot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &slowServer{beforeData: at(0), beforeAnswer: at(9 * time.Minute)}
		c := server.connect(t)
		defer server.leave(c)
		for range 2 { // the second shows that the connection is of use afterwards
			if f := c.deliver(t.Context(), short); f != nil {
				t.Fatal(f)
			}
		}
		if server.took != 2 {
			t.Errorf("the server has %d mails", server.took)
		}
	})
}

func TestDeliver_waitsTenMinutesForTheAnswerAndLessForTheRest(t *testing.T) {
	for name, tt := range map[string]struct {
		server  *slowServer
		content bool
		after   time.Duration
	}{
		"the final dot": {&slowServer{beforeData: at(0), beforeAnswer: at(11 * time.Minute)}, true, 10 * time.Minute},
		"DATA":          {&slowServer{beforeData: at(time.Minute), beforeAnswer: at(0)}, false, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := tt.server.connect(t)
				begun := time.Now()
				f := c.deliver(t.Context(), short)
				if f == nil || f.content != tt.content || fault.KindOf(f.deliveryError()) != fault.Unavailable {
					t.Errorf("got %v", f)
				}
				if took := time.Since(begun); took != tt.after {
					t.Errorf("took %s", took)
				}
				tt.server.leave(c)
			})
		})
	}
}

func TestDeliver_heedsItsContextUntilTheFinalDot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		server := &slowServer{beforeData: func() { cancel(); time.Sleep(time.Second) }, beforeAnswer: at(0)}
		c := server.connect(t)
		defer server.leave(c)
		f := c.deliver(ctx, short)
		if f == nil || !errors.Is(f.deliveryError(), context.Canceled) || server.took != 0 {
			t.Errorf("got %v, the server has %d mails", f, server.took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		server := &slowServer{beforeData: at(0), beforeAnswer: func() { cancel(); time.Sleep(time.Minute) }}
		c := server.connect(t)
		defer server.leave(c)
		if f := c.deliver(ctx, short); f != nil || server.took != 1 {
			t.Errorf("got %v of a mail that was taken %d times", f, server.took)
		}
	})
}
