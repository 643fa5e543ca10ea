package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// The data directory is accessible only to its owner: it contains mails with sign-in links, tokens and messages. If run by
// root, PostgreSQL runs as another user, which needs to traverse but not list the parent directories.
const (
	privateDir  = 0o700
	privateFile = 0o600
	passageDir  = 0o711
)

// ownNames are what up keeps beside the directories of its parts. That of PostgreSQL is StartPostgres's to close.
var ownNames = []string{"up.lock", "parts.lock", "tokens.json", "tokens.json.draft", "postgresql"}

// ReplaceFile writes a private file atomically: after a failure the old one remains, and no part of the new one, which may be
// what fills the disk. If synced, a power failure does no harm either. A kill leaves at most a draft, which the next call overwrites.
func ReplaceFile(path string, text []byte, synced bool) error {
	draft := path + ".draft"
	file, err := os.OpenFile(draft, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, privateFile)
	if err == nil {
		_, err = file.Write(text)
		if err == nil && synced {
			err = file.Sync()
		}
		err = errors.Join(err, file.Close())
	}
	if err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		_ = os.Remove(draft)
	}
	return err
}

// RestrictPermissions restricts a data directory and its parts, given by name, to their owner: older versions of up did not. A
// directory with anything else in it, such as a home directory, keeps its mode.
func RestrictPermissions(dir string, parts ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("restrict data directory: %w", err)
	}
	allOurs := true
	for _, entry := range entries {
		switch name := entry.Name(); {
		case slices.Contains(parts, name) && entry.IsDir(): // the target of a link is not ours
			err = errors.Join(err, restrictDir(filepath.Join(dir, name)))
		case !slices.Contains(slices.Concat(parts, ownNames), name):
			allOurs = false
		}
	}
	if allOurs {
		err = errors.Join(err, restrict(dir, parentMode()))
	}
	if err != nil {
		return fmt.Errorf("restrict data directory: %w", err)
	}
	return nil
}

// restrictDir restricts the directory of a part and the files in it.
func restrictDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	errs := []error{restrict(dir, privateDir)}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			errs = append(errs, restrict(filepath.Join(dir, entry.Name()), privateFile))
		}
	}
	return errors.Join(errs...)
}

// parentMode returns the mode of a parent directory of PostgreSQL's data.
func parentMode() fs.FileMode {
	if os.Geteuid() == 0 {
		return passageDir
	}
	return privateDir
}

// restrict sets the mode of one of our files or directories. Links, files of other users and shared directories such as
// /tmp are left unchanged; a missing file is ignored.
func restrict(path string, mode fs.FileMode) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	shared := fs.ModeSymlink | fs.ModeSticky
	if info.Mode()&shared != 0 || int(owner) != os.Geteuid() || info.Mode().Perm() == mode {
		return nil
	}
	return os.Chmod(path, mode)
}
