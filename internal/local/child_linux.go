package local

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

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

// hasCapability reports whether this process has a capability and may pass it to a child. Root in a container may lack
// it.
func hasCapability(capability uint) bool {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(status), "\nCapPrm:")
	var permitted uint64
	if _, err := fmt.Sscanf(rest, "%x", &permitted); err != nil {
		return false
	}
	return permitted&(1<<capability) != 0
}
