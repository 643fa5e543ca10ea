package api

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Limits for each source of operations that anyone may call: requests per second, and the burst.
const (
	trackRate  = rate.Limit(5)
	trackBurst = 30
)

// throttle is middleware that rejects requests of a source beyond its rate limit. Neither gin nor huma has one.
func (s *server) throttle(ctx huma.Context, next func(huma.Context)) {
	if !s.sources.Allow(request.Of(ctx.Context()).Source) {
		s.fail(humagin.Unwrap(ctx), fault.New(fault.Limited, "too many requests; try again in a moment"))
		return
	}
	next(ctx)
}
