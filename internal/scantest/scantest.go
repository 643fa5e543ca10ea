// Package scantest starts scanners for a test: ClamAV with a signature of its own, and rspamd. For tests only.
package scantest

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

// Virus is what the database of the tests' clamd calls a virus, and VirusName its name.
const (
	Virus     = "DESK-TEST-VIRUS-SAMPLE"
	VirusName = "Desk.Test.UNOFFICIAL"
)

// GTUBE is what every rspamd rejects, as its manual says.
const GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"

// Daemon is a scanner that a test started, with the programs that it started itself.
type Daemon struct {
	URL string // as scan.Open takes it

	t    *testing.T
	name string
	args []string
	cmd  *exec.Cmd
	done chan struct{}
}

// Kill ends it at once.
func (d *Daemon) Kill() {
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL) // fails only when it has ended
	<-d.done
}

// start starts a program, which ends with the test, and waits until its scanner answers.
func start(t *testing.T, address, name string, args ...string) *Daemon {
	t.Helper()
	d := &Daemon{URL: address, t: t, name: name, args: args}
	d.Restart()
	t.Cleanup(func() { d.Kill() })
	return d
}

// Restart starts the scanner again after Kill, at the same address, and waits until it answers.
func (d *Daemon) Restart() {
	d.t.Helper()
	output, err := os.Create(filepath.Join(d.t.TempDir(), "output"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer output.Close()
	cmd, done := exec.Command(d.name, d.args...), make(chan struct{})
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.cmd, d.done = cmd, done
	go func() {
		defer close(done)
		_ = cmd.Wait()
	}()
	d.await(output.Name())
}

// await returns when the scanner answers.
func (d *Daemon) await(output string) {
	d.t.Helper()
	scanner, err := scan.Open(d.URL)
	if err != nil {
		d.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if err = scanner.Ready(d.t.Context()); err == nil {
			return
		}
		select {
		case <-d.done:
		default:
			if time.Now().Before(deadline) {
				continue
			}
		}
		said, _ := os.ReadFile(output)
		d.Kill()
		d.t.Fatalf("%s does not answer: %v\n%s", d.name, err, said)
	}
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

// Clamd starts ClamAV's daemon with a signature of ours, on TCP or a socket in the file system.
func Clamd(t *testing.T, unix bool) *Daemon {
	t.Helper()
	program(t, "clamd", "clamav-daemon")
	dir, err := os.MkdirTemp("", "supportdesk-clamd-*") // short: the path of a socket has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	write(t, filepath.Join(dir, "test.ndb"), "Desk.Test:0:*:"+hex.EncodeToString([]byte(Virus))+"\n")
	address, listen := "clamd+unix://"+dir+"/socket", "LocalSocket "+dir+"/socket"
	if !unix {
		port := freePort(t)
		address, listen = fmt.Sprintf("clamd://127.0.0.1:%d", port), fmt.Sprintf("TCPAddr 127.0.0.1\nTCPSocket %d", port)
	}
	config := filepath.Join(dir, "clamd.conf")
	write(t, config, strings.Join([]string{listen, "Foreground yes", "DatabaseDirectory " + dir, "TemporaryDirectory " + dir, "StreamMaxLength 1M", "SelfCheck 0", ""}, "\n"))
	return start(t, address, "clamd", "--config-file="+config)
}

// Rspamd starts rspamd with no rules but the one that is built in. The list of top-level domains is short, because
// compiling the real one takes half a minute.
func Rspamd(t *testing.T) *Daemon {
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
