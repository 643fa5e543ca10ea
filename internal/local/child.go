package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// drainPatience is how long a child's own children may keep its log open after it ended.
	drainPatience = 5 * time.Second
	// killPatience is how long a child may take to end when it was asked to: longer than our own programs give the
	// work that they have begun, since a mail that is killed on its way goes out twice.
	killPatience = 35 * time.Second
)

// childSpec says what to run and how it ends.
type childSpec struct {
	name   string // what people call it, for errors
	path   string
	args   []string
	env    []string   // nil is ours
	as     *account   // nil runs it as ourselves
	files  []*os.File // inherited, as descriptors 3 and on
	stdout io.Writer  // nil joins it with log
	log    io.Writer  // nil drops it
	stop   syscall.Signal
	orphan syscall.Signal // what the kernel sends it when we die; Linux only
}

// child is a running process, in a process group of its own so that a terminal's Ctrl-C reaches us alone.
type child struct {
	spec     childSpec
	process  *os.Process
	tail     *tail
	done     chan struct{}
	exit     error // set before done closes
	expected atomic.Bool
}

func startChild(spec childSpec) (*child, error) {
	c := &child{spec: spec, tail: &tail{to: spec.log}, done: make(chan struct{})}
	cmd := exec.Command(spec.path, spec.args...)
	cmd.Dir = "/" // the current directory may be closed to the user it runs as
	cmd.Env = spec.env
	cmd.ExtraFiles = spec.files
	cmd.Stderr = c.tail
	cmd.Stdout = spec.stdout
	if spec.stdout == nil {
		cmd.Stdout = c.tail
	}
	cmd.WaitDelay = drainPatience
	cmd.SysProcAttr = attributes(spec.as, spec.orphan)
	started := make(chan error, 1)
	go func() {
		// The kernel ties the death signal to the thread that forked, so this thread serves the child alone.
		runtime.LockOSThread()
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", spec.name, err)
			return
		}
		c.process = cmd.Process
		started <- nil
		c.exit = cmd.Wait()
		close(c.done)
	}()
	return c, <-started
}

// end asks the child to stop, waits, and kills it when it does not.
func (c *child) end() error {
	c.expected.Store(true)
	_ = c.process.Signal(c.spec.stop) // fails only when it has ended
	select {
	case <-c.done:
		return nil
	case <-time.After(killPatience):
		c.kill()
		return fmt.Errorf("%s did not stop within %s and was killed", c.spec.name, killPatience)
	}
}

// kill ends the child at once, as kill -9 does, and waits until it and its own children are gone.
func (c *child) kill() {
	c.expected.Store(true)
	_ = syscall.Kill(-c.process.Pid, syscall.SIGKILL)
	<-c.done
}

// err is why the child ended by itself; nil while it runs and after end or kill.
func (c *child) err() error {
	select {
	case <-c.done:
	default:
		return nil
	}
	if c.expected.Load() {
		return nil
	}
	return c.failure()
}

func (c *child) status() (syscall.WaitStatus, bool) {
	exit, ok := errors.AsType[*exec.ExitError](c.exit)
	if !ok {
		return 0, false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return status, ok
}

// failure describes an ended child by its exit and the last lines that it logged.
func (c *child) failure() error {
	exit := c.exit
	if exit == nil {
		exit = errors.New("it exited")
	}
	if status, ok := c.status(); ok && status.Signaled() {
		return fmt.Errorf("%s ended: %w", c.spec.name, exit) // what it said last has nothing to do with it
	}
	if last := c.tail.String(); last != "" {
		return fmt.Errorf("%s ended: %w: %s", c.spec.name, exit, last)
	}
	return fmt.Errorf("%s ended: %w", c.spec.name, exit)
}

// tail passes writes on and keeps the end of them for an error message.
type tail struct {
	to   io.Writer
	mu   sync.Mutex
	last []byte
}

const tailBytes = 600

// Write never fails: a log that cannot be written must not stop the child.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if extra := len(t.last) - tailBytes; extra > 0 {
		t.last = append(t.last[:0], t.last[extra:]...)
	}
	if t.to != nil {
		_, _ = t.to.Write(p)
	}
	return len(p), nil
}

// String is the last line that says anything.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.last)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
