// Package request is what is known about one HTTP request. Each step of its way fills in what it finds out, and the
// access log tells it. The JSON API and the pages share it.
package request

import (
	"context"
	"crypto/rand"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// Info is what is known about one request.
type Info struct {
	ID             string              // names it in the log and on error pages
	Person         desk.Person         // zero: none, or not looked for yet
	IdempotencyKey desk.IdempotencyKey // makes a repetition harmless; zero: not asked for
	Source         string              // address that the request came from
	Failure        error               // why it failed; for the log
	Connection     context.Context     // ends when the client goes, and has no other limit
}

type key struct{}

// With keeps the info in a context.
func With(ctx context.Context, info *Info) context.Context {
	return context.WithValue(ctx, key{}, info)
}

// Of returns the request's info. Every request has one; a context without is a defect, and panics.
func Of(ctx context.Context) *Info { return ctx.Value(key{}).(*Info) }

const maxID = 64

// ID keeps a request ID of a proxy, if it can do no harm in a log or a header, and draws one otherwise.
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
