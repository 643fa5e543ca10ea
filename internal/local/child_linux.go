package local

import "syscall"

// capDACOverride is CAP_DAC_OVERRIDE of capabilities(7).
const capDACOverride = 1

func attributes(as *account, orphan syscall.Signal) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: orphan}
	if as != nil {
		attr.Credential = &syscall.Credential{Uid: as.uid, Gid: as.gid}
		if as.closed {
			attr.AmbientCaps = []uintptr{capDACOverride}
		}
	}
	return attr
}
