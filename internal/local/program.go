package local

import (
	"io"
	"syscall"
)

// ProgramOptions describes a program to run.
type ProgramOptions struct {
	Name string    // for errors
	Path string    // absolute path
	Args []string  // without the program's own name
	Env  []string  // KEY=value; nil: inherited
	Log  io.Writer // output; nil: discarded
	Lock *Lock     // awaited by a successor's AwaitOrphans; may be nil
}

// Program is a running program. It does not outlive this process.
type Program struct{ child *child }

// StartProgram starts a program. It does not wait until it is ready.
func StartProgram(o ProgramOptions) (*Program, error) {
	child, err := startChild(childSpec{
		name: o.Name, path: o.Path, args: o.Args, env: o.Env, log: o.Log, files: o.Lock.inherit(),
		stop: syscall.SIGTERM, orphan: syscall.SIGTERM,
	})
	if err != nil {
		return nil, err
	}
	return &Program{child: child}, nil
}

// Stop asks the program to stop and waits.
func (p *Program) Stop() error { return p.child.end() }

// Kill sends SIGKILL.
func (p *Program) Kill() { p.child.kill() }

// Done is closed when the program has ended.
func (p *Program) Done() <-chan struct{} { return p.child.done }

// Err returns why the program ended by itself; nil while it runs and after Stop or Kill.
func (p *Program) Err() error { return p.child.err() }

// PID returns the process ID.
func (p *Program) PID() int { return p.child.process.Pid }
