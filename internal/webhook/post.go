package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

const (
	tryTime     = 10 * time.Second // for one try: connecting, sending and the whole response
	maxAnswer   = 16 << 10         // bytes of a response's body that are read, so that the connection can be reused
	maxHeader   = 64 << 10
	connections = 4 // to one endpoint
)

// result is the result of one try. If it is neither taken nor final, the call may be retried.
type result struct {
	taken  bool
	final  bool
	reason string // without the endpoint's text and URL, which may contain secrets
	cause  error  // for the log
}

// client returns an HTTP client that follows no redirects, because their targets are not configured.
func client(timeout time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxHeader
	transport.MaxConnsPerHost = connections
	return &http.Client{
		Timeout:       timeout,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (c *Caller) post(ctx context.Context, e Endpoint, event string, content []byte) result {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(content))
	if err != nil {
		return result{final: true, reason: "its URL is invalid"}
	}
	sign(request.Header, e.Secret, event, c.now(), content)
	response, err := c.client.Do(request)
	if err != nil {
		return resultOfError(err)
	}
	defer response.Body.Close()
	// Only the status matters. A response that does not end is cut off by the try's time limit.
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	return resultOfStatus(response.StatusCode)
}

// resultOfStatus returns the result for a response's status. Client errors are final, except those that mean "later".
func resultOfStatus(status int) result {
	reason := fmt.Sprintf("HTTP %d", status)
	switch {
	case status >= 200 && status < 300:
		return result{taken: true}
	case status >= 300 && status < 400:
		return result{final: true, reason: reason + "; redirects are not followed"}
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return result{reason: reason}
	default:
		return result{final: true, reason: reason}
	}
}

// resultOfError returns the result for a request that had no response.
func resultOfError(err error) result {
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // without the address
	}
	r := result{reason: "could not be reached", cause: err}
	timeout, timed := errors.AsType[net.Error](err)
	_, unresolved := errors.AsType[*net.DNSError](err)
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), timed && timeout.Timeout():
		r.reason = "timed out"
	case unresolved:
		r.reason = "its host was not found"
	case errors.Is(err, syscall.ECONNREFUSED):
		r.reason = "connection refused"
	case unverified, unknown:
		r.reason = "its certificate is not trusted"
	}
	return r
}
