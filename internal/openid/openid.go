// Package openid signs people in with an OpenID Connect provider: the authorization code flow with PKCE, a state and
// a nonce. It knows what to ask and whom to believe, and nothing of sessions, pages or people.
package openid

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	timeout     = 10 * time.Second // for one response of the provider
	attemptTime = 15 * time.Minute // for a person to sign in there
	clockSkew   = 2 * time.Minute  // between the provider's clock and ours
)

// Config is a provider and the credentials of this desk there.
type Config struct {
	Issuer       string // its URL, below which discovery is
	ClientID     string
	ClientSecret string
	Name         string // for the button
	Callback     string // the URL to which it redirects people
}

// Provider is an OpenID Connect provider with which staff may sign in. It is safe for concurrent use.
type Provider struct {
	config Config
	client *http.Client

	mu    sync.Mutex
	known *oidc.Provider
}

// New returns a provider without contacting it, because it may be unavailable while the desk starts.
func New(c Config) *Provider {
	return &Provider{config: c, client: &http.Client{Timeout: timeout}}
}

// Name returns the name for the sign-in button.
func (p *Provider) Name() string { return p.config.Name }

// Attempt is the secret state of a sign-in until the provider redirects the person back.
type Attempt struct {
	State, Nonce, Verifier string
	Until                  time.Time
	Again                  bool // an existing session at the provider is not enough
}

// Begin returns the URL at which a person signs in; again makes the provider authenticate them even if they are signed in
// there. It returns an Unavailable fault if the provider does not respond.
func (p *Provider) Begin(ctx context.Context, again bool) (to string, a Attempt, err error) {
	flow, _, err := p.discover(ctx)
	if err != nil {
		return "", Attempt{}, err
	}
	a = Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Until: time.Now().Add(attemptTime), Again: again}
	options := []oauth2.AuthCodeOption{oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)}
	if again {
		options = append(options, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return flow.AuthCodeURL(a.State, options...), a, nil
}

// Finish returns the identity in the provider's answer to an attempt. It returns a Forbidden fault if the answer belongs to
// another attempt, is late or a refusal, and an Unavailable one if the provider does not respond.
func (p *Provider) Finish(ctx context.Context, a Attempt, answer url.Values) (account.Identity, error) {
	switch {
	case a.State == "" || subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(a.State)) != 1:
		return account.Identity{}, refused(fmt.Errorf("state %q is not the attempt's", answer.Get("state")))
	case time.Now().After(a.Until):
		return account.Identity{}, refused(fmt.Errorf("the attempt ended at %s", a.Until))
	case answer.Get("code") == "":
		return account.Identity{}, refused(fmt.Errorf("no code: %s %s", answer.Get("error"), answer.Get("error_description")))
	}
	flow, provider, err := p.discover(ctx)
	if err != nil {
		return account.Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := flow.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return account.Identity{}, refused(fmt.Errorf("exchange the code: %w", err))
	}
	raw, _ := token.Extra("id_token").(string)
	proof, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: p.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return account.Identity{}, refused(fmt.Errorf("verify the ID token: %w", err))
	}
	if subtle.ConstantTimeCompare([]byte(proof.Nonce), []byte(a.Nonce)) != 1 {
		return account.Identity{}, refused(fmt.Errorf("the ID token's nonce is not the attempt's"))
	}
	return identity(proof, a)
}

// identity trusts an address only if the provider has verified it, and a repeated sign-in only if the provider says when it
// was. A provider must say so if the request contains max_age (OpenID Connect Core, 3.1.2.1); otherwise max_age may have been
// removed from the request.
func identity(proof *oidc.IDToken, a Attempt) (account.Identity, error) {
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
		AuthTime int64  `json:"auth_time"` // zero: the provider does not say
	}
	if err := proof.Claims(&claims); err != nil {
		return account.Identity{}, refused(fmt.Errorf("read the claims: %w", err))
	}
	begun := a.Until.Add(-attemptTime - clockSkew)
	if a.Again && time.Unix(claims.AuthTime, 0).Before(begun) {
		return account.Identity{}, refused(fmt.Errorf("signed in there at %d, before the attempt", claims.AuthTime))
	}
	i := account.Identity{Issuer: proof.Issuer, Subject: proof.Subject}
	if claims.AuthTime > 0 {
		i.SignedIn = time.Unix(claims.AuthTime, 0)
	}
	if claims.Verified {
		i.Address = claims.Email
	}
	return i, nil
}

func refused(cause error) error {
	return fault.Wrap(cause, fault.Forbidden, "the sign-in there failed; try again")
}

// discover requests the provider's endpoints until it has responded once.
func (p *Provider) discover(ctx context.Context) (oauth2.Config, *oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil {
		found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
		if err != nil {
			return oauth2.Config{}, nil, fault.Wrap(err, fault.Unavailable, "signing in there is not possible at the moment; use your password or a sign-in link")
		}
		p.known = found
	}
	return oauth2.Config{
		ClientID: p.config.ClientID, ClientSecret: p.config.ClientSecret, Endpoint: p.known.Endpoint(),
		RedirectURL: p.config.Callback, Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, p.known, nil
}
