package local

import (
	"fmt"
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
	// closed says that a directory above the data, such as root's home, keeps this user out. On Linux the
	// child then keeps the one capability that opens it.
	closed bool
}

// accountFor picks the user for a server whose data lies in dir. It is nil when we are not root: the server
// then runs as we do. An existing directory keeps the owner that it has.
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
		if owner, err = unprivileged(); err != nil {
			return nil, err
		}
	}
	barrier, err := owner.barrier(dir)
	if err != nil {
		return nil, err
	}
	owner.closed = barrier != ""
	if owner.closed && !mayPassOn(capDACOverride) {
		return nil, fault.New(fault.Forbidden,
			"PostgreSQL runs as the user %s, who may not enter %s: choose a data directory elsewhere with --data, or let others pass with chmod o+x %s",
			owner.name, barrier, barrier)
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

func unprivileged() (account, error) {
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
		"PostgreSQL refuses to run as root and there is neither a user postgres nor nobody: run as an ordinary user")
}

// barrier is a directory above dir that keeps the account out; empty when there is none.
func (a account) barrier(dir string) (string, error) {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if err != nil {
			return "", fmt.Errorf("look at the directories above PostgreSQL's data: %w", err)
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

// own gives path to the account; nil leaves it as it is.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}
