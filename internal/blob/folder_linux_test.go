package blob_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/disktest"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/skiptest"
)

func TestFolder_onAFullDisk(t *testing.T) {
	dir := t.TempDir()
	disktest.Mount(t, dir, "1m")
	store := openFolder(t, filepath.Join(dir, "blobs"))
	kept := content(256 << 10)
	key := put(t, store, kept).Key

	_, err := store.Put(t.Context(), bytes.NewReader(content(2<<20)), 10<<20)
	if fault.KindOf(err) != fault.Unavailable || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a blob that does not fit: %v", err)
	}
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("what did not fit was left behind: %v", left)
	}
	if !bytes.Equal(get(t, store, key), kept) {
		t.Error("what was stored before is another")
	}
	put(t, store, content(256<<10)) // there is room again

	fill, err := os.Create(filepath.Join(dir, "other"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(fill, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	if err := store.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("ping on a full disk: %v", err)
	}
	fill.Close()
	os.Remove(fill.Name())
	if err := store.Ping(t.Context()); err != nil {
		t.Errorf("ping when there is room again: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestFolder_onADiskThatBecameReadOnly(t *testing.T) {
	dir := t.TempDir()
	disktest.Mount(t, dir, "1m")
	store := openFolder(t, dir)
	key := put(t, store, content(100)).Key
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	get(t, store, key)
	if _, err := store.Put(t.Context(), strings.NewReader("words"), 10); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("put: %v", err)
	}
	if err := store.Delete(t.Context(), key); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("delete: %v", err)
	}
	if err := store.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("ping: %v", err)
	}
}

func TestFolder_ofAnotherUserIsUnavailable(t *testing.T) {
	dir := publicDir(t)
	store := openFolder(t, dir)
	key := put(t, store, content(100)).Key
	asNobody(t, func() {
		if _, _, err := store.Open(t.Context(), key); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("open: %v", err)
		}
		if _, err := store.Put(t.Context(), strings.NewReader("words"), 10); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("put: %v", err)
		}
		if err := store.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("ping: %v", err)
		}
	})
}

// A name that can't be made durable is not acknowledged: its folder can be written to and not be opened to be flushed.
func TestFolder_thatCannotBeFlushedAcknowledgesNothing(t *testing.T) {
	dir := publicDir(t)
	store := openFolder(t, dir)
	var subs []string
	for i := range 256 {
		subs = append(subs, filepath.Join(dir, fmt.Sprintf("%02x", i)))
		if err := os.Mkdir(subs[i], 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range append(subs, dir) {
		if err := os.Chown(path, nobody, nobody); err != nil {
			skiptest.Skipf(t, "user %d can't hand over a folder: %v", os.Geteuid(), err)
		}
	}
	asNobody(t, func() {
		if _, err := store.Put(t.Context(), strings.NewReader("words"), 10); err != nil {
			t.Errorf("put before: %v", err)
		}
	})
	for _, sub := range subs {
		if err := os.Chmod(sub, 0o300); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		for range 3 {
			if b, err := store.Put(t.Context(), strings.NewReader("words"), 10); fault.KindOf(err) != fault.Unavailable {
				t.Errorf("put: %v, %v", b, err)
			}
		}
	})
	if left := files(t, dir); len(left) != 1 {
		t.Errorf("what was not acknowledged was left behind: %v", left)
	}
}

const nobody = 65534

// publicDir returns a temporary folder that any user can reach.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// asNobody runs a function as a user who owns nothing.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		skiptest.Skipf(t, "user %d can't become another", os.Geteuid())
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if err := syscall.Setfsuid(nobody); err != nil {
			t.Errorf("become another user: %v", err)
			return
		}
		f()
	}()
	<-done
}
