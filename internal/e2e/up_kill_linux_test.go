package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

// keepZombies makes this process the parent of its orphaned descendants and does not wait for them until the test ends,
// as process 1 of a container may be one that never does.
func keepZombies(t *testing.T) {
	t.Helper()
	const setChildSubreaper = 36 // PR_SET_CHILD_SUBREAPER of prctl(2)
	set := func(on uintptr) syscall.Errno {
		_, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setChildSubreaper, on, 0)
		return errno
	}
	if errno := set(1); errno != 0 {
		t.Fatal(errno)
	}
	t.Cleanup(func() {
		_ = set(0)
		for _, p := range descendants(t, os.Getpid()) {
			if p.state == "Z" {
				_, _ = syscall.Wait4(p.pid, nil, syscall.WNOHANG, nil)
			}
		}
	})
}

type descendant struct {
	pid   int
	state string
}

// descendants are the processes below a parent, the nearest first.
func descendants(t *testing.T, parent int) []descendant {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	children := map[int][]descendant{}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ") ")+2:]))
		above, _ := strconv.Atoi(fields[1])
		children[above] = append(children[above], descendant{pid: pid, state: fields[0]})
	}
	found := children[parent]
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i].pid]...)
	}
	return found
}

// killAll ends up and everything below it as one kill -9 of them all does: up is frozen first, so that it starts nothing
// again, asks for no exit and takes none of the others with it.
func (u *upRun) killAll(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(u.program.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for _, p := range descendants(t, u.program.PID()) {
		_ = syscall.Kill(p.pid, syscall.SIGKILL) // one that has ended meanwhile is as good
	}
	u.killAlone(t)
}

// killAlone ends up alone, whose parts are then notified by the kernel to end.
func (u *upRun) killAlone(t *testing.T) {
	t.Helper()
	if err := syscall.Kill(u.program.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-u.program.Done()
}

func TestUp_startsAgainAfterKills(t *testing.T) {
	keepZombies(t)
	data := upDir(t)
	var ports []string
	for _, flag := range []string{"--port", "--ui-port", "--mailbox-port", "--smtp-port", "--temporal-port", "--postgres-port"} {
		port, err := local.ChoosePort(0, flag)
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, flag, strconv.Itoa(port)) // the same at every start, as by default
	}
	u := up(t, data, ports...)
	customer := u.person(t, "customer")
	var numbers []string
	for round := range 6 {
		numbers = append(numbers, customer.submit(fmt.Sprintf("Round %d", round), "words"))
		if round%2 == 0 {
			u.killAll(t)
		} else {
			u.killAlone(t)
		}
		u = up(t, data, ports...)
		for _, number := range numbers {
			if v := customer.ticket(number); v.Number != number {
				t.Errorf("round %d: the ticket is %+v", round, v)
			}
			eventually(t, "the receipt", func() (bool, string) { n := u.mails(t, number); return n >= 1, fmt.Sprint(n) })
		}
	}
	if err := u.program.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// A directory that goes with a test goes when nothing writes into it any more.
func TestUp_leavesNoPartBehindItsTest(t *testing.T) {
	t.Parallel()
	data := upDir(t)
	t.Run("up", func(t *testing.T) { up(t, data) })
	lock, err := local.LockDir(data)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	if err := lock.AwaitOrphans(t.Context(), func() { t.Error("parts of up outlive its test") }); err != nil {
		t.Error(err)
	}
}
