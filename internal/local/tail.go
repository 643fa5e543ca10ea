package local

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

const (
	tailLines  = 4        // that are kept
	tailWidth  = 300      // bytes of each
	maxLogLine = 64 << 10 // bytes of a line that are looked at
)

// tail forwards writes, and keeps the last lines for error messages: those that say something to a person, without the stacks of
// goroutines, each once.
type tail struct {
	to io.Writer

	mu      sync.Mutex
	partial []byte // the beginning of a line that has not ended
	last    []string
	call    bool // the line before may be a function in a stack
	stack   bool // within the stack of a goroutine
}

// Write never fails: a log that cannot be written must not stop the child.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for rest, more := p, true; more; {
		var line []byte
		line, rest, more = bytes.Cut(rest, []byte("\n"))
		t.partial = append(t.partial, line[:min(len(line), maxLogLine-len(t.partial))]...)
		if more {
			t.endLine()
		}
	}
	if t.to != nil {
		_, _ = t.to.Write(p)
	}
	return len(p), nil
}

// Lines returns the last lines, each without its end; the one that is being written is the last so far.
func (t *tail) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := tail{partial: slices.Clone(t.partial), last: slices.Clone(t.last), call: t.call, stack: t.stack}
	c.endLine()
	return c.last
}

// String returns the last line.
func (t *tail) String() string {
	lines := t.Lines()
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

var (
	stackBegins = regexp.MustCompile(`^(goroutine \d+ .*\[.*\]|runtime stack):$`)
	stackPlace  = regexp.MustCompile(`^\s+\S+\.(go|s):\d+`)
	registers   = regexp.MustCompile(`^([a-z]\w{1,5} +0x[0-9a-f]+|PC=0x.*)$`)
)

func (t *tail) endLine() {
	line := strings.TrimRight(string(t.partial), " \t\r")
	t.partial = t.partial[:0]
	call := t.call
	t.call = false
	switch {
	case line == "":
		t.stack = false
	case stackBegins.MatchString(line):
		t.stack = true
	case t.stack, registers.MatchString(line):
	case stackPlace.MatchString(line):
		if call {
			t.last = t.last[:len(t.last)-1]
		}
	default:
		t.keep(spoken(line))
	}
}

func (t *tail) keep(line string) {
	if len(line) > tailWidth {
		line = strings.ToValidUTF8(line[:tailWidth], "") + "…"
	}
	t.last = append(slices.DeleteFunc(t.last, func(kept string) bool { return kept == line }), line)
	t.last = t.last[max(0, len(t.last)-tailLines):]
	t.call = true
}

// spoken returns what a line of a log in JSON says: its message and its error, without places in the source and stacks. It
// returns other lines as they are.
func spoken(line string) string {
	var entry struct{ Msg, Error string }
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg == "" {
		return strings.TrimSpace(line)
	}
	if entry.Error != "" {
		return entry.Msg + ": " + entry.Error
	}
	return entry.Msg
}
