package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// observe goes around every request: it names it, limits its time, sets the headers that every answer has, survives
// panics and writes the access log.
func (s *server) observe(c *gin.Context) {
	started := time.Now()
	v := &visit{id: requestID(c.GetHeader("X-Request-ID")), source: c.ClientIP()}
	ctx, cancel := context.WithTimeout(context.WithValue(c.Request.Context(), visitKey{}, v), requestTime)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	// Every answer is JSON. huma would take an Accept header at its word and label a body "json".
	c.Request.Header.Del("Accept")
	decorate(c.Writer.Header(), v.id)
	defer func() {
		cut := s.survive(c, v, recover())
		s.record(c, v, started)
		if cut {
			panic(http.ErrAbortHandler)
		}
	}()
	c.Next()
}

func decorate(h http.Header, id string) {
	h.Set("X-Request-ID", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
}

// survive turns a panic into a problem. Where part of an answer has gone out already it reports that the connection
// must be cut, so that nobody takes the part for the whole.
func (s *server) survive(c *gin.Context, v *visit, panicked any) (cut bool) {
	switch {
	case panicked == nil:
		return false
	case panicked == http.ErrAbortHandler:
		return true
	case errors.Is(c.Request.Context().Err(), context.Canceled):
		// huma panics when it can't write to a client that has gone.
		v.failure = context.Canceled
		return true
	}
	err := fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
	if c.Writer.Written() {
		v.failure = err
		return true
	}
	s.fail(c, err)
	return false
}

// record writes one line for a request: never its query, its body or a token.
func (s *server) record(c *gin.Context, v *visit, started time.Time) {
	level, status := slog.LevelInfo, c.Writer.Status()
	switch {
	case status >= http.StatusInternalServerError && status != http.StatusServiceUnavailable:
		level = slog.LevelError
	case status == http.StatusServiceUnavailable:
		level = slog.LevelWarn
	case strings.HasSuffix(c.Request.URL.Path, "z") && v.failure == nil:
		level = slog.LevelDebug // healthz and readyz, every few seconds
	}
	if !s.log.Enabled(c.Request.Context(), level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 9),
		slog.String("method", c.Request.Method),
		slog.String("path", c.Request.URL.Path),
		slog.Int("status", status),
		slog.Duration("took", time.Since(started)),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.String("request_id", v.id),
		slog.String("from", v.source),
	)
	if v.person.ID != "" {
		attrs = append(attrs, slog.String("person", string(v.person.ID)))
	}
	if v.failure != nil && level > slog.LevelInfo {
		attrs = append(attrs, slog.String("error", v.failure.Error()))
	}
	s.log.LogAttrs(c.Request.Context(), level, "request", attrs...)
}
