package e2e_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/disktest"
)

// smallDisk makes a directory that is a disk of its own and that PostgreSQL's user can reach.
func smallDisk(t *testing.T, dir, size string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	disktest.Mount(t, dir, size)
}

// A mail that the mailbox has no room for stays owed and goes out when there is.
func TestUp_sendsWhenTheMailboxHasRoomAgain(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	smallDisk(t, filepath.Join(data, "mail"), "1m")
	u := up(t, data)
	customer := u.person(t, "customer")
	ballast := filepath.Join(data, "mail", "ballast")
	fillDisk(t, ballast)
	number := customer.submit("My parcel is late", "words")
	eventually(t, "the mailbox's answer", func() (bool, string) {
		log, err := os.ReadFile(filepath.Join(data, "log", "worker.log"))
		return strings.Contains(string(log), "SMTP reply"), fmt.Sprint(string(log), err)
	})
	if n := u.mails(t, number); n != 0 {
		t.Errorf("%d mails are shown", n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the receipt", func() (bool, string) { n := u.mails(t, number); return n == 1, fmt.Sprint(n) })
	if err := u.program.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// fillDisk lets a file grow until nothing more goes.
func fillDisk(t *testing.T, name string) {
	t.Helper()
	file, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for size := 1 << 20; size > 0; { // ever smaller pieces
		if _, err := file.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
