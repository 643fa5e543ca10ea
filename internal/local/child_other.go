//go:build unix && !linux

package local

import "syscall"

// attributes has no death signal to offer outside Linux: there a child outlives a killed parent, and the lock
// that it inherits keeps a successor from starting a second one.
func attributes(as *account, _ syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
	}
	return attr
}

// capDACOverride has no meaning without capabilities.
const capDACOverride = 0

func mayPassOn(uint) bool { return false }
