package browsertest_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/skiptest"
)

func TestRequire_skipsWithoutABrowser(t *testing.T) {
	t.Setenv("CHROMIUM", "/nowhere/chromium")
	t.Setenv("CI", "")
	r := &recorder{TB: t}
	r.run(func() { browsertest.Require(r) })
	if !r.skipped || r.failed || !strings.Contains(r.said, "apt-get install --no-install-recommends chromium-headless-shell") {
		t.Errorf("skipped: %t, failed: %t, saying %q", r.skipped, r.failed, r.said)
	}
}

func TestRequire_failsWithoutABrowserWhereOneIsRequired(t *testing.T) {
	t.Setenv("CHROMIUM", "/nowhere/chromium")
	t.Setenv("CI", "true")
	r := &recorder{TB: t}
	r.run(func() { browsertest.Require(r) })
	if !r.failed || r.skipped {
		t.Errorf("failed: %t, skipped: %t", r.failed, r.skipped)
	}
}

const hangs = "SUPPORTDESK_BROWSERTEST_HANGS"

// TestHang is the program that the next test kills.
func TestHang(t *testing.T) {
	if os.Getenv(hangs) == "" {
		return
	}
	browsertest.Open(t, "", browsertest.Look{}).Goto("about:blank")
	fmt.Println("open")
	select {}
}

func TestBrowser_endsWithAKilledTest(t *testing.T) {
	browsertest.Require(t)
	if runtime.GOOS != "linux" {
		skiptest.Skipf(t, "it looks into /proc")
	}
	child := exec.Command(os.Args[0], "-test.run=^TestHang$", "-test.v")
	child.Env = append(os.Environ(), hangs+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan() && lines.Text() != "open"; {
	}
	all := descendants(fmt.Sprint(child.Process.Pid))
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if len(all) < 2 {
		t.Fatalf("a browser has several processes, not %q", all)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		left := alive(all)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("these outlive the test: %q", left)
		}
	}
}

// descendants returns the direct and indirect child processes.
func descendants(pid string) []string {
	var all []string
	lists, _ := filepath.Glob("/proc/" + pid + "/task/*/children") // the pattern is well formed
	for _, list := range lists {
		text, _ := os.ReadFile(list) // one that has ended has none
		for _, child := range strings.Fields(string(text)) {
			all = append(append(all, child), descendants(child)...)
		}
	}
	return all
}

// alive returns those of the processes that are still a browser.
func alive(pids []string) []string {
	var all []string
	for _, pid := range pids {
		command, err := os.ReadFile("/proc/" + pid + "/cmdline")
		if err == nil && strings.Contains(string(command), "chrom") {
			all = append(all, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return all
}
