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

// Lock is a hold on a data directory. It ends with Release or with the process, however that dies.
type Lock struct {
	file  *os.File
	parts *os.File // inherited by what is started under the lock, and so held until the last of that has ended
}

// LockDir makes dir when it is missing and takes it for this process. A directory that is already taken is a
// fault.Conflict that names the process.
func LockDir(dir string) (*Lock, error) {
	file, err := openLock(dir, "up.lock")
	if err != nil {
		return nil, err
	}
	if !tryLock(file) {
		holder, _ := io.ReadAll(io.LimitReader(file, 20))
		_ = file.Close()
		return nil, fault.New(fault.Conflict, "another supportdesk runs on %s (process %s): stop it, or choose another data directory",
			dir, strings.TrimSpace(string(holder)))
	}
	parts, err := openLock(dir, "parts.lock")
	if err := errors.Join(err, file.Truncate(0), writeAt(file, fmt.Sprintln(os.Getpid()))); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return &Lock{file: file, parts: parts}, nil
}

// AwaitOrphans waits until everything that a killed holder had started under its lock has ended: until then it keeps
// its ports. On Linux the kernel has asked it to; elsewhere it runs on, and that is a fault.Conflict. waiting is called
// when there is something to wait for. Nothing may be started under the lock before.
func (l *Lock) AwaitOrphans(ctx context.Context, waiting func()) error {
	if tryLock(l.parts) {
		return nil
	}
	waiting()
	ctx, cancel := context.WithTimeout(ctx, killPatience)
	defer cancel()
	if err := awaitLock(ctx, l.parts); err != nil {
		return fault.New(fault.Conflict, "parts of a supportdesk that was killed still run on %s: end them, or choose another data directory",
			filepath.Dir(l.parts.Name()))
	}
	return nil
}

// inherit is what a process started under the lock takes along. It is empty without a lock.
func (l *Lock) inherit() []*os.File {
	if l == nil {
		return nil
	}
	return []*os.File{l.parts}
}

// Release gives the directory back. What was started under the lock must have ended.
func (l *Lock) Release() error { return errors.Join(unlock(l.parts), unlock(l.file)) }

// unlock frees a lock that no child is meant to inherit. Closing the file alone would not: a child that is just
// being started shares it for a moment.
func unlock(file *os.File) error {
	return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
}

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
}

// openLock opens a lock file in dir without taking it. The file is never removed: a successor that locked a
// new file of the same name would not see the holder of the old one.
func openLock(dir, name string) (*os.File, error) {
	err := os.MkdirAll(filepath.Dir(dir), 0o755)
	if err == nil {
		err = os.Mkdir(dir, privateDir)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, privateFile)
	if err != nil {
		return nil, fmt.Errorf("open a lock file: %w", err)
	}
	return file, nil
}

func tryLock(file *os.File) bool {
	return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

// awaitLock takes the lock, and gives the orphans of a killed holder until ctx ends to leave it.
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
