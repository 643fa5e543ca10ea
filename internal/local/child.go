package local

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// drainTimeout is how long descendants may keep the log of an ended child open.
	drainTimeout = 5 * time.Second
	// killTimeout is how long a child may take to stop: longer than our programs allow for work in progress, because
	// a mail that is interrupted is sent twice.
	killTimeout = 35 * time.Second
)

// childSpec describes a process to run.
type childSpec struct {
	name   string // for errors
	path   string
	args   []string
	env    []string   // nil: inherited
	as     *account   // nil: the same user
	files  []*os.File // inherited, as descriptors 3 and up
	stdout io.Writer  // nil: log
	log    io.Writer  // nil: discarded
	stop   syscall.Signal
	orphan syscall.Signal // sent by the kernel when this process dies; Linux only
}

// child is a running process in its own process group, so that Ctrl-C in a terminal reaches only this process.
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
	cmd.Dir = "/" // the current directory may be inaccessible to its user
	cmd.Env = spec.env
	cmd.ExtraFiles = spec.files
	cmd.Stderr = c.tail
	cmd.Stdout = spec.stdout
	if spec.stdout == nil {
		cmd.Stdout = c.tail
	}
	cmd.WaitDelay = drainTimeout
	cmd.SysProcAttr = attributes(spec.as, spec.orphan)
	started := make(chan error, 1)
	go func() {
		// The death signal is tied to the thread that forked, so the thread is locked to the child.
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

// PID returns the process ID.
func (c *child) PID() int { return c.process.Pid }

// Stop asks the process to stop cleanly, waits, and kills it on a time-out.
func (c *child) Stop() error {
	c.expected.Store(true)
	_ = c.process.Signal(c.spec.stop) // fails only when it has ended
	select {
	case <-c.done:
		return nil
	case <-time.After(killTimeout):
		c.Kill()
		return fmt.Errorf("%s did not stop within %s and was killed", c.spec.name, killTimeout)
	}
}

// Kill sends SIGKILL and waits until the process and its descendants are gone.
func (c *child) Kill() {
	c.expected.Store(true)
	_ = syscall.Kill(-c.process.Pid, syscall.SIGKILL)
	<-c.done
}

// Done is closed when the process has ended.
func (c *child) Done() <-chan struct{} { return c.done }

// Err returns why the process ended by itself; nil while it runs and after Stop or Kill.
func (c *child) Err() error {
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

// failure describes an ended child: how it ended, where its log is, and the last lines of that, unless it was killed: then
// they have nothing to do with it.
func (c *child) failure() error {
	e := &endedError{name: c.spec.name, how: "with exit status 0"}
	crashed := true
	switch status, ok := c.status(); {
	case ok && status.Signaled():
		e.how = "by the signal " + status.Signal().String()
		crashed = slices.Contains([]syscall.Signal{syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGSEGV}, status.Signal())
	case ok:
		e.how = fmt.Sprintf("with exit status %d", status.ExitStatus())
	case c.exit != nil:
		e.how = "and could not be waited for: " + c.exit.Error()
	}
	if file, ok := c.spec.log.(*os.File); ok {
		e.log = file.Name()
	}
	if crashed {
		e.lines = c.tail.Lines()
	}
	return e
}

// endedError says that a program ended, for people.
type endedError struct {
	name, how string
	log       string   // path; empty: none
	lines     []string // the last ones of the log
}

func (e *endedError) Error() string {
	text := e.name + " ended " + e.how
	if e.log != "" {
		text += "; its log is " + e.log
	}
	switch len(e.lines) {
	case 0:
		return text
	case 1:
		return text + "; it said: " + e.lines[0]
	}
	return text + "; it said:\n  " + strings.Join(e.lines, "\n  ")
}
