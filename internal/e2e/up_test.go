package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

// upRun is `supportdesk up` as a user starts it.
type upRun struct {
	program *local.Program
	out     *logBuffer
}

func temporalBinary(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/supportdesk-temporal")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func upArgs(data string, more ...string) []string {
	return append([]string{"up", "--data", data, "--port", "0", "--ui-port", "0", "--mailbox-port", "0",
		"--smtp-port", "0", "--incoming-port", "0", "--temporal-port", "0", "--postgres-port", "0"}, more...)
}

// upDir is a data directory that PostgreSQL's user can reach, unlike those of t.TempDir.
func upDir(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	if err := os.Chmod(filepath.Dir(data), 0o755); err != nil {
		t.Fatal(err)
	}
	return data
}

func upEnv(t testing.TB) []string {
	return append(os.Environ(), "SUPPORTDESK_TEMPORAL_BIN="+temporalBinary(t))
}

func up(t *testing.T, data string, more ...string) *upRun {
	t.Helper()
	u := &upRun{out: &logBuffer{}}
	var err error
	u.program, err = local.StartProgram(local.ProgramOptions{
		Name: "up", Path: binary, Args: upArgs(data, more...), Env: upEnv(t), Log: u.out,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		u.program.Kill()
		awaitParts(t, data)
	})
	eventually(t, "up says where everything is", func() (bool, string) {
		select {
		case <-u.program.Done():
			t.Fatalf("up ended: %v\n%s", u.program.Err(), u.out.all())
		default:
		}
		return strings.Contains(u.out.all(), "Submit your first ticket"), u.out.all()
	})
	return u
}

// awaitParts returns when nothing that a killed up had started writes into its data directory, which can go then.
func awaitParts(t *testing.T, data string) {
	lock, err := local.LockDir(data)
	if err != nil {
		t.Errorf("lock the data directory: %v", err)
		return
	}
	defer func() { _ = lock.Release() }()
	if err := lock.AwaitOrphans(context.Background(), func() {}); err != nil {
		t.Error(err)
	}
}

func (b *logBuffer) all() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// find returns the first group of a pattern in what up printed.
func (u *upRun) find(t testing.TB, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(u.out.all())
	if found == nil {
		t.Fatalf("nothing like %s in:\n%s", pattern, u.out.all())
	}
	return found[1]
}

func (u *upRun) person(t testing.TB, role string) person {
	t.Helper()
	return person{
		stack: &stack{t: t, base: u.find(t, `API +(http://[0-9.:]+)/api/v1`)},
		token: u.find(t, role+`'s token +(sd_\S+)`),
	}
}

func (u *upRun) mails(t testing.TB, number string) int {
	t.Helper()
	response, err := http.Get(u.find(t, `Mailbox +(http://[0-9.:]+/dev/mail)`) + ".json?ticket=" + number)
	if err != nil {
		return -1
	}
	defer func() { _ = response.Body.Close() }()
	var all []json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
		return -1
	}
	return len(all)
}

func TestUp_runsEverythingAndKeepsIt(t *testing.T) {
	t.Parallel()
	data := upDir(t)
	first := up(t, data)
	customer := first.person(t, "customer")
	number := customer.submit("My parcel is late", "words")
	eventually(t, "the receipt", func() (bool, string) { n := first.mails(t, number); return n == 1, fmt.Sprint(n) })

	t.Run("a second one on the same data says so in one line", func(t *testing.T) {
		checkOneLine(t, upArgs(data), "another supportdesk is using")
	})
	t.Run("Temporal UI offers nothing that ends a workflow", func(t *testing.T) { checkUI(t, first.find(t, `Temporal UI +(http://[0-9.:]+)`)) })
	t.Run("every part whose health check it lists is ready", func(t *testing.T) {
		for _, pattern := range []string{`Health +(http://\S+)`, `(http://\S+) of the worker`, `(http://\S+) of the receiver of mail`} {
			address := first.find(t, pattern)
			eventually(t, address, func() (bool, string) {
				response, err := http.Get(address)
				if err != nil {
					return false, err.Error()
				}
				_ = response.Body.Close()
				return response.StatusCode == http.StatusOK, response.Status
			})
		}
	})
	t.Run("a port in use is said in one line", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = taken.Close() }()
		_, port, _ := net.SplitHostPort(taken.Addr().String())
		checkOneLine(t, upArgs(t.TempDir(), "--port", port), "port "+port+" is in use")
	})

	if err := first.program.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	second := up(t, data, "--demo", "--demo-tickets", "40")
	second.find(t, `(40 demo tickets) have been added`)
	again := second.person(t, "customer")
	for _, role := range []string{"customer", "agent", "supervisor", "administrator"} {
		link := role + `'s link +(http://[0-9.:]+/link/\S+)`
		if first.find(t, link) == second.find(t, link) {
			t.Errorf("the %s's link is an old one", role)
		}
		checkLink(t, second.find(t, link), "Demo "+strings.ToUpper(role[:1])+role[1:])
	}
	if again.token != customer.token {
		t.Error("the customer's token changed with the restart")
	}
	if v := again.ticket(number); v.Status != "new" {
		t.Errorf("after the restart the ticket is %+v", v)
	}
	second.person(t, "agent").do(number, "replies", words{"body": "Here it is."})
	eventually(t, "both mails", func() (bool, string) { n := second.mails(t, number); return n == 2, fmt.Sprint(n) })

	// Any part can be killed and comes back, also all of them at once.
	for part, pid := range second.parts(t) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("kill %s: %v", part, err)
		}
	}
	late := again.submit("After the crash", "words")
	eventually(t, "the receipt after the crash", func() (bool, string) { n := second.mails(t, late); return n >= 1, fmt.Sprint(n) })
	if err := second.program.Stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// checkUI reads the settings that Temporal UI shows its buttons by.
func checkUI(t testing.TB, address string) {
	t.Helper()
	response, err := http.Get(address + "/api/v1/settings")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var got map[string]any
	if err := json.NewDecoder(response.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	for setting, want := range map[string]bool{
		"WorkflowTerminateDisabled": true, "WorkflowCancelDisabled": true, "WorkflowResetDisabled": true, "WorkflowPauseDisabled": true,
		"BatchActionsDisabled": true, "StartWorkflowDisabled": true, "ActivityCommandsDisabled": true,
		"WorkflowSignalDisabled": false, "WorkflowUpdateDisabled": false, "DisableWriteActions": false,
	} {
		if got[setting] != want {
			t.Errorf("%s is %v", setting, got[setting])
		}
	}
}

// checkLink follows a sign-in link as a browser does, to where it leads and to the account of the person it is for. It must
// work once.
func checkLink(t testing.TB, link, name string) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var moved []string
	browser := &http.Client{Jar: jar, Timeout: patience, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		moved = append(moved, r.URL.Path)
		return http.ErrUseLastResponse
	}}
	ask := func(method, address string) string {
		r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		page, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(page)
	}
	ask(http.MethodGet, link) // a scanner's look uses nothing up
	for range 2 {
		ask(http.MethodPost, link)
	}
	account, _, _ := strings.Cut(link, "/link/")
	if page := ask(http.MethodGet, account+"/account"); len(moved) != 1 || !strings.Contains(page, name) {
		t.Errorf("%s's link led to %q, and their account shows %.200q", name, moved, page)
	}
}

// parts are the processes that up has started, by the command that each runs.
func (u *upRun) parts(t testing.TB) map[string]int {
	t.Helper()
	found := map[string]int{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		var pid, parent int
		var state string
		_, rest, _ := strings.Cut(string(stat), ") ") // a program's name may hold anything
		if _, err := fmt.Sscan(string(stat), &pid); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(rest, &state, &parent); err != nil {
			t.Fatal(err)
		}
		if parent == u.program.PID() {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			found[strings.ReplaceAll(string(command), "\x00", " ")] = pid
		}
	}
	if len(found) != 6 {
		t.Fatalf("up runs %d parts: %v", len(found), found)
	}
	return found
}

func checkOneLine(t *testing.T, args []string, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	checkOneLineOf(t, exec.CommandContext(ctx, binary, args...), want)
}

func checkOneLineOf(t *testing.T, cmd *exec.Cmd, want string) {
	t.Helper()
	cmd.Env = upEnv(t)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Count(strings.TrimSpace(string(out)), "\n") > 0 || !strings.Contains(string(out), want) {
		t.Errorf("%v; it said:\n%s", err, out)
	}
}
