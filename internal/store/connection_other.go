//go:build !linux

package store

import "syscall"

// limitUnanswered does nothing outside Linux, where only keepalives detect a dead connection.
func limitUnanswered(_, _ string, _ syscall.RawConn) error { return nil }
