// Package postfixtest starts Debian's Postfix for a test, with a configuration and a queue of its own: it accepts mail by SMTP
// on loopback and delivers it by LMTP. A test may kill its parts. For tests only.
package postfixtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/skiptest"
)

// startTimeout is long, because a machine that runs other tests is slow.
const startTimeout = time.Minute

// Server is a private Postfix.
type Server struct {
	// Addr is the address at which it accepts mail by SMTP.
	Addr string

	t      testing.TB
	dir    string
	master *os.Process
	done   chan struct{}
	output bytes.Buffer // read only when done
}

// Start starts a Postfix that ends with the test. It accepts mail for a domain and delivers it to an LMTP server, which need
// not be there yet: what can't be delivered is tried again every second. The test is skipped where Postfix is missing, and
// where it can't be started because the user is not root.
func Start(t testing.TB, domain, lmtp string) *Server {
	t.Helper()
	if _, err := exec.LookPath("postfix"); err != nil {
		skiptest.Skipf(t, "there is no postfix, of Debian's package postfix")
	}
	if os.Getuid() != 0 {
		skiptest.Skipf(t, "user %d may not start Postfix", os.Getuid())
	}
	dir, err := os.MkdirTemp("", "supportdesk-postfix-*") // short: the paths of sockets have at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &Server{t: t, dir: dir, done: make(chan struct{})}
	if err := s.configure(domain, lmtp); err != nil {
		t.Fatalf("configure Postfix: %v", err)
	}
	if err := s.start(); err != nil {
		t.Fatalf("start Postfix: %v", err)
	}
	t.Cleanup(s.stop)
	s.await()
	return s
}

// Queue returns the IDs of the mails that are not delivered yet.
func (s *Server) Queue() []string {
	s.t.Helper()
	out, err := s.command("postqueue", "-j").Output()
	if err != nil {
		s.t.Fatalf("read Postfix's queue: %v", err)
	}
	var all []string
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var queued struct {
			ID string `json:"queue_id"`
		}
		if err := decoder.Decode(&queued); err != nil {
			s.t.Fatalf("read Postfix's queue: %v in %s", err, out)
		}
		all = append(all, queued.ID)
	}
	return all
}

// sentLine is a line of the log about a mail that the LMTP server has accepted.
var sentLine = regexp.MustCompile(`postfix/lmtp\[\d+\]: (\w+): to=.* status=sent `)

// Sent returns how often Postfix's log says that a mail was sent, by queue ID.
func (s *Server) Sent() map[string]int {
	s.t.Helper()
	sent := map[string]int{}
	for line := range bytes.Lines(s.log()) {
		if m := sentLine.FindSubmatch(line); m != nil {
			sent[string(m[1])]++
		}
	}
	return sent
}

// Kill sends SIGKILL to every process of a part, such as lmtp or qmgr, and returns how many there were. Postfix starts them
// again when it needs them.
func (s *Server) Kill(part string) (killed int) {
	s.t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		var pid, parent int
		var name, state string
		if _, err := fmt.Sscanf(string(text), "%d %s %s %d", &pid, &name, &state, &parent); err != nil {
			continue // its name has a space
		}
		if parent == s.master.Pid && name == "("+part+")" && syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
	}
	return killed
}

func (s *Server) log() []byte {
	text, _ := os.ReadFile(s.file("log")) // it is missing until something is logged
	return text
}

func (s *Server) file(name string) string { return filepath.Join(s.dir, name) }

// command returns a command of Postfix about this server.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	return exec.Command(name, append([]string{"-c", s.file("config")}, args...)...)
}

// mainFormat configures Postfix: where it keeps everything, that it delivers by LMTP alone and tries again every second.
const mainFormat = `compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = %[1]s
inet_interfaces = loopback-only
inet_protocols = ipv4
myhostname = border.example
mynetworks = 127.0.0.0/8
mydestination =
local_transport = error:no local mail
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = %[2]s
relay_transport = lmtp:inet:%[3]s
smtpd_relay_restrictions = reject_unauth_destination
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
lmtp_host_lookup = native
smtpd_client_connection_count_limit = 0
message_size_limit = 67108864
mailbox_size_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
service_throttle_time = 1s
`

// masterFormat lists Postfix's parts. The queue manager wakes up every second, so that it comes back soon when it was killed.
const masterFormat = `%s inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
lmtp unix - - n - - lmtp
postlog unix-dgram n - n - 1 postlogd
`

func (s *Server) configure(domain, lmtp string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Addr = listener.Addr().String()
	if err := listener.Close(); err != nil {
		return err
	}
	for _, dir := range []string{s.dir, s.file("config"), s.file("queue"), s.file("data")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // most parts run as another user
		return err
	}
	if err := own(s.file("data"), "postfix"); err != nil {
		return err
	}
	if err := os.WriteFile(s.file("config/main.cf"), fmt.Appendf(nil, mainFormat, s.dir, domain, lmtp), 0o644); err != nil {
		return err
	}
	return os.WriteFile(s.file("config/master.cf"), fmt.Appendf(nil, masterFormat, s.Addr), 0o644)
}

// own makes a user the owner of a folder.
func own(dir, name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, -1)
}

// start runs Postfix's master itself, and not by "postfix start", so that Postfix ends with the test.
func (s *Server) start() error {
	if out, err := s.command("postfix", "check").CombinedOutput(); err != nil { // it creates the queue's folders
		return fmt.Errorf("%w: %s", err, out)
	}
	programs, err := s.command("postconf", "-h", "daemon_directory").Output()
	if err != nil {
		return err
	}
	cmd := s.command(filepath.Join(strings.TrimSpace(string(programs)), "master"), "-d")
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	cmd.WaitDelay = startTimeout // the parts have its output, too
	cmd.SysProcAttr = endsWithUs()
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the death signal is tied to the thread that forked
		err := cmd.Start()
		failed <- err
		if err == nil {
			_ = cmd.Wait() // its output says more
		}
		close(s.done)
	}()
	if err := <-failed; err != nil {
		return err
	}
	s.master = cmd.Process
	return nil
}

// stop ends Postfix as "postfix abort" does: the master passes the signal on to its parts.
func (s *Server) stop() {
	if s.t.Failed() {
		lines := strings.Split(string(s.log()), "\n")
		s.t.Logf("Postfix's log ends:\n%s", strings.Join(lines[max(0, len(lines)-25):], "\n"))
	}
	select {
	case <-s.done:
		s.t.Errorf("Postfix ended before the test: %s", s.output.Bytes())
	default:
		_ = s.master.Signal(syscall.SIGTERM) // fails only when it has ended
		<-s.done
	}
}

// await returns when Postfix greets.
func (s *Server) await() {
	s.t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		err := s.greets()
		if err == nil {
			return
		}
		select {
		case <-s.done:
			s.t.Fatalf("Postfix ended: %s%s", s.output.Bytes(), s.log())
		default:
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("Postfix does not answer: %v\n%s", err, s.log())
		}
	}
}

func (s *Server) greets() error {
	conn, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		return err
	}
	_, _, err = textproto.NewReader(bufio.NewReader(conn)).ReadResponse(220)
	return err
}
