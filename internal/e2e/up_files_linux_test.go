package e2e_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/skiptest"
)

func TestUp_keepsItsFilesToItsOwner(t *testing.T) {
	t.Parallel()
	data := upDir(t)
	first := up(t, data)
	number := first.person(t, "customer").submit("My parcel is late", "words")
	eventually(t, "the receipt", func() (bool, string) { n := first.mails(t, number); return n == 1, fmt.Sprint(n) })
	checkPrivate(t, data)
	if err := first.program.Stop(); err != nil {
		t.Fatal(err)
	}
	reopen(t, data)
	second := up(t, data)
	checkPrivate(t, data)
	second.person(t, "customer").ticket(number)
}

// reopen sets files and directories to the modes that they had before they were restricted to their owner.
func reopen(t *testing.T, data string) {
	t.Helper()
	walkOwn(t, data, func(path string, entry fs.DirEntry) {
		mode := fs.FileMode(0o644)
		if entry.IsDir() {
			mode = 0o755
		} else if filepath.Ext(path) != ".log" && !strings.Contains(path, "temporal.db") {
			return // these were always closed
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	})
}

// walkOwn visits what lies in a data directory, but for PostgreSQL's own files.
func walkOwn(t *testing.T, data string, visit func(string, fs.DirEntry)) {
	t.Helper()
	err := filepath.WalkDir(data, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path == filepath.Join(data, "postgresql", "data") {
			return fs.SkipDir
		}
		visit(path, entry)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkPrivate looks at the modes, and as root tries as other users: as nobody, and as the one who runs PostgreSQL.
func checkPrivate(t *testing.T, data string) {
	t.Helper()
	var secrets []string
	walkOwn(t, data, func(path string, entry fs.DirEntry) {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		passes := os.Geteuid() == 0 && (path == data || path == filepath.Join(data, "postgresql")) && info.Mode().Perm() == 0o711
		if info.Mode().Perm()&0o077 != 0 && !passes {
			t.Errorf("%s has the mode %o", path, info.Mode().Perm())
		}
		secrets = append(secrets, path)
	})
	if len(secrets) < 20 { // tokens, mails, logs, databases, locks
		t.Errorf("there is little in %s: %v", data, secrets)
	}
	if os.Geteuid() != 0 {
		return
	}
	for _, name := range []string{"nobody", "postgres"} {
		other, err := user.Lookup(name)
		if err != nil {
			t.Logf("there is no user %s: %v", name, err)
			continue
		}
		for _, path := range secrets {
			if out, err := asUser(t, other, "test", "-r", path).CombinedOutput(); err == nil {
				t.Errorf("%s may read %s %s", name, path, out)
			}
		}
		if out, err := asUser(t, other, "test", "-x", filepath.Dir(data)).CombinedOutput(); err != nil {
			t.Errorf("%s cannot even reach %s, so this shows nothing: %v %s", name, filepath.Dir(data), err, out)
		}
	}
}

func asUser(t *testing.T, who *user.User, name string, args ...string) *exec.Cmd {
	t.Helper()
	uid, err := strconv.ParseUint(who.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(who.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return cmd
}

// A directory that PostgreSQL's user may not enter is no obstacle for root, who passes the right to on. Where root has
// lost it, as in some containers, up says what to do and starts nothing.
func TestUp_saysThatPostgresCannotReachItsData(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		skiptest.Skipf(t, "only root runs PostgreSQL as another user")
	}
	parent := filepath.Join(upDir(t), "closed")
	if err := os.Mkdir(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(parent, "data")
	checkOneLineOf(t, exec.CommandContext(t.Context(), "setpriv", append([]string{"--bounding-set=-dac_override,-dac_read_search", binary},
		upArgs(data)...)...), "cannot access "+parent+": choose another data directory with --data, or grant access with chmod o+x "+parent)
	if _, err := os.Stat(filepath.Join(data, "postgresql", "unfinished")); err == nil {
		t.Error("it began to make a cluster")
	}
	up(t, data).person(t, "customer").submit("My parcel is late", "words")
}

// Whom an address belongs to must not be read in a log. Adding someone twice, and up's own people at every start, must
// not even come to the error in which PostgreSQL would name them.
func TestUp_logsNoAddresses(t *testing.T) {
	t.Parallel()
	data := upDir(t)
	u := up(t, data)
	password, err := os.ReadFile(filepath.Join(data, "postgresql", "password"))
	if err != nil {
		t.Fatal(err)
	}
	database := fmt.Sprintf("SUPPORTDESK_DATABASE_URL=postgres://supportdesk:%s@%s/supportdesk",
		strings.TrimSpace(string(password)), u.find(t, `PostgreSQL +([0-9.:]+)`))
	add := func(address, handle string) error {
		cmd := exec.CommandContext(t.Context(), binary, "people", "add", "--role", "agent", "--name", "Canary Name", "--email", address, "--handle", handle)
		cmd.Env = append(os.Environ(), database)
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		return err
	}
	if err := add("canary@demo.example", "canary-handle"); err != nil {
		t.Fatal(err)
	}
	if add("Canary@demo.example", "other") == nil || add("other@demo.example", "canary-handle") == nil {
		t.Fatal("someone can be added twice")
	}
	site := u.find(t, `Website +(http://[0-9.:]+)/`)
	for range 2 {
		response, err := http.PostForm(site+"/register", url.Values{"name": {"Canary Name"}, "address": {"canary@demo.example"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode >= 400 {
			t.Fatalf("%s: %v", response.Status, err)
		}
	}
	if err := u.program.Stop(); err != nil {
		t.Fatal(err)
	}
	u = up(t, data)
	if err := u.program.Stop(); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(data, "log", "*.log"))
	if err != nil || len(logs) != 6 {
		t.Fatalf("the logs are %v: %v", logs, err)
	}
	for _, file := range logs {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			for _, word := range []string{"canary", "demo.example", "duplicate key"} {
				if strings.Contains(strings.ToLower(line), word) {
					t.Errorf("%s: %s", filepath.Base(file), line)
				}
			}
		}
	}
}
