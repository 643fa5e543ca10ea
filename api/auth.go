package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	bearer       = "bearer"
	challenge    = `Bearer realm="supportdesk"`
	badToken     = challenge + `, error="invalid_token"`
	maxTokenSize = 256
)

// The access rules of API routes. Most are those of the pages.
var (
	anyone         = page.Anyone
	optionalSignIn = page.Access{Who: "Anyone, without signing in. Staff who sign in see more.", Greets: true}
	relays         = page.Access{Who: "Mail relays, which sign their requests.", Signs: true}
	signedIn       = page.SignedIn
	customers      = page.Access{Who: "Customers, for their own tickets.", Allows: page.Customers.Allows}
	colleagues     = page.Staff
	supervisors    = page.Supervisors
)

// authorise returns middleware that rejects a request unless the rule allows its person's role. It runs before the
// request's body is read.
func (s *server) authorise(rule page.Access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if rule.Allows != nil {
			person, err := s.identify(ctx.Context(), humagin.Unwrap(ctx).Request)
			if err == nil && !rule.Allows(person.Role) {
				err = fault.New(fault.Forbidden, "you don't have permission to do this")
			}
			if err != nil {
				s.fail(humagin.Unwrap(ctx), err)
				return
			}
		}
		if rule.Greets {
			_, _ = s.identify(ctx.Context(), humagin.Unwrap(ctx).Request) // an unknown person is served as anyone
		}
		next(ctx)
	}
}

// identify returns the person whose token or session came with the request, and records them in its request.Info. A
// token takes precedence over a session.
func (s *server) identify(ctx context.Context, r *http.Request) (desk.Person, error) {
	if s.Site != nil && len(r.Header.Values("Authorization")) == 0 {
		person, err := s.Site.Identify(r)
		if err != nil || person.ID != "" {
			request.Of(ctx).Person = person
			return person, err
		}
	}
	token, err := bearerToken(r.Header)
	if err != nil {
		return desk.Person{}, err
	}
	writes := r.Method != http.MethodGet && r.Method != http.MethodHead
	person, err := s.People.ByToken(ctx, token, writes)
	if fault.KindOf(err) == fault.Unauthenticated {
		return desk.Person{}, rejectedToken("the token is unknown, or no longer valid")
	}
	if err == nil {
		person.Token = true
		request.Of(ctx).Person = person
	}
	return person, err
}

func bearerToken(h http.Header) (string, error) {
	values := h.Values("Authorization")
	if len(values) == 0 {
		return "", fault.New(fault.Unauthenticated, "send a token: Authorization: Bearer …")
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.Trim(token, " ")
	if len(values) > 1 || !strings.EqualFold(scheme, bearer) || !visible(token, maxTokenSize) {
		return "", rejectedToken("the Authorization header contains no bearer token")
	}
	return token, nil
}

func rejectedToken(detail string) *Problem {
	p := newProblem(http.StatusUnauthorized, detail)
	p.challenge = badToken
	return p
}

// visible reports whether text is 1 to limit visible ASCII characters.
func visible(text string, limit int) bool {
	if text == "" || len(text) > limit {
		return false
	}
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}
