package mail

// In the package itself, because time can be faked only around connections that are no sockets.

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// politeServer accepts every command and counts QUITs.
type politeServer struct{ quits atomic.Int32 }

func (s *politeServer) connect(t *testing.T) *connection {
	t.Helper()
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		fmt.Fprint(theirs, "220 hello\r\n")
		for lines := bufio.NewScanner(theirs); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "QUIT") {
				s.quits.Add(1)
				fmt.Fprint(theirs, "221 bye\r\n")
				return
			}
			fmt.Fprint(theirs, "250 ok\r\n")
		}
	}()
	client, err := smtp.NewClient(ours, "pipe")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Hello("desk.test"); err != nil {
		t.Fatal(err)
	}
	return &connection{raw: ours, smtp: client, timeout: time.Minute}
}

func TestIdle_letsAConnectionGoAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server politeServer
		var i idle
		c := server.connect(t)
		i.put(c)
		time.Sleep(idleTime - time.Second)
		if i.get() != c {
			t.Fatal("the connection is gone too early")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := server.quits.Load(); got != 0 {
			t.Fatal("a connection in use was ended")
		}
		i.put(c)
		time.Sleep(idleTime + time.Second)
		synctest.Wait()
		if got := server.quits.Load(); got != 1 || i.get() != nil {
			t.Errorf("%d connections ended, want 1", got)
		}
		i.close()
	})
}

func TestIdle_keepsAFewAndNoneOnceClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var server politeServer
		var i idle
		for range idleMax + 3 {
			i.put(server.connect(t))
		}
		if got := server.quits.Load(); got != 3 {
			t.Errorf("%d connections ended, want 3", got)
		}
		late := i.get()
		i.close()
		i.put(late)
		if got := server.quits.Load(); got != idleMax+3 {
			t.Errorf("%d connections ended, want %d", got, idleMax+3)
		}
		if i.get() != nil {
			t.Error("a closed pool gave a connection")
		}
	})
}
