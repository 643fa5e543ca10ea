package logging_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/logging"
)

// logged returns what do logs.
func logged(do func(*slog.Logger)) string {
	var out bytes.Buffer
	options := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}
	do(slog.New(logging.NewHandler(slog.NewTextHandler(&out, options), func(context.Context) []slog.Attr {
		return []slog.Attr{slog.String(logging.Trace, "t")}
	})))
	return strings.TrimSpace(out.String())
}

func TestHandler_addsWhatTheContextCarries(t *testing.T) {
	request := logging.With(context.Background(), slog.String(logging.Request, "r"))
	inner := logging.With(request, slog.Int(logging.Command, 1), slog.String(logging.Request, "inner"))
	for name, c := range map[string]struct {
		log  func(*slog.Logger)
		want string
	}{
		"none":                    {func(l *slog.Logger) { l.Info("m") }, `msg=m trace_id=t`},
		"a request":               {func(l *slog.Logger) { l.InfoContext(request, "m", "a", 1) }, `msg=m a=1 request_id=r trace_id=t`},
		"the innermost":           {func(l *slog.Logger) { l.InfoContext(inner, "m") }, `msg=m command=1 request_id=inner trace_id=t`},
		"the line's own":          {func(l *slog.Logger) { l.InfoContext(request, "m", logging.Request, "own") }, `msg=m request_id=own trace_id=t`},
		"with attributes of With": {func(l *slog.Logger) { l.With("x", 1).InfoContext(request, "m") }, `msg=m x=1 request_id=r trace_id=t`},
	} {
		if got := logged(c.log); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// The line of a request names what its handler learned, in a context that was derived from the request's.
func TestAdd_isSeenByTheOuterContext(t *testing.T) {
	outer := logging.With(context.Background(), slog.String(logging.Request, "r"))
	derived, cancel := context.WithCancel(outer)
	defer cancel()
	logging.Add(derived, slog.String(logging.Ticket, "HM-1"))
	logging.Add(derived, slog.String(logging.Ticket, "HM-2"))
	logging.Add(context.Background(), slog.String(logging.Ticket, "nowhere"))
	if got, want := logged(func(l *slog.Logger) { l.InfoContext(outer, "m") }), `msg=m request_id=r ticket=HM-2 trace_id=t`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
