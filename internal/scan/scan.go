// Package scan asks a scanner for viruses or spam about a mail or a file: ClamAV's clamd or rspamd. It decides nothing: what
// happens to a mail with a virus, and to one that could not be scanned, is the caller's to decide.
package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Kind is what a scanner thinks of a mail.
type Kind string

// The kinds. ClamAV knows the first two.
const (
	Clean   Kind = "clean"
	Virus   Kind = "virus"
	Spam    Kind = "spam"    // rspamd would reject the mail
	Suspect Kind = "suspect" // rspamd would mark the mail as spam
)

// Verdict is the answer of a scanner.
type Verdict struct {
	Kind  Kind
	Name  string  // of the virus, or of the rule of rspamd with the highest score; may be empty
	Score float64 // of rspamd; it rejects from Limit on
	Limit float64
}

// Meta is what the delivery of a mail said. rspamd uses it; all fields may be empty.
type Meta struct {
	ClientIP     netip.Addr
	Helo         string
	EnvelopeFrom string
	Recipients   []string
}

// Scanner asks one scanner. It is safe for concurrent use.
type Scanner struct {
	backend backend
	timeout time.Duration
}

type backend interface {
	scan(ctx context.Context, r io.Reader, meta Meta) (Verdict, error)
	ping(ctx context.Context) error
}

const defaultTimeout = time.Minute

// Open returns a scanner for clamd://HOST:PORT, clamd+unix:///PATH, rspamd+http://HOST:PORT or rspamd+https://…, where a
// password may be in the address (rspamd+http://:PASSWORD@HOST:PORT). A parameter timeout limits a scan, such as
// ?timeout=30s; without it, a minute does. Open does not connect. Its errors do not contain the address.
func Open(address string) (*Scanner, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("open scanner: the address is not a URL")
	}
	s := &Scanner{timeout: defaultTimeout}
	query := u.Query()
	if text := query.Get("timeout"); text != "" {
		if s.timeout, err = time.ParseDuration(text); err != nil || s.timeout <= 0 {
			return nil, fmt.Errorf("open scanner: %q is not a time-out such as 30s", text)
		}
	}
	if query.Del("timeout"); len(query) > 0 || u.Fragment != "" {
		return nil, errors.New("open scanner: the address has parameters other than timeout")
	}
	hostOnly := u.Host != "" && u.Port() != "" && (u.Path == "" || u.Path == "/")
	switch {
	case u.Scheme == "clamd" && hostOnly && u.User == nil:
		s.backend = clamd{network: "tcp", address: u.Host}
	case u.Scheme == "clamd+unix" && u.Host == "" && len(u.Path) > 1 && u.User == nil:
		s.backend = clamd{network: "unix", address: u.Path}
	case (u.Scheme == "rspamd+http" || u.Scheme == "rspamd+https") && hostOnly:
		s.backend = newRspamd(u)
	default:
		return nil, errors.New("open scanner: the address is none of clamd://HOST:PORT, clamd+unix:///PATH and rspamd+http://HOST:PORT")
	}
	return s, nil
}

// Scan reads a mail or a file and returns what the scanner thinks of it. It returns an Unavailable fault if the scanner
// can't be reached, breaks off, takes too long or answers something else, a TooLarge fault if it does not scan that much,
// and the error of r if r fails. It does not read r after it has returned.
func (s *Scanner) Scan(ctx context.Context, r io.Reader, meta Meta) (Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	in := &input{r: r}
	v, err := s.backend.scan(ctx, in, meta)
	if failed := in.end(); failed != nil {
		return Verdict{}, fmt.Errorf("read what is to be scanned: %w", failed)
	}
	return v, err
}

// Ready reports whether the scanner answers.
func (s *Scanner) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return s.backend.ping(ctx)
}

func unavailable(err error) error {
	return fault.Wrap(err, fault.Unavailable, "the virus or spam scanner does not answer")
}

func tooLarge() error {
	return fault.New(fault.TooLarge, "this is larger than what the virus or spam scanner accepts")
}

// input is what is scanned. It remembers that it failed, and is not read any more once it has ended.
type input struct {
	mu    sync.Mutex
	r     io.Reader
	err   error
	ended bool
}

func (in *input) Read(p []byte) (int, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.ended {
		return 0, io.ErrClosedPipe
	}
	n, err := in.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		in.err = err
	}
	return n, err
}

// end ends the input and returns the error that reading it had.
func (in *input) end() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.ended = true
	return in.err
}
