package scan_test

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/scan"
	"github.com/holesalemart/supportdesk/internal/skiptest"
)

// virus is what the database of the tests' clamd calls a virus.
const virus = "DESK-TEST-VIRUS-SAMPLE"

// gtube is what every rspamd rejects, as its manual says.
const gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

// daemon is a scanner that the test started, with the programs that it started itself.
type daemon struct {
	url   string
	group int
	done  chan struct{}
}

// kill ends it at once.
func (d *daemon) kill() {
	syscall.Kill(-d.group, syscall.SIGKILL)
	<-d.done
}

// start starts a program and waits until its scanner answers.
func start(t *testing.T, address, name string, args ...string) *daemon {
	t.Helper()
	output, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := &daemon{url: address, group: cmd.Process.Pid, done: make(chan struct{})}
	go func() {
		defer close(d.done)
		cmd.Wait()
	}()
	t.Cleanup(d.kill)
	scanner := open(t, address)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err = scanner.Ready(t.Context()); err == nil {
			return d
		}
		select {
		case <-d.done:
		default:
			if time.Now().Before(deadline) {
				continue
			}
		}
		said, _ := os.ReadFile(output.Name())
		t.Fatalf("%s does not answer: %v\n%s", name, err, said)
	}
}

func open(t testing.TB, address string) *scan.Scanner {
	t.Helper()
	s, err := scan.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func program(t *testing.T, name, debian string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		skiptest.Skipf(t, "there is no %s, of Debian's package %s", name, debian)
	}
}

// freePort returns a port of loopback that nothing listens on.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// startClamd starts ClamAV's daemon with a signature of ours, on TCP or a socket in the file system.
func startClamd(t *testing.T, unix bool) *daemon {
	t.Helper()
	program(t, "clamd", "clamav-daemon")
	dir, err := os.MkdirTemp("", "supportdesk-clamd-*") // short: the path of a socket has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	write(t, filepath.Join(dir, "test.ndb"), "Desk.Test:0:*:"+hex.EncodeToString([]byte(virus))+"\n")
	address, listen := "clamd+unix://"+dir+"/socket", "LocalSocket "+dir+"/socket"
	if !unix {
		port := freePort(t)
		address, listen = fmt.Sprintf("clamd://127.0.0.1:%d", port), fmt.Sprintf("TCPAddr 127.0.0.1\nTCPSocket %d", port)
	}
	config := filepath.Join(dir, "clamd.conf")
	write(t, config, strings.Join([]string{listen, "Foreground yes", "DatabaseDirectory " + dir, "TemporaryDirectory " + dir, "StreamMaxLength 1M", "SelfCheck 0", ""}, "\n"))
	return start(t, address, "clamd", "--config-file="+config)
}

// startRspamd starts rspamd with no rules but the one that is built in. The list of top-level domains is short, because
// compiling the real one takes half a minute.
func startRspamd(t *testing.T) *daemon {
	t.Helper()
	program(t, "rspamd", "rspamd")
	dir, port := t.TempDir(), freePort(t)
	write(t, filepath.Join(dir, "tld"), "com\norg\nexample\n")
	config := filepath.Join(dir, "rspamd.conf")
	write(t, config, fmt.Sprintf(`options {
	filters = ""; explicit_modules = []; allow_raw_input = true; max_message = 1mb;
	tempdir = "%[1]s"; hs_cache_dir = "%[1]s"; pidfile = "%[1]s/pid"; control_socket = "%[1]s/control mode=0600"; url_tld = "%[1]s/tld";
	dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1; retransmits = 1; }
}
lang_detection { languages = ["en"]; }
logging { type = "console"; level = "warning"; }
worker "normal" { bind_socket = "127.0.0.1:%[2]d"; count = 1; }
actions { reject = 15; "add header" = 6; greylist = 4; }
`, dir, port))
	return start(t, fmt.Sprintf("rspamd+http://127.0.0.1:%d", port), "rspamd", "--no-fork", "--insecure", "--config", config)
}
