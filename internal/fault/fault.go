// Package fault defines the error type used across packages: the kind of error, a message that visitors may see, and
// the cause, which is only logged. It knows nothing of HTTP, SQL or Temporal; those layers map their errors to a Kind,
// and only api maps a Kind to a status code.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind classifies an error by what the caller can do about it. The zero Kind is Internal: an unclassified error is
// never shown to a visitor.
type Kind uint8

const (
	// Internal is a defect or an unclassified failure; its message is only logged.
	Internal Kind = iota
	// Invalid is input that can never be accepted as it is.
	Invalid
	// Unauthenticated is a missing, unknown or revoked credential.
	Unauthenticated
	// Forbidden is a known person asking for what their role may not do.
	Forbidden
	// NotFound is a missing object, or one that the person may not know of.
	NotFound
	// Conflict is a request that the current state does not allow.
	Conflict
	// TooLarge is input over a size limit.
	TooLarge
	// Limited is a request over a rate limit.
	Limited
	// Unavailable is a service that does not respond; the same request may succeed later.
	Unavailable
)

var kindNames = [...]string{
	Internal: "internal", Invalid: "invalid", Unauthenticated: "unauthenticated", Forbidden: "forbidden",
	NotFound: "not-found", Conflict: "conflict", TooLarge: "too-large", Limited: "limited", Unavailable: "unavailable",
}

// String returns the kind in lower case with hyphens, as in logs, problem types and the types of Temporal application
// errors.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// Permanent reports whether the same request can never succeed.
func (k Kind) Permanent() bool {
	switch k {
	case Internal, Unavailable, Limited:
		return false
	default:
		return true
	}
}

// Refused reports whether a request was refused, so that it has had no effect. After other errors, such as of a database whose answer was
// lost, it may have had one.
func Refused(err error) bool { return KindOf(err).Permanent() || KindOf(err) == Limited }

// Detail is a field of the input and what is wrong with it, in words for visitors.
type Detail struct {
	Field   string // path in the request, such as "subject" or "query.limit"
	Message string
}

// Error is an error with a kind, an optional machine-readable code, a message that is safe to show, the invalid fields,
// and the cause, which is never shown.
type Error struct {
	Kind       Kind
	Code       string
	Message    string
	Details    []Detail
	RetryAfter time.Duration // Limited: when to retry; 0: unknown
	Cause      error
}

// Error returns message, details and cause, for logs.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Message)
	for _, d := range e.Details {
		fmt.Fprintf(&b, "; %s: %s", d.Field, d.Message)
	}
	if e.Cause != nil {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(e.Cause.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error with a message for visitors.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Field returns an Invalid error about one field.
func Field(field, format string, args ...any) *Error {
	return Fields(Detail{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Fields returns an Invalid error about several fields.
func Fields(details ...Detail) *Error {
	return &Error{Kind: Invalid, Message: "the request is not valid", Details: details}
}

// Details are the invalid fields of an input that is checked.
type Details []Detail

// Add adds a field and what is wrong with it.
func (d *Details) Add(field, message string) { *d = append(*d, Detail{field, message}) }

// Err returns an Invalid error about the fields, and nil if there are none.
func (d Details) Err() error {
	if len(d) == 0 {
		return nil
	}
	return Fields(d...)
}

// NewConflict returns a Conflict with a code, such as "ticket-closed".
func NewConflict(code, format string, args ...any) *Error {
	return &Error{Kind: Conflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap adds a kind and a safe message to a cause. It returns nil if the cause is nil.
func Wrap(cause error, kind Kind, format string, args ...any) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// KindOf returns the kind of the outermost Error in err's chain, or Internal if there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
