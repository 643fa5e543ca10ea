package local_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

func put(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("secret"), mode); err != nil {
		t.Fatal(err)
	}
}

func checkMode(t *testing.T, path string, want fs.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != want {
		t.Errorf("%s has the mode %o and should have %o", path, got, want)
	}
}

func ownMode() fs.FileMode {
	if os.Geteuid() == 0 {
		return 0o711 // PostgreSQL passes
	}
	return 0o700
}

func TestPrivatise_closesWhatAnOlderUpLeftOpen(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), t.TempDir()
	for _, file := range []string{"up.lock", "tokens.json", "log/api.log", "temporal/temporal.db", "postgresql/password"} {
		put(t, filepath.Join(dir, file), 0o644)
	}
	put(t, filepath.Join(elsewhere, "mail", "1.eml"), 0o644)
	if err := os.Symlink(filepath.Join(elsewhere, "mail"), filepath.Join(dir, "mail")); err != nil {
		t.Fatal(err)
	}
	if err := local.RestrictPermissions(dir, "log", "mail", "temporal"); err != nil {
		t.Fatal(err)
	}
	checkMode(t, dir, ownMode())
	for _, part := range []string{"log", "temporal"} {
		checkMode(t, filepath.Join(dir, part), 0o700)
	}
	checkMode(t, filepath.Join(dir, "log", "api.log"), 0o600)
	checkMode(t, filepath.Join(dir, "temporal", "temporal.db"), 0o600)
	checkMode(t, filepath.Join(elsewhere, "mail"), 0o755) // a link leads to what is the owner's own arrangement
	checkMode(t, filepath.Join(elsewhere, "mail", "1.eml"), 0o644)
}

func TestPrivatise_leavesForeignThingsAlone(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(dir string) error{
		"a directory with other things in it": func(dir string) error { return os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600) },
		"a directory that all share":          func(dir string) error { return os.Chmod(dir, 0o777|fs.ModeSticky) },
	} {
		dir := t.TempDir()
		put(t, filepath.Join(dir, "log", "api.log"), 0o644)
		if err := arrange(dir); err != nil {
			t.Fatal(err)
		}
		before, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := local.RestrictPermissions(dir, "log"); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
		checkMode(t, dir, before.Mode().Perm())
		checkMode(t, filepath.Join(dir, "log"), 0o700)
	}
}

func TestReplaceFile_leavesTheOldOneWhenItFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tokens.json")
	if err := local.ReplaceFile(file, []byte("old"), false); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file+".draft", 0o700); err != nil { // as good as a full disk
		t.Fatal(err)
	}
	if err := local.ReplaceFile(file, []byte("new"), true); err == nil {
		t.Error("a write that cannot be is no error")
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != "old" {
		t.Errorf("the file holds %q: %v", got, err)
	}
	if err := os.WriteFile(file+".draft", []byte("what a crash has left"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := local.ReplaceFile(file, []byte("new"), true); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(file); string(got) != "new" {
		t.Errorf("the file holds %q", got)
	}
	checkMode(t, file, 0o600)
	taken := filepath.Join(filepath.Dir(file), "taken")
	if err := os.MkdirAll(filepath.Join(taken, "by a directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := local.ReplaceFile(taken, []byte("new"), false); err == nil {
		t.Error("a directory is replaced by a file")
	}
	if _, err := os.Lstat(taken + ".draft"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a draft is left: %v", err)
	}
}
