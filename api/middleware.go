package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// observe is the outermost middleware. It gives the request an ID and a time limit, sets the headers that all responses
// have, recovers from panics and writes the access log. It limits the time by the request's context, because
// http.TimeoutHandler would buffer streams.
func (s *server) observe(c *gin.Context) {
	started := time.Now()
	v := &request.Info{ID: request.ID(s.proxyID(c)), Source: c.ClientIP(), Connection: c.Request.Context()}
	ctx, cancel := context.WithTimeout(desk.WithOrigin(request.With(c.Request.Context(), v), v.Source, c.Request.UserAgent()), requestTime)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	// All responses of the API are JSON. huma would use an Accept header "json" as the response's media type.
	c.Request.Header.Del("Accept")
	s.setHeaders(c.Writer.Header(), v.ID)
	defer func() {
		cut := s.recoverPanic(c, v, recover())
		s.logRequest(c, v, started, cut)
		if cut {
			panic(http.ErrAbortHandler)
		}
	}()
	c.Next()
}

// proxyID returns the request ID that a trusted proxy sent, if any. Unlike the usual middleware it ignores a client's
// own, which could be the same for all its requests, or that of another client's request.
func (s *server) proxyID(c *gin.Context) string {
	if !s.proxies.sent(c) {
		return ""
	}
	return c.GetHeader("X-Request-ID")
}

func (s *server) setHeaders(h http.Header, id string) {
	h.Set("X-Request-ID", id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if s.Site != nil && s.Site.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000") // a year; subdomains are not ours to decide on
	}
}

// recoverPanic responds to a panic with an error. If part of the response has been sent already, it reports that the
// connection must be cut, so that the client does not take the part for the whole. gin.Recovery completes such a
// response, drops http.ErrAbortHandler, and logs a request's cookies.
func (s *server) recoverPanic(c *gin.Context, v *request.Info, panicked any) (cut bool) {
	if panicked == nil {
		return false
	}
	if panicked == http.ErrAbortHandler || //nolint:errorlint // net/http compares it so
		clientGone(c.Request.Context(), panicked) {
		v.Failure = nil
		return true
	}
	err := fmt.Errorf("panic: %v\n%s", panicked, debug.Stack())
	if c.Writer.Written() {
		v.Failure = err
		return true
	}
	s.respondError(c, err)
	return false
}

// clientGone reports whether huma panicked because the client has disconnected.
func clientGone(ctx context.Context, panicked any) bool {
	if errors.Is(ctx.Err(), context.Canceled) {
		return true
	}
	err, _ := panicked.(error)
	_, broken := errors.AsType[*net.OpError](err)
	return broken
}

// logRequest writes the access log's line for a request. It never contains the query, the body or a token; gin.Logger
// would write the query. The number of bytes is before compression.
func (s *server) logRequest(c *gin.Context, v *request.Info, started time.Time, cut bool) {
	status := c.Writer.Status()
	level := logLevel(status, c.Request.URL.Path, v.Failure, cut)
	if !s.log.Enabled(c.Request.Context(), level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 9),
		slog.String("method", c.Request.Method),
		slog.String("path", loggedPath(c)),
		slog.Int("status", status),
		slog.Duration("took", time.Since(started)),
		slog.Int("bytes", max(c.Writer.Size(), 0)),
		slog.String("request_id", v.ID),
		slog.String("from", v.Source),
	)
	if v.Person.ID != "" {
		attrs = append(attrs, slog.String("person", string(v.Person.ID)))
	}
	if v.Failure != nil && level > slog.LevelInfo {
		attrs = append(attrs, slog.String("error", v.Failure.Error()))
	}
	s.log.LogAttrs(c.Request.Context(), level, "request", attrs...)
}

// secretPaths are the prefixes of paths that contain a secret: links in emails.
var secretPaths = []string{"/c/", "/e/", "/link/"}

// loggedPath returns the request's path without the secret that it may contain, also if no route matches: a link with
// other text after it still reveals the secret.
func loggedPath(c *gin.Context) string {
	if strings.Contains(c.FullPath(), ":token") {
		return c.FullPath()
	}
	path := "/" + strings.TrimLeft(c.Request.URL.Path, "/")
	for _, beginning := range secretPaths {
		if strings.HasPrefix(strings.ToLower(path), beginning) {
			return beginning + "…"
		}
	}
	return c.Request.URL.Path
}

func logLevel(status int, path string, failure error, cut bool) slog.Level {
	switch {
	case cut && failure != nil:
		return slog.LevelError
	case status == http.StatusServiceUnavailable, status == http.StatusAccepted && failure != nil:
		return slog.LevelWarn
	case status >= http.StatusInternalServerError:
		return slog.LevelError
	case path == "/healthz" || path == "/readyz":
		return slog.LevelDebug // every few seconds
	default:
		return slog.LevelInfo
	}
}
