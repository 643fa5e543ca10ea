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

// The data directory and what lies in it are for their owner alone: mails with links that sign in, tokens, words. Root's
// PostgreSQL runs as another user, who has to pass through to its own directory and can list nothing on the way.
const (
	privateDir  = 0o700
	privateFile = 0o600
	passageDir  = 0o711
)

// ownNames are what up keeps beside the directories of its parts. That of PostgreSQL is StartPostgres's to close.
var ownNames = []string{"up.lock", "parts.lock", "tokens.json", "tokens.json.draft", "postgresql"}

// Privatise closes a data directory and its parts, given by their names, to other users: versions of up before this one
// left them open. A directory with anything else in it, such as a home that somebody chose, keeps its mode.
func Privatise(dir string, parts ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("close the data directory to others: %w", err)
	}
	allOurs := true
	for _, entry := range entries {
		switch name := entry.Name(); {
		case slices.Contains(parts, name) && entry.IsDir(): // what a link leads to is not ours
			err = errors.Join(err, closePart(filepath.Join(dir, name)))
		case !slices.Contains(slices.Concat(parts, ownNames), name):
			allOurs = false
		}
	}
	if allOurs {
		err = errors.Join(err, restrict(dir, passage()))
	}
	if err != nil {
		return fmt.Errorf("close the data directory to others: %w", err)
	}
	return nil
}

// closePart closes a part's directory and the files in it.
func closePart(dir string) error {
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

// passage is the mode of a directory above PostgreSQL's data.
func passage() fs.FileMode {
	if os.Geteuid() == 0 {
		return passageDir
	}
	return privateDir
}

// restrict sets a file or directory of ours to that mode. A link, what belongs to another user and a directory that all
// share, as /tmp is, stay as they are; a file that has gone meanwhile needs nothing.
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
