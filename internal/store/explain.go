package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// SQLSTATE codes that are handled one by one; see the PostgreSQL manual, appendix A.
const (
	uniqueViolation     = "23505"
	undefinedTable      = "42P01"
	badCharacter        = "22021" // such as NUL in a text
	untranslatable      = "22P05"
	readOnlyTransaction = "25006" // a standby, in the middle of a failover
	serialization       = "40001"
	deadlock            = "40P01"
	lockNotAvailable    = "55P03"
	idleInTransaction   = "25P03" // this process stalled for too long
)

// explain wraps err with the operation and gives it a kind: Unavailable if the same call may succeed later, Invalid for
// text that PostgreSQL can't store, Internal for the rest. A fault keeps its kind, and context.Canceled stays what it
// is.
func explain(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	_, known := errors.AsType[*fault.Error](err)
	err = brief(err)
	err = fmt.Errorf(doing+": %w", append(args, err)...)
	switch {
	case known || errors.Is(err, context.Canceled):
		return err
	case locked(err):
		return fault.Wrap(err, fault.Unavailable, "another session of the database holds a lock")
	case unavailable(err):
		return fault.Wrap(err, fault.Unavailable, "the database is not responding")
	case unstorable(err):
		return fault.Wrap(err, fault.Invalid, "the text contains a character that can't be stored")
	}
	return fault.Wrap(err, fault.Internal, "the database refused")
}

// connectError is an error of connecting that names each cause once, in one line. The driver has a line for each attempt, with and
// without TLS and at each address, and usually all fail for the same reason.
type connectError struct{ error }

func brief(err error) error {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return connectError{err}
	}
	return err
}

func (e connectError) Error() string {
	var causes []string
	for line := range strings.Lines(e.error.Error()) {
		line = strings.TrimSpace(line)
		if !slices.ContainsFunc(causes, func(cause string) bool { return strings.HasSuffix(cause, line) }) {
			causes = append(causes, line)
		}
	}
	first, rest := causes[0], strings.Join(causes[1:], "; ")
	return strings.TrimSpace(first + " " + rest)
}

func (e connectError) Unwrap() error { return e.error }

func unavailable(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true // includes a password that is being changed: the next connection may use the new one
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case serialization, deadlock, lockNotAvailable, readOnlyTransaction, idleInTransaction:
			return true
		}
		switch pg.Code[:2] {
		case "08", "53", "57", "58": // connection, resources, an operator's intervention, the system's own errors
			return true
		}
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// locked reports whether a statement has waited for a lock for longer than it may.
func locked(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == lockNotAvailable
}

func unstorable(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pg.Code == badCharacter || pg.Code == untranslatable)
}

// violates reports whether a unique constraint or index of this name stopped a statement.
func violates(err error, constraint string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.Code == uniqueViolation && pg.ConstraintName == constraint
}
