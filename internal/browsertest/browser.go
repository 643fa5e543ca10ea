// Package browsertest tests pages in Chromium: a private window per person that clicks and types, and a watch for what
// a person would not notice (console errors, violations of the Content-Security-Policy, failed requests,
// accessibility). For tests only; it knows no particular page.
package browsertest

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

	"github.com/chromedp/chromedp"

	"github.com/holesalemart/supportdesk/internal/skiptest"
)

// patience bounds waiting for a condition. It does not check speed: machines are shared.
const patience = 60 * time.Second

// programs are the names under which distributions install Chromium. The headless shell, which has the engine without the
// browser around it, needs a third of the processor time.
var programs = []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"}

// errMissing says what to do about a missing browser.
var errMissing = errors.New("there is no Chromium: apt-get install --no-install-recommends chromium-headless-shell, or set CHROMIUM to one")

// Executable returns the path of the browser: CHROMIUM, or else the first known name on PATH.
func Executable() (string, error) {
	names := programs
	if named := os.Getenv("CHROMIUM"); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errMissing
}

// Require skips the test where there is no browser, but not in CI. A test that starts something costly for the browser
// calls it before.
func Require(t testing.TB) {
	t.Helper()
	if _, err := Executable(); err != nil {
		skiptest.Skipf(t, "the tests in a browser are skipped: %v", err)
	}
}

// Rebound is a domain whose names the browser resolves to this machine, as an attacker's own DNS server would.
const Rebound = "rebound.example"

// shared is the process's browser. It is never stopped: the kernel ends it with the process, and the next process to start
// one removes its profile.
var shared = sync.OnceValues(func() (context.Context, error) {
	sweep()
	path, err := Executable()
	if err != nil {
		return nil, err
	}
	profile, err := makeProfile()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP *."+Rebound+" 127.0.0.1"),
	)
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...) // until the process ends
	ctx, _ := chromedp.NewContext(allocator)
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return ctx, nil
})

const profilePattern = "supportdesk-browser-*"

// locks are held, open, for as long as this process lives: its profile is in use.
var locks []*os.File

func makeProfile() (string, error) {
	dir, err := os.MkdirTemp("", profilePattern)
	if err != nil {
		return "", fmt.Errorf("make a profile for the browser: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", fmt.Errorf("lock the browser's profile: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return "", fmt.Errorf("lock the browser's profile: %w", err)
	}
	locks = append(locks, lock)
	return dir, nil
}

// sweep removes the profiles of test processes that have ended and so hold no lock. New directories, which may not be
// locked yet, are kept.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), profilePattern)) // the pattern is well formed
	for _, dir := range dirs {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir) // fails for other users'
		}
		_ = lock.Close()
	}
}
