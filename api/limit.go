package api

import (
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Tracking by number is open to everybody, and so is limited: by the second, and at once, for each source.
const (
	trackRate  = rate.Limit(5)
	trackBurst = 30
)

// throttle refuses a source that asks too often. Neither gin nor huma limits rates.
func (s *server) throttle(ctx huma.Context, next func(huma.Context)) {
	if !s.sources.Allow(request.Of(ctx.Context()).Source) {
		s.fail(humagin.Unwrap(ctx), fault.New(fault.Limited, "that was too often; try again in a moment"))
		return
	}
	next(ctx)
}
