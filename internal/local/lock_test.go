package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/local"
)

func TestLockDir_refusesASecondHolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	lock, err := local.LockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = local.LockDir(dir)
	refused(t, err, fault.Conflict, "another supportdesk is using "+dir, fmt.Sprint(os.Getpid()))
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := local.LockDir(dir)
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	_ = again.Release()
}

// Starting a child shares every open file with it for a moment.
func TestLocksAndPorts_areFreeAtOnceWhileChildrenStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	for range 4 {
		group.Go(func() {
			for ctx.Err() == nil {
				_ = exec.Command("true").Run()
			}
		})
	}
	dir, addr := t.TempDir(), "127.0.0.1:0"
	for range 50 {
		lock, err := local.LockDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		box, err := local.StartMailbox(local.MailboxOptions{Dir: dir, Addr: addr})
		if err != nil {
			t.Fatal(err)
		}
		addr = box.Addr()
		if err := errors.Join(box.Stop(), lock.Release()); err != nil {
			t.Fatal(err)
		}
	}
}

// orphanDir makes this test binary the program that is killed: it takes the lock, starts a server and waits.
const orphanDir = "SUPPORTDESK_TEST_ORPHAN_DIR"

func TestKilledParent_leavesNothingBehind(t *testing.T) {
	if dir := os.Getenv(orphanDir); dir != "" {
		if _, err := local.LockDir(dir); err != nil {
			t.Fatal(err)
		}
		pg := startPostgres(t, local.PostgresOptions{Dir: dir})
		fmt.Printf("%d\n", pg.Port())
		<-t.Context().Done() // until it is killed
	}
	t.Parallel()
	dir := home(t)
	parent, port := startParent(t, "TestKilledParent_leavesNothingBehind", dir)
	server := postmaster(t, dir)
	_ = parent.Process.Kill()
	_ = parent.Wait()
	lock, err := local.LockDir(dir)
	if err != nil {
		t.Fatalf("the dead parent holds its lock: %v", err)
	}
	defer func() { _ = lock.Release() }()
	deadline := time.Now().Add(30 * time.Second)
	started := startPostgres(t, local.PostgresOptions{Dir: dir, Port: port}) // waits for the orphan
	if time.Now().After(deadline) {
		t.Error("the orphan took too long to end")
	}
	if now := postmaster(t, dir); now == server {
		t.Errorf("process %d outlived its parent", server)
	}
	if started.Port() != port {
		t.Errorf("port %d, want %d", started.Port(), port)
	}
}

// Where the kernel does not end the parts of a killed holder, or not at once, its successor waits and then says so.
func TestAwaitOrphans_waitsForThePartsOfAKilledHolder(t *testing.T) {
	if dir := os.Getenv(orphanDir); dir != "" {
		lock, err := local.LockDir(dir)
		if err == nil {
			err = lock.AwaitOrphans(t.Context(), func() {})
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = local.StartProgram(local.ProgramOptions{
			Name: "part", Path: "/bin/sh", Args: []string{"-c", `trap "" TERM; echo $$; exec sleep 600`}, Log: os.Stdout, Lock: lock,
		})
		if err != nil {
			t.Fatal(err)
		}
		<-t.Context().Done() // until it is killed
	}
	t.Parallel()
	dir := t.TempDir()
	parent, part := startParent(t, "TestAwaitOrphans_waitsForThePartsOfAKilledHolder", dir)
	t.Cleanup(func() { _ = syscall.Kill(part, syscall.SIGKILL) })
	_ = parent.Process.Kill()
	_ = parent.Wait()
	lock, err := local.LockDir(dir)
	if err != nil {
		t.Fatalf("the dead parent holds its lock: %v", err)
	}
	defer func() { _ = lock.Release() }()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	refused(t, lock.AwaitOrphans(ctx, func() {}), fault.Conflict, "still using "+dir)
	waited := false
	err = lock.AwaitOrphans(t.Context(), func() {
		waited = true
		_ = syscall.Kill(part, syscall.SIGKILL)
	})
	if err != nil || !waited {
		t.Errorf("waited %t: %v", waited, err)
	}
}
