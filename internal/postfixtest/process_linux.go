package postfixtest

import "syscall"

// endsWithUs makes the kernel kill Postfix when the test's process is killed.
func endsWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
