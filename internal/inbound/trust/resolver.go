package trust

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
)

// Resolver looks names up. *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// The limits of look-ups, for names that senders choose.
const (
	maxLookups = 50   // of one method: SPF may ask for ten names, and for ten addresses of each
	maxTXT     = 4096 // bytes of a record: a key of 4,096 bits has 800
	maxRecords = 20   // of a name
)

// limited is a resolver that asks a limited number of questions about valid names. Its errors are those of DNS and mean
// either that a name has no such record, or that the answer could not be had.
type limited struct {
	resolver Resolver
	asked    atomic.Int32
}

func (l *limited) LookupTXT(ctx context.Context, name string) ([]string, error) {
	all, err := ask(l, ctx, name, l.resolver.LookupTXT)
	var short []string
	for _, text := range all {
		if len(text) <= maxTXT {
			short = append(short, text)
		}
	}
	return short, err
}

func (l *limited) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return ask(l, ctx, name, l.resolver.LookupMX)
}

func (l *limited) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return ask(l, ctx, host, l.resolver.LookupIPAddr)
}

func (l *limited) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if l.asked.Add(1) > maxLookups {
		return nil, temporary("too many questions", addr)
	}
	names, err := l.resolver.LookupAddr(ctx, addr)
	return names[:min(len(names), maxRecords)], dnsError(err, addr)
}

func ask[T any](l *limited, ctx context.Context, name string, lookup func(context.Context, string) ([]T, error)) ([]T, error) {
	name = strings.TrimSuffix(name, ".")
	if !validName(name) {
		return nil, notFound(name)
	}
	if l.asked.Add(1) > maxLookups {
		return nil, temporary("too many questions", name)
	}
	all, err := lookup(ctx, name+".") // absolute, so that no search domain is tried
	return all[:min(len(all), maxRecords)], dnsError(err, name)
}

// dnsError maps an error to one that says whether it is worth asking again.
func dnsError(err error, name string) error {
	if err == nil {
		return nil
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return notFound(name)
	}
	return temporary(err.Error(), name)
}

func notFound(name string) error {
	return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func temporary(text, name string) error {
	return &net.DNSError{Err: text, Name: name, IsTemporary: true}
}

// validName reports whether a name can be looked up: labels of letters, digits, hyphens and underscores.
func validName(name string) bool {
	for label := range strings.SplitSeq(strings.ToLower(name), ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return len(name) <= 253
}
