//go:build unix && !linux

package local

import "syscall"

// attributes sets no death signal outside Linux: a child outlives a killed parent, and the lock that it inherits
// prevents a second one.
func attributes(as *account, _ syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	return attr
}

// capDACOverride has no meaning without capabilities.
const capDACOverride = 0

func hasCapability(uint) bool { return false }
