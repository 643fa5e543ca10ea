package telemetry

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// otelMessages log what OpenTelemetry's library has to say, which otherwise would write to standard error in a form of its own. While
// traces are set up every message counts, because each is about a setting; later ones repeat for each batch that can't be sent.
type otelMessages struct {
	log   *slog.Logger
	later func(error)
	set   atomic.Bool // traces are set up

	mu   sync.Mutex
	said []string // errors that were logged before: the library reads some settings twice
}

// logOtel has the library's messages logged until it is called again. The library has no other way than a global one.
func logOtel(log *slog.Logger) *otelMessages {
	m := &otelMessages{log: log, later: warnSometimes(log, "traces are not sent")}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(m.handle))
	otel.SetLogger(logr.New(m))
	return m
}

func (m *otelMessages) handle(err error) {
	if m.set.Load() {
		m.later(err)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	text := err.Error()
	if !slices.ContainsFunc(m.said, func(earlier string) bool { return strings.Contains(earlier, text) }) {
		m.said = append(m.said, text)
		m.log.Warn("a setting of OpenTelemetry is not used as it is", "error", err)
	}
}

// Init implements logr.LogSink.
func (m *otelMessages) Init(logr.RuntimeInfo) {}

// Enabled implements logr.LogSink.
func (m *otelMessages) Enabled(int) bool { return true }

// otelWarning is the level of the library's warnings. Less important are higher levels, among them those that name a variable whose
// value is malformed.
const otelWarning = 1

// Info implements logr.LogSink.
func (m *otelMessages) Info(level int, message string, args ...any) {
	variables := variablesIn(args)
	if level <= otelWarning || len(variables) > 0 {
		m.log.Warn("OpenTelemetry: "+message, variables...)
	}
}

// variablesIn returns those of the arguments whose keys are environment variables, with their values.
func variablesIn(args []any) (some []any) {
	for i := 0; i+1 < len(args); i += 2 {
		if key := fmt.Sprint(args[i]); strings.HasPrefix(key, "OTEL_") {
			some = append(some, key, args[i+1])
		}
	}
	return some
}

// Error implements logr.LogSink. It leaves out what the error is about, which may be the secret of a header.
func (m *otelMessages) Error(err error, message string, _ ...any) {
	m.handle(fmt.Errorf("%s: %w", message, err))
}

// WithValues implements logr.LogSink.
func (m *otelMessages) WithValues(...any) logr.LogSink { return m }

// WithName implements logr.LogSink.
func (m *otelMessages) WithName(string) logr.LogSink { return m }
