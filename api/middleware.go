package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"github.com/klauspost/compress/gzhttp"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// observe is the outermost middleware. It assigns the request an ID and a time limit, sets the headers that all responses
// have, recovers from panics and writes the access log. It limits the time by the request's context, because
// http.TimeoutHandler would buffer streams.
func (s *server) observe(c *gin.Context) {
	started := time.Now()
	id := request.ID(s.proxyID(c))
	observed, end := s.begin(c, id)
	v := &request.Info{ID: id, Source: c.ClientIP(), Connection: observed}
	ctx, cancel := context.WithTimeout(desk.WithOrigin(request.With(observed, v), v.Source, c.Request.UserAgent()), requestTime)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	// All responses of the API are JSON. huma would use an Accept header "json" as the response's media type.
	c.Request.Header.Del("Accept")
	s.setHeaders(c.Writer.Header(), v.ID)
	defer func() {
		panicked := recover()
		cut := s.recoverPanic(c, v, panicked)
		s.logRequest(c, v, started, cut)
		status := c.Writer.Status()
		if cut {
			status = cutStatus(v.Connection, panicked)
		}
		end(status, strings.HasPrefix(c.Writer.Header().Get("Content-Type"), "text/event-stream"))
		if cut {
			panic(http.ErrAbortHandler)
		}
	}()
	c.Next()
}

// begin returns the context of a request, whose log lines name it and the ticket that it is about, and the function that
// observes its end.
func (s *server) begin(c *gin.Context, id string) (ctx context.Context, end func(status int, stream bool)) {
	ctx, end = c.Request.Context(), func(int, bool) {}
	if s.Requests != nil {
		ctx, end = s.Requests.Begin(c.Request, id, c.FullPath(), s.proxies.sent(c))
	}
	ctx = logging.With(ctx, slog.String(logging.Request, id))
	if n, err := ticket.ParseNumber(c.Param("number")); err == nil {
		logging.Add(ctx, slog.String(logging.Ticket, string(n)))
	}
	return ctx, end
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

// cutStatus is the status by which a response that was cut is observed; that which it began with says that it succeeded.
func cutStatus(ctx context.Context, panicked any) int {
	if clientGone(ctx, panicked) {
		return request.StatusGone
	}
	return http.StatusInternalServerError
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
		slog.String(logging.Request, v.ID),
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
var secretPaths = []string{"/c/", "/e/", "/f/", "/link/"}

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

// proxies are the networks of trusted proxies. gin knows them too, but does not report whether one sent a request.
type proxies []netip.Prefix

// trustProxies configures gin to take a request's source from the X-Forwarded-For header of trusted proxies. gin's
// other default, X-Real-IP, is ignored: a proxy that sets the one may pass the client's own value of the other.
func trustProxies(engine *gin.Engine, trusted []string) (proxies, error) {
	engine.RemoteIPHeaders = []string{"X-Forwarded-For"}
	if err := engine.SetTrustedProxies(trusted); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	var all proxies
	for _, text := range trusted { // gin has checked them
		if ip, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
		} else if network, err := netip.ParsePrefix(text); err == nil {
			all = append(all, network.Masked())
		}
	}
	return all, nil
}

// sent reports whether a trusted proxy sent the request.
func (p proxies) sent(c *gin.Context) bool {
	from, err := netip.ParseAddr(c.RemoteIP())
	if err != nil {
		return false
	}
	for _, network := range p {
		if network.Contains(from.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}

// throttle is middleware that rejects requests of a source beyond its rate limit. Neither gin nor huma has one.
func (s *server) throttle(ctx huma.Context, next func(huma.Context)) {
	if !s.sources.Allow(request.Of(ctx.Context()).Source) {
		s.fail(humagin.Unwrap(ctx), fault.New(fault.Limited, "too many requests; try again in a moment"))
		return
	}
	next(ctx)
}

// compressible are the media types of what the website serves. An event stream is not among them, as it would be held
// back, and neither is JSON: the API's answers hold secrets such as tokens, and are small.
var compressible = []string{"text/html", "text/css", "text/javascript", "text/plain", "text/csv", "image/svg+xml"}

const (
	minCompressed = 1400 // bytes; smaller responses fit into one packet anyway
	maxPadding    = 32   // bytes
)

// compress returns a handler that compresses the website's responses. A page contains private content besides text of the
// request's query, so an attacker who can make a browser request it and observe the length of responses could guess the
// content letter by letter (BREACH). Therefore responses to cross-site requests are not compressed, and others are padded
// by an amount that depends on their content, for browsers that don't send where a request comes from.
func compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.ContentTypes(compressible), gzhttp.MinSize(minCompressed),
		gzhttp.EnableZstd(false), gzhttp.RandomJitter(maxPadding, 0, false))
	if err != nil {
		return nil, err
	}
	compressed := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r.URL.Path) || fromAnotherSite(r) {
			next.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	}), nil
}

// fromAnotherSite reports whether another site's page made the browser send the request, a link to this one included.
func fromAnotherSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}
