package s3test

import "syscall"

// endsWithUs makes the kernel kill the server when the test's process is killed.
func endsWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
