//go:build !linux

package s3test

import "syscall"

// endsWithUs has no means outside Linux: the server outlives a test's process that is killed.
func endsWithUs() *syscall.SysProcAttr { return nil }
