// Package logging adds to log lines what a context carries, such as the IDs of a request, a ticket and a command, so that all
// lines about one of them can be found whatever wrote them. It must not know what the attributes are.
package logging

import (
	"context"
	"log/slog"
	"slices"
	"sync"
)

// The keys of attributes that lines of several packages have. All are IDs or numbers: no line contains a message, a name or
// an address of a customer.
const (
	Request  = "request_id"
	Ticket   = "ticket"   // its number
	Command  = "command"  // its number within the ticket
	Delivery = "delivery" // its number within the ticket
	Mail     = "mail"     // the ID of an incoming email
	Trace    = "trace_id"
	Span     = "span_id"
)

type key struct{}

// scope is the attributes of a context and of those that it is derived from.
type scope struct {
	parent *scope

	mu    sync.Mutex
	attrs []slog.Attr
}

// With returns a context whose log lines have further attributes.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	parent, _ := ctx.Value(key{}).(*scope)
	return context.WithValue(ctx, key{}, &scope{parent: parent, attrs: slices.Clip(attrs)})
}

// Add adds attributes to the lines of the context that With returned last, and of all that are derived from it: the line of a
// request names the ticket that only its handler knows. Without such a context it does nothing.
func Add(ctx context.Context, attrs ...slog.Attr) {
	s, _ := ctx.Value(key{}).(*scope)
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range attrs {
		s.attrs = append(slices.DeleteFunc(slices.Clone(s.attrs), func(old slog.Attr) bool { return old.Key == a.Key }), a)
	}
}

// Attrs returns the attributes that a context carries, each key once, with the innermost value.
func Attrs(ctx context.Context) []slog.Attr {
	var all []slog.Attr
	for s, _ := ctx.Value(key{}).(*scope); s != nil; s = s.parent {
		s.mu.Lock()
		all = appendNew(all, s.attrs)
		s.mu.Unlock()
	}
	return all
}

// appendNew appends attributes whose keys are not there yet.
func appendNew(all, more []slog.Attr) []slog.Attr {
	for _, a := range more {
		if !slices.ContainsFunc(all, func(b slog.Attr) bool { return a.Key == b.Key }) {
			all = append(all, a)
		}
	}
	return all
}

// handler adds the attributes of a record's context to it.
type handler struct {
	slog.Handler
	more func(context.Context) []slog.Attr
}

// NewHandler returns a handler that adds to each line the attributes of its context, and those that more returns, unless the
// line has one with the same key. more may be nil.
func NewHandler(next slog.Handler, more func(context.Context) []slog.Attr) slog.Handler {
	if more == nil {
		more = func(context.Context) []slog.Attr { return nil }
	}
	return handler{Handler: next, more: more}
}

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	added := appendNew(Attrs(ctx), h.more(ctx))
	if len(added) == 0 {
		return h.Handler.Handle(ctx, r)
	}
	r.Attrs(func(own slog.Attr) bool {
		added = slices.DeleteFunc(added, func(a slog.Attr) bool { return a.Key == own.Key })
		return len(added) > 0
	})
	r = r.Clone()
	r.AddAttrs(added...)
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{Handler: h.Handler.WithAttrs(attrs), more: h.more}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{Handler: h.Handler.WithGroup(name), more: h.more}
}
