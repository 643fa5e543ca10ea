package telemetry

import (
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
)

// otelMessages log what OpenTelemetry's library reports, which otherwise would write to standard error in a form of its own.
type otelMessages struct {
	log   *slog.Logger
	later func(error)
	ready atomic.Bool // the library has read its settings
}

// logOtel has the library's messages logged until it is called again. The library has no other way than a global one.
func logOtel(log *slog.Logger) *otelMessages {
	m := &otelMessages{log: log, later: warnSometimes(log, "OpenTelemetry reports an error")}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(m.handle))
	otel.SetLogger(logr.New(m))
	return m
}

// handle logs an error, which repeats for each batch that can't be sent. Those about settings are left out: they are reported with their
// variables, and may quote secrets.
func (m *otelMessages) handle(err error) {
	if m.ready.Load() {
		m.later(err)
	}
}

// Init implements logr.LogSink.
func (m *otelMessages) Init(logr.RuntimeInfo) {}

// Enabled implements logr.LogSink. The library's warnings are of level 1, and less important messages of higher ones.
func (m *otelMessages) Enabled(level int) bool { return level <= 1 && m.ready.Load() }

// Info implements logr.LogSink.
func (m *otelMessages) Info(_ int, message string, _ ...any) { m.log.Warn("OpenTelemetry: " + message) }

// Error implements logr.LogSink. It leaves out what the error is about, which may be the secret of a header.
func (m *otelMessages) Error(err error, message string, _ ...any) {
	m.handle(fmt.Errorf("%s: %w", message, err))
}

// WithValues implements logr.LogSink.
func (m *otelMessages) WithValues(...any) logr.LogSink { return m }

// WithName implements logr.LogSink.
func (m *otelMessages) WithName(string) logr.LogSink { return m }
