package local_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/local"
)

// startParent runs a test of this binary as a program of its own that starts a server in dir, and returns its
// process and the port that it prints.
func startParent(t *testing.T, test, dir string) (*exec.Cmd, int) {
	t.Helper()
	parent := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+test+"$")
	parent.Env = append(os.Environ(), orphanDir+"="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = parent.Process.Kill()
		_ = parent.Wait()
	})
	var port int
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, scanErr := fmt.Sscan(line, &port); err != nil || scanErr != nil {
		t.Fatalf("the parent said %q: %v", line, err)
	}
	return parent, port
}

// A killed server whose parent does not wait for it stays a zombie, under its name and with its ID in use.
func TestStartPostgres_takesAZombieForDead(t *testing.T) {
	t.Parallel()
	dir := home(t)
	parent, port := startParent(t, "TestKilledParent_leavesNothingBehind", dir)
	server := postmaster(t, dir)
	if err := parent.Process.Signal(syscall.SIGSTOP); err != nil { // so that it does not wait for its child
		t.Fatal(err)
	}
	if err := syscall.Kill(server, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitZombie(t, server)
	again := startPostgres(t, local.PostgresOptions{Dir: dir, Port: port})
	if now := postmaster(t, dir); now == server {
		t.Error("the mark is still the dead server's")
	}
	if err := syscall.Kill(server, 0); err != nil {
		t.Errorf("process %d is no zombie any more: %v", server, err)
	}
	if got := query[int](t, again.DSN("postgres"), "SELECT 1"); got != 1 {
		t.Errorf("got %d", got)
	}
}

// awaitZombie waits until a process has ended and only its parent has not asked for it.
func awaitZombie(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		state, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
		if err == nil && len(state) > 0 && state[0] == 'Z' {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("process %d is %q: %v", pid, state, err)
		}
		time.Sleep(5 * time.Millisecond) // between looks
	}
}

func TestPostgresServes_knowsItsOwnFromOthers(t *testing.T) {
	t.Parallel()
	judges := map[string]func(int, string) bool{"/proc": local.PostgresServes, "ps": local.PostgresServesByPS}
	if _, err := exec.LookPath("lsof"); err != nil {
		delete(judges, "ps") // without the directory every PostgreSQL counts
	}
	ours, theirs := home(t), home(t)
	startPostgres(t, local.PostgresOptions{Dir: ours})
	startPostgres(t, local.PostgresOptions{Dir: theirs})
	data := filepath.Join(ours, "data")
	stray := exec.Command("/bin/sleep", "600") // another program that got the ID, even in our directory
	stray.Dir = data
	zombie := exec.Command("/bin/true")
	if err := errors.Join(stray.Start(), zombie.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stray.Process.Kill()
		_, _ = stray.Wait(), zombie.Wait()
	})
	awaitZombie(t, zombie.Process.Pid)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	for name, serves := range judges {
		for _, test := range []struct {
			what string
			pid  int
			data string
			want bool
		}{
			{"our server", postmaster(t, ours), data, true},
			{"our server by another path", postmaster(t, ours), link, true},
			{"another cluster's", postmaster(t, theirs), data, false},
			{"another program", stray.Process.Pid, data, false},
			{"a zombie", zombie.Process.Pid, data, false},
			{"process 1", 1, data, false},
			{"no process", 1 << 30, data, false},
			{"no ID", 0, data, false},
		} {
			if got := serves(test.pid, test.data); got != test.want {
				t.Errorf("by %s: %s (process %d) counts as a server on the data: %t", name, test.what, test.pid, got)
			}
		}
	}
}
