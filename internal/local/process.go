package local

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// process describes a process.
type process struct {
	state byte   // as in proc(5) and ps(1): R, S, Z…
	name  string // name of the program
	dir   string // path to its working directory; empty if unknown
}

// postgresServes reports whether the process of a postmaster.pid is a live PostgreSQL on data. A PID in use is not
// proof: an ended process keeps it until its parent has waited, which PID 1 of a container may never do, and then it
// may be reused.
func postgresServes(pid int, data string) bool {
	// EPERM means a process of another user, and PostgreSQL only uses directories of its own user.
	if pid <= 0 || syscall.Kill(pid, 0) != nil {
		return false
	}
	p, found := processFromProc(pid)
	if !found {
		p, found = processFromPS(pid)
	}
	return found && p.servesPostgres(data)
}

// servesPostgres uses the fact that the working directory of PostgreSQL is its data directory. If it is unknown, any
// live PostgreSQL counts: refusing to start is safer than two servers on the same files.
func (p process) servesPostgres(data string) bool {
	if strings.IndexByte("ZXx", p.state) >= 0 || p.name != "postgres" && p.name != "postmaster" {
		return false
	}
	dir, err := os.Stat(p.dir)
	if err != nil {
		return true
	}
	want, err := os.Stat(data)
	return err != nil || os.SameFile(dir, want)
}

// processFromProc reads /proc on Linux.
func processFromProc(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	// "PID (name) state …", where the name may itself hold parentheses and blanks.
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndex(stat, []byte(") "))
	if open < 0 || end < open || end+2 >= len(stat) {
		return process{}, false
	}
	return process{state: stat[end+2], name: string(stat[open+1 : end]), dir: fmt.Sprintf("/proc/%d/cwd", pid)}, true
}

// processFromPS uses ps and lsof, which macOS has.
func processFromPS(pid int) (process, bool) {
	output, err := exec.Command("ps", "-o", "stat=", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	state, name, _ := strings.Cut(strings.TrimSpace(string(output)), " ")
	if err != nil || state == "" {
		return process{}, false
	}
	p := process{state: state[0], name: filepath.Base(strings.TrimSpace(name))} // macOS shows the whole path
	files, err := exec.Command("lsof", "-a", "-p", strconv.Itoa(pid), "-d", "cwd", "-F", "n").Output()
	if err != nil {
		return p, true
	}
	for line := range strings.Lines(string(files)) {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "n"); ok {
			p.dir = dir
		}
	}
	return p, true
}
