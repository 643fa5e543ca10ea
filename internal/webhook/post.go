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
	tryTime     = 10 * time.Second // for one try: connecting, sending and the whole answer
	maxAnswer   = 16 << 10         // bytes of an answer's body that are read, so that its connection can serve again
	maxHeader   = 64 << 10
	connections = 4 // to one endpoint
)

// result is what became of one try. Neither taken nor final: it is worth another.
type result struct {
	taken  bool
	final  bool
	reason string // in our words: an endpoint's own, or its address, may hold secrets
	cause  error  // for the log
}

// client follows no redirect: where an answer points is not what was configured.
func client(patience time.Duration) *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxHeader
	transport.MaxConnsPerHost = connections
	return &http.Client{
		Timeout:       patience,
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (c *Caller) post(ctx context.Context, e Endpoint, event string, content []byte) result {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(content))
	if err != nil {
		return result{final: true, reason: "its address can't be read"}
	}
	sign(request.Header, e.Secret, event, c.now(), content)
	response, err := c.client.Do(request)
	if err != nil {
		return resultOfError(err)
	}
	defer response.Body.Close()
	// Only the status counts. An answer that never ends ends with the try.
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	return resultOfStatus(response.StatusCode)
}

// resultOfStatus tells an answer that may change, such as too many requests, from one that won't.
func resultOfStatus(status int) result {
	reason := fmt.Sprintf("HTTP %d", status)
	switch {
	case status >= 200 && status < 300:
		return result{taken: true}
	case status >= 300 && status < 400:
		return result{final: true, reason: reason + ", and no redirect is followed"}
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return result{reason: reason}
	default:
		return result{final: true, reason: reason}
	}
}

// resultOfError says in our words why there was no answer.
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
