package api

import (
	"context"
	"crypto/rand"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// visit is what is known about one request. Each step of its way fills in what it finds out.
type visit struct {
	id      string      // of the request
	person  desk.Person // zero on routes for anyone
	once    desk.Once   // POST only
	source  string      // address that the request came from
	failure error       // why the answer is a problem; for the log
}

type visitKey struct{}

// visitOf gives the request's visit. Every request has one; a context without is a defect, and panics.
func visitOf(ctx context.Context) *visit { return ctx.Value(visitKey{}).(*visit) }

const maxRequestID = 64

// requestID keeps an ID that a proxy gave, if it can do no harm in a log or a header, and draws one otherwise.
func requestID(given string) string {
	if given == "" || len(given) > maxRequestID {
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
