package local

import (
	"io"
	"syscall"
)

// ProgramOptions say what to run.
type ProgramOptions struct {
	Name string    // what people call it, for errors
	Path string    // an absolute path
	Args []string  // without the program's own name
	Env  []string  // KEY=value; nil is ours
	Log  io.Writer // what it prints; nil drops it
	Lock *Lock     // a successor's AwaitOrphans waits for the program; nil is none
}

// Program is a running program whose life ends with ours at the latest.
type Program struct{ child *child }

// StartProgram starts one. It does not wait until the program is ready.
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

// Stop asks the program to end and waits.
func (p *Program) Stop() error { return p.child.end() }

// Kill ends it as kill -9 does.
func (p *Program) Kill() { p.child.kill() }

// Done closes when it has ended.
func (p *Program) Done() <-chan struct{} { return p.child.done }

// Err is why it ended by itself; nil while it runs and after Stop or Kill.
func (p *Program) Err() error { return p.child.err() }

// PID is its process ID.
func (p *Program) PID() int { return p.child.process.Pid }
