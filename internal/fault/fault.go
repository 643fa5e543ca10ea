// Package fault is the one error type that crosses package borders: what kind of thing went wrong, what a
// visitor may read of it, and the cause that only a log may show. It knows nothing of HTTP, SQL or Temporal;
// each of those layers maps its own errors to a Kind, and api alone maps a Kind to a status code.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what whoever asked can do about an error. The zero Kind is Internal: an error that nobody
// classified is never shown to a visitor.
type Kind uint8

const (
	// Internal is a defect or an unclassified failure; its message is for logs only.
	Internal Kind = iota
	// Invalid is input that can never be accepted as it is.
	Invalid
	// Unauthenticated is a missing, unknown or revoked credential.
	Unauthenticated
	// Forbidden is a known person asking for what their role may not do.
	Forbidden
	// NotFound is a thing that is not there, or that this person may not know of.
	NotFound
	// Conflict is a request that the present state refuses.
	Conflict
	// TooLarge is input over a stated limit.
	TooLarge
	// Limited is a request over a stated rate.
	Limited
	// Unavailable is a neighbour that does not answer now; the same request may succeed later.
	Unavailable
)

var kindNames = [...]string{
	Internal: "internal", Invalid: "invalid", Unauthenticated: "unauthenticated", Forbidden: "forbidden",
	NotFound: "not-found", Conflict: "conflict", TooLarge: "too-large", Limited: "limited", Unavailable: "unavailable",
}

// String is the kind's name in lower case with hyphens, as it appears in logs, problem types and the types of
// Temporal application errors.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[Internal]
}

// Permanent reports whether repeating the same request can never succeed.
func (k Kind) Permanent() bool {
	switch k {
	case Internal, Unavailable, Limited:
		return false
	default:
		return true
	}
}

// Detail names one field of the input and what is wrong with it, in words that a visitor may read.
type Detail struct {
	Field   string // path in the request, such as "subject" or "query.limit"
	Message string
}

// Error carries a kind, a stable machine-readable code (may be empty), a message that is safe to show, the
// fields at fault, and the cause, which is never shown.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	Details []Detail
	After   time.Duration // of a Limited error: how long to wait before the same is tried again; 0: not known
	Cause   error
}

// Error joins the message and the cause; it is for logs.
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

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an error of a kind with a message that a visitor may read.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Field makes an Invalid error about one field of the input.
func Field(field, format string, args ...any) *Error {
	return Fields(Detail{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Fields makes an Invalid error about every given field.
func Fields(details ...Detail) *Error {
	return &Error{Kind: Invalid, Message: "the request is not valid", Details: details}
}

// Refusal makes a Conflict with a stable code, such as "ticket-closed".
func Refusal(code, format string, args ...any) *Error {
	return &Error{Kind: Conflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap gives cause a kind and a safe message. A nil cause stays nil.
func Wrap(cause error, kind Kind, format string, args ...any) error {
	if cause == nil {
		return nil
	}
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// KindOf is the kind of the outermost Error in err's chain, Internal when there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
