// Package request contains what the JSON API and the website share: information about the current HTTP request, which
// middleware and handlers record for the access log; running commands; the statuses of faults; rate limits; and the
// interfaces of use cases.
package request

import (
	"context"
	"crypto/rand"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// Info is the information about one request.
type Info struct {
	ID             string              // identifies it in the log and on error pages
	Person         desk.Person         // zero: not signed in, or not identified yet
	IdempotencyKey desk.IdempotencyKey // zero: none was sent
	Source         string              // address that the request came from
	Failure        error               // why it failed; for the log
	Connection     context.Context     // ends when the client disconnects; has no time limit
}

type key struct{}

// With returns a context with the request's info.
func With(ctx context.Context, info *Info) context.Context {
	return context.WithValue(ctx, key{}, info)
}

// Of returns the info in a request's context. It panics if there is none, which is a programming error.
func Of(ctx context.Context) *Info { return ctx.Value(key{}).(*Info) }

const maxID = 64

// ID returns a proxy's request ID if it is safe in logs and headers, or else a new random one.
func ID(given string) string {
	if given == "" || len(given) > maxID {
		return rand.Text()
	}
	for _, c := range []byte(given) {
		word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !word && c != '-' && c != '_' && c != '.' {
			return rand.Text()
		}
	}
	return given
}
