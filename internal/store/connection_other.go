//go:build !linux

package store

import "syscall"

// limitUnanswered has nothing to set outside Linux: there keepalives alone find a dead connection.
func limitUnanswered(_, _ string, _ syscall.RawConn) error { return nil }
