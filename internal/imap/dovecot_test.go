package imap_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	goimap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/holesalemart/supportdesk/internal/skiptest"
)

const (
	user     = "support@desk.example"
	password = "correct horse"
	nobody   = 65534 // the system user that owns the mailboxes
)

// dovecot is a real IMAP server with one user.
type dovecot struct {
	t       *testing.T
	dir     string
	address string
	extra   string // configuration
	process *exec.Cmd
	done    chan struct{}
}

// startDovecot starts a server. extra is configuration that is added to the test's own.
func startDovecot(t *testing.T, extra string) *dovecot {
	t.Helper()
	if _, err := exec.LookPath("dovecot"); err != nil {
		skiptest.Skipf(t, "there is no dovecot, of Debian's package dovecot-imapd")
	}
	if os.Getuid() != 0 {
		skiptest.Skipf(t, "dovecot is started by root only")
	}
	dir, err := os.MkdirTemp("", "supportdesk-dovecot-*") // short: its sockets have paths of at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &dovecot{t: t, dir: dir, address: listener.Addr().String(), extra: extra}
	listener.Close()
	for _, path := range []string{dir, filepath.Join(dir, "mail")} {
		if err := firstOf(os.MkdirAll(path, 0o755), os.Chmod(path, 0o755)); err != nil { // its own users read it
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(dir, "mail"), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	d.setPassword(password)
	d.start()
	t.Cleanup(d.kill)
	return d
}

func firstOf(all ...error) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// setPassword replaces the user's password.
func (d *dovecot) setPassword(p string) { d.write("users", user+":{PLAIN}"+p+"\n") }

func (d *dovecot) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// start starts it and waits until it answers.
func (d *dovecot) start() {
	d.t.Helper()
	_, port, _ := net.SplitHostPort(d.address)
	d.write("dovecot.conf", fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0 secs
mail_location = maildir:~/Maildir
mailbox_idle_check_interval = 1 secs
passdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
  driver = static
  args = uid=%[3]d gid=%[3]d home=%[1]s/mail/%%u
}
service imap-login {
  inet_listener imap {
    port = %[2]s
  }
  inet_listener imaps {
    port = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
`+d.extra, d.dir, port, nobody))
	d.process = exec.Command("dovecot", "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	d.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := os.Create(filepath.Join(d.dir, "output"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer output.Close()
	d.process.Stdout, d.process.Stderr = output, output
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	process, done := d.process, make(chan struct{})
	d.done = done
	go func() {
		defer close(done)
		process.Wait()
	}()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		c, err := imapclient.DialInsecure(d.address, nil)
		if err == nil {
			err = c.WaitGreeting()
			c.Close()
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(d.dir, "log"))
			said, _ := os.ReadFile(filepath.Join(d.dir, "output"))
			d.t.Fatalf("dovecot does not answer: %v\n%s\n%s", err, said, log)
		}
	}
}

// kill ends it and its processes at once.
func (d *dovecot) kill() {
	syscall.Kill(-d.process.Process.Pid, syscall.SIGKILL)
	<-d.done
}

// client returns a connection of the user's.
func (d *dovecot) client() *imapclient.Client {
	d.t.Helper()
	c, err := imapclient.DialInsecure(d.address, nil)
	if err == nil {
		err = c.Login(user, password).Wait()
	}
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(d.dir, "log"))
		d.t.Fatalf("%v\n%s", err, log)
	}
	return c
}

// deliver adds mails to the inbox.
func (d *dovecot) deliver(mails ...string) {
	d.t.Helper()
	c := d.client()
	defer c.Close()
	for _, mail := range mails {
		command := c.Append("INBOX", int64(len(mail)), &goimap.AppendOptions{Flags: []goimap.Flag{goimap.FlagSeen}})
		_, err := command.Write([]byte(mail))
		if err := firstOf(err, command.Close()); err != nil {
			d.t.Fatal(err)
		}
		if _, err := command.Wait(); err != nil {
			d.t.Fatal(err)
		}
	}
}

// empty replaces the inbox by a new one, while the server is down.
func (d *dovecot) empty() {
	d.t.Helper()
	if err := os.RemoveAll(filepath.Join(d.dir, "mail", user)); err != nil {
		d.t.Fatal(err)
	}
}

// unreadable makes the mail with a subject one that the server can't read, until readable is called.
func (d *dovecot) unreadable(subject string) (readable func()) {
	d.t.Helper()
	all, err := filepath.Glob(filepath.Join(d.dir, "mail", user, "Maildir", "cur", "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(file string) bool {
		content, _ := os.ReadFile(file)
		return strings.Contains(string(content), "Subject: "+subject+"\n")
	})
	if i < 0 {
		d.t.Fatalf("no mail %q in %q", subject, all)
	}
	file := all[i]
	if err := firstOf(os.Chown(file, 0, 0), os.Chmod(file, 0)); err != nil {
		d.t.Fatal(err)
	}
	return func() {
		if err := os.Chmod(file, 0o644); err != nil {
			d.t.Fatal(err)
		}
	}
}

// letters returns mails with subjects from first to last.
func letters(first, last int) (all []string) {
	for i := first; i <= last; i++ {
		all = append(all, letter(fmt.Sprintf("Mail %d", i), strings.Repeat("word ", 100*i%7919)))
	}
	return all
}

func letter(subject, body string) string {
	return "Return-Path: <carla@shop.example>\r\nDelivered-To: support+token@desk.example\r\nFrom: Carla <carla@shop.example>\r\n" +
		"To: support@desk.example\r\nSubject: " + subject + "\r\n\r\n" + body + "\r\n"
}
