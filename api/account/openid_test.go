package account_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/url"
	"strings"
	"testing"
	"time"
)

// signInWithOpenID follows the button to the provider and back, and returns the response.
func (b *browser) signInWithOpenID(t *testing.T, next string) answer {
	t.Helper()
	a := b.get("/sign-in/openid?next=" + url.QueryEscape(next))
	if a.status != 303 {
		t.Fatalf("%d %s", a.status, a.Find("main").Text())
	}
	back := b.get(a.to)
	if back.status != 302 {
		t.Fatalf("the provider answers %d %s", back.status, back.body)
	}
	return b.get(back.to)
}

func TestOpenID_signsInVerifiedStaff(t *testing.T) {
	i := newIssuer(t)
	s := openWith(t, i)
	b := s.browser()
	b.get("/sign-in?next=/desk").wants(t, 200, "Sign in with Demo ID")
	i.is("u-1", s.agent.Address, true)
	b.signInWithOpenID(t, "/desk?queue=mine").leads(t, "/desk?queue=mine")
	if got := b.signedIn(); got != s.agent.Address {
		t.Errorf("signed in is %q", got)
	}
	i.is("u-1", "renamed@demo.example", false) // from then on the subject says who it is
	again := s.browser()
	again.signInWithOpenID(t, "https://evil.example").leads(t, "/desk")
	if got := again.signedIn(); got != s.agent.Address {
		t.Errorf("signed in is %q", got)
	}
}

func TestOpenID_rejectsOthers(t *testing.T) {
	i := newIssuer(t)
	s := openWith(t, i)
	disabled := s.add("agent", "Demo Gone", "gone@demo.example")
	if err := s.db.DisablePerson(t.Context(), disabled.ID); err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, describe := range map[string]func(){
		"an address that is not verified": func() { i.is("u-2", s.agent.Address, false) },
		"a customer":                      func() { i.is("u-3", s.customer.Address, true) },
		"unknown":                         func() { i.is("u-4", "nobody@demo.example", true) },
		"a disabled account":              func() { i.is("u-5", disabled.Address, true) },
		"who was denied there":            func() { i.is("u-6", s.agent.Address, true); i.denies = true },
		"another's signature":             func() { i.is("u-7", s.agent.Address, true); i.key2 = stranger },
		"another's token": func() {
			i.is("u-8", s.agent.Address, true)
			i.forge = func(c map[string]any) { c["aud"] = "another client" }
		},
		"a token of another attempt": func() {
			i.is("u-9", s.agent.Address, true)
			i.forge = func(c map[string]any) { c["nonce"] = "of another" }
		},
		"a token that is too old": func() {
			i.is("u-10", s.agent.Address, true)
			i.forge = func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }
		},
		"another issuer's": func() {
			i.is("u-11", s.agent.Address, true)
			i.forge = func(c map[string]any) { c["iss"] = "https://evil.example" }
		},
	} {
		describe()
		b := s.browser()
		a := b.signInWithOpenID(t, "")
		if a.status != 403 || a.Find(".problem").Text() == "" || strings.Contains(a.body, "nonce") {
			t.Errorf("%s: %d %s", name, a.status, a.Find("main").Text())
		}
		if got := b.signedIn(); got != "" {
			t.Errorf("%s was signed in as %q", name, got)
		}
	}
}

// A link that an attacker prepared must not sign their victim in as the attacker, and a code createTickets once.
func TestOpenID_completesOnlyInTheSameBrowser(t *testing.T) {
	i := newIssuer(t)
	s := openWith(t, i)
	i.is("u-1", s.agent.Address, true)
	attacker, victim := s.browser(), s.browser()
	back := attacker.get(attacker.get("/sign-in/openid").to).to
	victim.get(back).wants(t, 403, "started in another browser")
	victim.get("/sign-in/openid")
	victim.get(back).wants(t, 403) // the state is of another attempt
	if got := victim.signedIn(); got != "" {
		t.Errorf("the victim is signed in as %q", got)
	}
	attacker.get(back).leads(t, "/desk")
	again := s.browser()
	again.get(back).wants(t, 403)
	attacker.get(back).wants(t, 403)
}

// Each attempt is stored, so their rate is limited.
func TestOpenID_isLimitedBySource(t *testing.T) {
	s := openWith(t, newIssuer(t))
	const asked = 100
	begun := 0
	for range asked {
		if a := s.browser().get("/sign-in/openid"); a.status == 303 {
			begun++
		} else if a.status != 429 {
			t.Fatalf("begun %d times: %d", begun, a.status)
		}
	}
	if begun < 30 || begun == asked {
		t.Errorf("one source has begun %d of %d times", begun, asked)
	}
}

func TestOpenID_requiresConfiguration(t *testing.T) {
	s := open(t)
	a := s.browser().get("/sign-in")
	if strings.Contains(a.body, "openid") {
		t.Error("the button is shown")
	}
	s.browser().get("/sign-in/openid").wants(t, 404)
	s.browser().get("/sign-in/openid/callback?code=x&state=y").wants(t, 404)
}

func TestOpenID_reportsAnOutageOfTheProvider(t *testing.T) {
	i := newIssuer(t)
	s := openWith(t, i)
	i.server.Close()
	s.browser().get("/sign-in/openid").wants(t, 503, "use your password or a sign-in link")
	s.setPassword(s.agent)
	s.browser().post("/sign-in", "address", s.agent.Address, "password", secret).leads(t, "/desk")
}

// Reauthentication requires a new sign-in at the provider: an open session there is not enough.
func TestOpenID_reauthenticatesAtTheProvider(t *testing.T) {
	s := openWith(t, newIssuer(t))
	if a := s.browser().get("/sign-in/openid"); a.status != 303 || strings.Contains(a.to, "prompt=") {
		t.Errorf("signing in leads to %s", a.to)
	}
	if a := s.as(s.agent).get("/sign-in/openid?next=/people"); !strings.Contains(a.to, "prompt=login") || !strings.Contains(a.to, "max_age=0") {
		t.Errorf("signing in again leads to %s", a.to)
	}
}

// An old or undated authentication at the provider signs a person in but does not count as recent, and it is rejected for
// reauthentication, even if the request was tampered with.
func TestOpenID_oldAuthenticationIsNotRecent(t *testing.T) {
	for name, c := range map[string]struct {
		proved any
		recent bool
	}{
		"just now":     {time.Now().Unix(), true},
		"hours ago":    {time.Now().Add(-3 * time.Hour).Unix(), false},
		"does not say": {nil, false},
	} {
		i := newIssuer(t)
		s := openWith(t, i)
		i.is("u-1", s.administrator.Address, true)
		i.claims["auth_time"] = c.proved
		b := s.browser()
		b.signInWithOpenID(t, "/people").leads(t, "/people")
		a := b.post("/people", "name", "Demo Agent Two", "address", "two@demo.example", "role", "agent", "handle", "two")
		if asked := strings.HasPrefix(a.to, "/sign-in/again"); asked == c.recent {
			t.Errorf("%s: an invitation leads to %s", name, a.to)
		}
		i.claims["auth_time"] = c.proved
		again := b.signInWithOpenID(t, "/people") // signed in: they have to prove it again
		if in := again.status == 303; in != c.recent {
			t.Errorf("%s: signing in again is answered with %d", name, again.status)
		}
	}
}
