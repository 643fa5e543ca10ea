package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Lock is a lock on a data directory. It ends with Release or with the process.
type Lock struct {
	file  *os.File
	parts *os.File // inherited by processes started under the lock, and held until the last has ended
}

// LockDir creates dir if necessary and locks it. If it is locked already, it returns a Conflict fault that names the
// process.
func LockDir(dir string) (*Lock, error) {
	file, err := openLock(dir, "up.lock")
	if err != nil {
		return nil, err
	}
	if !tryLock(file) {
		holder, _ := io.ReadAll(io.LimitReader(file, 20))
		_ = file.Close()
		return nil, fault.New(fault.Conflict, "another supportdesk is using %s (process %s): stop it, or choose another data directory",
			dir, strings.TrimSpace(string(holder)))
	}
	parts, err := openLock(dir, "parts.lock")
	if err := errors.Join(err, file.Truncate(0), writeAt(file, fmt.Sprintln(os.Getpid()))); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return &Lock{file: file, parts: parts}, nil
}

// AwaitOrphans waits until all processes that a killed holder started under its lock have ended; they keep its ports
// until then. On Linux the kernel has signalled them to stop; elsewhere they keep running, which is a Conflict fault.
// waiting is called if there is something to wait for. No process may be started under the lock before.
func (l *Lock) AwaitOrphans(ctx context.Context, waiting func()) error {
	if tryLock(l.parts) {
		return nil
	}
	waiting()
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	if err := awaitLock(ctx, l.parts); err != nil {
		return fault.New(fault.Conflict, "processes of a killed supportdesk are still using %s: stop them, or choose another data directory",
			filepath.Dir(l.parts.Name()))
	}
	return nil
}

// inherit returns the files that a process started under the lock inherits; none without a lock.
func (l *Lock) inherit() []*os.File {
	if l == nil {
		return nil
	}
	return []*os.File{l.parts}
}

// Release unlocks the directory. Processes started under the lock must have ended.
func (l *Lock) Release() error { return errors.Join(unlock(l.parts), unlock(l.file)) }

// unlock releases a lock that no child should inherit. Closing the file is not enough: a child that is being started
// shares it for a moment.
func unlock(file *os.File) error {
	return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

// openLock opens a lock file in dir without locking it. The file is never removed: a process that locks a new file of
// the same name would not notice the holder of the old one.
func openLock(dir, name string) (*os.File, error) {
	err := os.MkdirAll(filepath.Dir(dir), 0o755)
	if err == nil {
		err = os.Mkdir(dir, privateDir)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("create data directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, privateFile)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	return file, nil
}

func tryLock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// awaitLock locks the file, waiting until ctx ends for the orphans of a killed holder.
func awaitLock(ctx context.Context, file *os.File) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !tryLock(file) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
