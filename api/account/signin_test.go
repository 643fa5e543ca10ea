package account_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestRegister_verifyAndSignIn(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.get("/register").wants(t, 200, "Create an account")
	a := b.post("/register", "name", "Demo Newcomer", "address", "not an address")
	a.wants(t, 422, "Must be an email address.")
	if a.Find("#address").AttrOr("value", "") != "not an address" || a.Find("#name").AttrOr("value", "") != "Demo Newcomer" ||
		a.Find("#address").AttrOr("aria-invalid", "") != "true" {
		t.Errorf("the typed values are lost: %s", a.body)
	}
	b.post("/register", "name", "Demo Newcomer", "address", "new@demo.example").leads(t, "/sign-in/sent?for=register")
	b.get("/sign-in/sent?for=register").wants(t, 200, "a confirmation link")
	link := s.mailed("verify", "new@demo.example")
	for range 3 { // a mail scanner looks, and uses nothing up
		s.browser().get(link).wants(t, 200, "new@demo.example", "Create account")
	}
	b.post(link, "name", "Demo Newcomer", "password", "short").wants(t, 422, "12 characters or more")
	b.post(link, "name", "Demo Newcomer", "password", secret).leads(t, "/dashboard")
	if got := b.signedIn(); got != "new@demo.example" {
		t.Errorf("signed in is %q", got)
	}
	b.post(link, "name", "Demo Newcomer", "password", secret).wants(t, 404, "This link is no longer valid")
	b.get(link).wants(t, 404, "This link is no longer valid")
	again := s.browser()
	again.post("/sign-in", "address", "new@demo.example", "password", secret).leads(t, "/dashboard")
	again.post("/sign-out").leads(t, "/")
	if got := again.signedIn(); got != "" {
		t.Errorf("after signing out: %q", got)
	}
}

func TestSignIn_redirectsOnlyWithinTheSite(t *testing.T) {
	s := open(t)
	s.setPassword(s.customer)
	s.setPassword(s.agent)
	for next, want := range map[string]string{
		"": "/dashboard", "/tickets/HM-0000000000?a=b": "/tickets/HM-0000000000?a=b",
		"https://evil.example": "/dashboard", "//evil.example": "/dashboard", `/\evil.example`: "/dashboard", "/\t/evil.example": "/dashboard",
		"/\n/evil.example": "/dashboard", "javascript:alert(1)": "/dashboard", "evil.example": "/dashboard", "/%zz": "/dashboard",
		"/" + strings.Repeat("a", 2000): "/dashboard",
	} {
		b := s.browser()
		b.post("/sign-in", "address", s.customer.Address, "password", secret, "next", next).leads(t, want)
		b.get("/sign-in?next="+strings.NewReplacer("\t", "%09", "\n", "%0A", `\`, "%5C", "?", "%3F", "%z", "%25z").Replace(next)).leads(t, want)
	}
	s.browser().post("/sign-in", "address", s.agent.Address, "password", secret).leads(t, "/desk")
	a := s.browser().get("/account")
	a.leads(t, "/sign-in?next=%2Faccount")
	form := s.browser().get(a.to)
	if got := form.Find("input[name=next]").AttrOr("value", ""); got != "/account" {
		t.Errorf("next is %q", got)
	}
}

// Responses must not depend on whether the address is known.
func TestPages_doNotRevealWhetherAnAccountExists(t *testing.T) {
	s := open(t)
	s.setPassword(s.customer)
	for _, path := range []string{"/sign-in", "/sign-in/link", "/reset", "/register"} {
		var seen []string
		for _, address := range []string{"customer@demo.example", "stranger@demo.example"} {
			a := s.browser().post(path, "address", address, "password", "seventeen yellow bicycles", "name", "Demo")
			seen = append(seen, fmt.Sprint(a.status, a.to, strings.ReplaceAll(a.Find("main").Text(), address, "")))
		}
		if seen[0] != seen[1] {
			t.Errorf("%s differs for known and unknown addresses:\n%s\n%s", path, seen[0], seen[1])
		}
	}
	s.browser().post("/sign-in", "address", s.customer.Address, "password", "seventeen yellow bicycles").
		wants(t, 422, "The address or the password is wrong.")
}

func TestSignIn_isLimited(t *testing.T) {
	s := open(t)
	s.setPassword(s.customer)
	b := s.browser()
	for range 10 {
		b.post("/sign-in", "address", s.customer.Address, "password", "seventeen yellow bicycles").wants(t, 422)
	}
	a := b.post("/sign-in", "address", s.customer.Address, "password", secret)
	a.wants(t, 429, "Too many attempts")
	if after, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil || after < 1 {
		t.Errorf("it may be tried again after %q seconds", a.header.Get("Retry-After"))
	}
	if a.Find("#address").AttrOr("value", "") != s.customer.Address || strings.Contains(a.body, secret) {
		t.Error("the form does not come back with the address alone")
	}
}

func TestLink_worksOnceUnderConcurrency(t *testing.T) {
	s := open(t)
	b := s.browser()
	b.post("/sign-in/link", "address", s.customer.Address, "next", "/tickets/new").leads(t, "/sign-in/sent?for=link")
	link := s.mailed("sign-in", s.customer.Address)
	a := b.get(link)
	a.wants(t, 200, "You are about to sign in as customer@demo.example.")
	if a.header.Get("Cache-Control") != "no-store" || a.Find("form[method=post] button").Text() != "Sign in" {
		t.Errorf("the link's page: %v %s", a.header, a.body)
	}
	var in atomic.Int32
	var group sync.WaitGroup
	for range 6 {
		other := s.browser()
		group.Go(func() {
			if a := other.post(link); a.status == http.StatusSeeOther {
				in.Add(1)
			}
		})
	}
	group.Wait()
	if in.Load() != 1 {
		t.Errorf("one link signed in %d browsers", in.Load())
	}
	b.post("/sign-in/link", "address", s.customer.Address, "next", "/tickets/new").leads(t, "/sign-in/sent?for=link")
	b.post(s.mailed("sign-in", s.customer.Address)).leads(t, "/tickets/new") // where they were going
}

func TestLink_rejectsInvalidLinks(t *testing.T) {
	s := open(t)
	for _, token := range []string{"x", strings.Repeat("A", 69), strings.Repeat("A", 20000), "%00", "..%2f..%2faccount", "%ff%fe"} {
		for _, a := range []answer{s.browser().get("/link/" + token), s.browser().post("/link/"+token, "password", secret)} {
			if a.status != 404 && a.status != 400 {
				t.Errorf("%.20s: %d %s", token, a.status, a.Find("main").Text())
			}
		}
	}
}

func TestForms_rejectLargeAndCrossOriginRequests(t *testing.T) {
	s := open(t)
	big := strings.Repeat("a", 10<<20)
	for _, path := range []string{"/sign-in", "/sign-in/link", "/register", "/reset"} {
		s.browser().post(path, "address", "customer@demo.example", "password", big).wants(t, 413)
		r, err := http.NewRequestWithContext(t.Context(), "POST", s.server.URL+path, strings.NewReader("address=customer%40demo.example"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://evil.example")
		s.browser().do(r).wants(t, 403)
	}
	long := strings.Repeat("ü", 5000)
	s.browser().post("/sign-in", "address", s.customer.Address, "password", long).wants(t, 422)
	s.browser().post("/register", "name", long, "address", long+"@demo.example").wants(t, 422)
	s.browser().post("/register", "name", "<script>alert(1)</script>", "address", `"><script>alert(1)</script>`).wants(t, 422)
	s.browser().post("/register", "name", "nul\x00", "address", "nul\x00@demo.example").wants(t, 422)
	s.browser().post("/sign-in", "address", "nul\x00@demo.example", "password", "nul\x00").wants(t, 422)
	s.browser().post("/sign-in/link", "address", "nul\x00@demo.example").wants(t, 422, "Must be an email address")
	s.browser().post("/reset", "address", "nobody").wants(t, 422, "Must be an email address")
	s.browser().post("/sign-in", "address", "\xff\xfe", "password", "\xff").wants(t, 422)
}

func TestSignIn_worksOnAKnownDeviceDespiteAnAttack(t *testing.T) {
	s := open(t)
	s.setPassword(s.customer)
	b := s.browser()
	b.post("/sign-in", "address", s.customer.Address, "password", secret).leads(t, "/dashboard")
	b.post("/sign-out").leads(t, "/")
	stranger := s.browser()
	for range 10 {
		stranger.post("/sign-in", "address", s.customer.Address, "password", "wrong and long enough").wants(t, 422)
	}
	stranger.post("/sign-in", "address", s.customer.Address, "password", secret).wants(t, 429, "request a sign-in link by email instead")
	b.post("/sign-in", "address", s.customer.Address, "password", secret).leads(t, "/dashboard")
}
