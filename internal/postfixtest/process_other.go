//go:build !linux

package postfixtest

import "syscall"

// endsWithUs has no means outside Linux: Postfix outlives a test's process that is killed.
func endsWithUs() *syscall.SysProcAttr { return nil }
