package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// account is the unprivileged user that a child of root runs as.
type account struct {
	name     string
	uid, gid uint32
	// closed means that a parent directory of the data, such as root's home, is inaccessible to this user. On Linux
	// the child then keeps the capability that grants access.
	closed bool
}

// accountFor returns the user to run a server with its data in dir. It returns nil if the process is not root: the
// server then runs as the same user. An existing directory keeps its owner.
func accountFor(dir string) (*account, error) {
	owner, exists := ownerOf(dir)
	if me := os.Geteuid(); me != 0 {
		if exists && int(owner.uid) != me {
			return nil, fault.New(fault.Forbidden, "%s belongs to %s: run as that user, or choose another data directory",
				dir, owner.name)
		}
		return nil, nil
	}
	if !exists || owner.uid == 0 {
		var err error
		if owner, err = unprivilegedAccount(); err != nil {
			return nil, err
		}
	}
	inaccessibleParent, err := owner.inaccessibleParent(dir)
	if err != nil {
		return nil, err
	}
	owner.closed = inaccessibleParent != ""
	if owner.closed && !hasCapability(capDACOverride) {
		return nil, fault.New(fault.Forbidden,
			"PostgreSQL runs as user %s, which cannot access %s: choose another data directory with --data, or grant access with chmod o+x %s",
			owner.name, inaccessibleParent, inaccessibleParent)
	}
	return &owner, nil
}

func ownerOf(dir string) (account, bool) {
	info, err := os.Stat(dir)
	if err != nil {
		return account{}, false
	}
	stat := info.Sys().(*syscall.Stat_t)
	name := fmt.Sprintf("user %d", stat.Uid)
	if u, err := user.LookupId(strconv.Itoa(int(stat.Uid))); err == nil {
		name = u.Username
	}
	return account{name: name, uid: stat.Uid, gid: stat.Gid}, true
}

func unprivilegedAccount() (account, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr != nil || gidErr != nil || uid == 0 {
			continue
		}
		return account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return account{}, fault.New(fault.Unavailable,
		"PostgreSQL refuses to run as root, and neither the user postgres nor nobody exists: run as an ordinary user")
}

// inaccessibleParent returns a parent directory of dir that the account cannot access, or "".
func (a account) inaccessibleParent(dir string) (string, error) {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if errors.Is(err, fs.ErrNotExist) { // it is going to be created
			continue
		}
		if err != nil {
			return "", fmt.Errorf("check parent directories of PostgreSQL's data: %w", err)
		}
		stat := info.Sys().(*syscall.Stat_t)
		enter := os.FileMode(0o001)
		switch {
		case stat.Uid == a.uid:
			enter = 0o100
		case stat.Gid == a.gid:
			enter = 0o010
		}
		if info.Mode().Perm()&enter == 0 {
			return parent, nil
		}
		if parent == filepath.Dir(parent) {
			return "", nil
		}
	}
}

// chown gives path to the account; it does nothing on nil.
func (a *account) chown(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}
