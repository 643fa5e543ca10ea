package account_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// age moves the sign-in time of every session into the past.
func (s *fixture) age(by time.Duration) {
	s.t.Helper()
	rows, err := s.beside.Query(s.t.Context(), `SELECT hash, data FROM sessions WHERE expires_at > clock_timestamp() AND data <> ''`)
	if err != nil {
		s.t.Fatal(err)
	}
	changed := map[string][]byte{}
	for rows.Next() {
		var hash string
		var data []byte
		if err := rows.Scan(&hash, &data); err != nil {
			s.t.Fatal(err)
		}
		deadline, values, err := scs.GobCodec{}.Decode(data)
		if err != nil {
			s.t.Fatal(err)
		}
		if since, ok := values["since"].(int64); ok {
			values["since"] = since - int64(by/time.Second)
		}
		if changed[hash], err = (scs.GobCodec{}).Encode(deadline, values); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	for hash, data := range changed {
		if _, err := s.beside.Exec(s.t.Context(), `UPDATE sessions SET data = $2 WHERE hash = $1`, hash, data); err != nil {
			s.t.Fatal(err)
		}
	}
}

// notChanged checks that the customer's account is unchanged.
func (s *fixture) notChanged() {
	s.t.Helper()
	var n int
	if err := s.beside.QueryRow(s.t.Context(), `SELECT (SELECT count(*) FROM tokens) + (SELECT count(*) FROM links WHERE purpose = 'address')
		+ (SELECT count(*) FROM passwords)`).Scan(&n); err != nil || n != 0 {
		s.t.Fatalf("a session alone changed the account: %d, %v", n, err)
	}
}

func TestSession_oldOneRequiresReauthenticationAndKeepsTheForm(t *testing.T) {
	s := open(t)
	b := s.as(s.customer) // without a password
	s.age(16 * time.Minute)
	const again = "/sign-in/again?next=%2Faccount"
	form := b.get("/account")
	b.send(form, "/account/addresses", "address", "next@demo.example").leads(t, again)
	b.send(form, "/account/password", "password", secret).leads(t, again)
	b.send(form, "/account/tokens", "label", "Laptop <1>", "scope", "write", "current", "hush").leads(t, again)
	if tables := append(s.tablesContaining("hush"), s.tablesContaining(url.QueryEscape(secret))...); len(tables) > 0 || len(s.tablesContaining("Laptop")) == 0 {
		t.Errorf("a secret is stored in clear in %v, or the form is not stored", tables)
	}
	s.notChanged()
	a := b.get(again)
	a.wants(t, 200, "Sign in again", s.customer.Address)
	if a.Find("#current").Length() != 0 {
		t.Error("it asks for a password although there is none")
	}
	b.post("/sign-in/link", "address", s.customer.Address, "next", "/account").leads(t, "/sign-in/sent?for=link")
	b.post(s.mailed("sign-in", s.customer.Address)).leads(t, "/account")
	a = b.get("/account")
	a.wants(t, 200, "What you typed is back and has not been sent yet", "so nothing has been done yet")
	s.notChanged()
	if strings.Contains(b.get("/account").Text(), "nothing has been done yet") {
		t.Error("the notice about the password is shown twice")
	}
	if got := a.Find(`form[action="/account/addresses"] #address`).AttrOr("value", ""); got != "next@demo.example" {
		t.Errorf("the typed address is lost: %q", got)
	}
	if a.Find("#label").AttrOr("value", "") != "Laptop <1>" || a.Find("#scope option[selected]").AttrOr("value", "") != "write" {
		t.Errorf("the typed values are lost: %s", a.Find("#h-tokens").Parent().Text())
	}
	if strings.Contains(a.body, "hush") || strings.Contains(a.body, secret) {
		t.Error("a secret is shown again")
	}
	b.send(a, "/account/tokens", "label", "Laptop <1>", "scope", "write").wants(t, 200, "Copy it now")
	if got := b.get("/account").Find("#label").AttrOr("value", ""); got != "" {
		t.Errorf("the form is restored a second time, with %q", got)
	}
}

func TestSignOutEverywhere_doesNotRenewTheSignIn(t *testing.T) {
	s := open(t)
	b := s.as(s.customer)
	s.age(16 * time.Minute)
	b.post("/account/sign-out-everywhere").leads(t, "/account")
	b.post("/account/tokens", "label", "Laptop", "scope", "write").leads(t, "/sign-in/again?next=%2Faccount")
}

func TestAdministrators_mustReauthenticate(t *testing.T) {
	s := open(t)
	s.setPassword(s.administrator)
	b := s.as(s.administrator)
	if err := s.service.Invite(t.Context(), s.administrator, desk.Person{Role: ticket.RoleAgent, Name: "Demo", Address: "x@demo.example"}); err != nil {
		t.Fatal(err)
	}
	off, _ := b.get("/people").Find(`form[action$="/withdrawal"]`).Attr("action")
	s.age(16 * time.Minute)
	list := b.get("/people")
	list.wants(t, 200) // looking is not doing
	id := string(s.agent.ID)
	b.post("/people/"+id+"/enable").leads(t, "/sign-in/again?next=%2Fpeople")
	b.send(list, off).leads(t, "/sign-in/again?next=%2Fpeople")
	b.send(b.get("/people/"+id+"/disable?from=/people"), "/people/"+id+"/disable").
		leads(t, "/sign-in/again?next="+url.QueryEscape("/people/"+id+"/disable?from=/people"))
	b.send(b.get("/people?q=demo"), "/people/"+id+"/role", "role", "supervisor").leads(t, "/sign-in/again?next=%2Fpeople%3Fq%3Ddemo")
	b.send(list, "/people", "role", "administrator", "name", "Demo Thief", "address", "thief@demo.example",
		"written-on", "https://evil.example").leads(t, "/sign-in/again?next=%2Fpeople")
	if open, err := s.service.Invitations(t.Context(), s.administrator); err != nil || len(open) != 1 {
		t.Fatalf("a session alone changes invitations: %+v, %v", open, err)
	}

	b.post("/sign-in/again", "current", "wrong and long enough", "next", "/people").wants(t, 422, "Is not your password.")
	b.post("/sign-in/again", "current", secret, "next", "/people").leads(t, "/people")
	a := b.get("/people")
	a.wants(t, 200, "What you typed is back and has not been sent yet", "so nothing has been done yet")
	if a.Find("#name").AttrOr("value", "") != "Demo Thief" || a.Find("#address").AttrOr("value", "") != "thief@demo.example" ||
		a.Find("#role option[selected]").Text() != "administrator" {
		t.Error("the typed values are lost")
	}
	b.send(b.get("/people?q=agent"), "/people/"+id+"/role", "role", "supervisor").leads(t, "/people?q=agent")

	// A stored form must not be shown to the next person in the same browser.
	s.age(16 * time.Minute)
	b.send(b.get("/people?q=agent"), "/people/"+id+"/role", "role", "administrator").leads(t, "/sign-in/again?next=%2Fpeople%3Fq%3Dagent")
	b.post("/sign-in/again", "current", secret, "next", "/people?q=agent").leads(t, "/people?q=agent")
	a = b.get("/people?q=agent")
	if a.Find("table .notice").Length() != 0 {
		t.Error("the notice is inside a row")
	}
	a.wants(t, 200, "What you typed is back")
	if got := a.Find(`select[aria-label="Role of Demo Agent"] option[selected]`).Text(); got != "administrator" {
		t.Errorf("the selected role is lost: %q", got)
	}
	s.age(16 * time.Minute)
	b.send(b.get("/people"), "/people", "role", "agent", "name", "Demo Left Behind", "address", "left@demo.example").leads(t, "/sign-in/again?next=%2Fpeople")
	other := s.add(ticket.RoleAdministrator, "Demo Other", "other@demo.example")
	link, err := s.service.CreateLink(t.Context(), other.Address, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	b.post(link).leads(t, "/desk")
	if strings.Contains(b.get("/people").body, "Left Behind") {
		t.Error("one person's form is shown to another")
	}
}

// A token is for the API and gives no access to pages.
func TestToken_cannotChangeTheAccount(t *testing.T) {
	s := open(t)
	token, err := s.db.IssueToken(t.Context(), s.administrator.ID, "a test")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.routes() {
		if r.Method != http.MethodPost || r.Access.Allows == nil {
			continue
		}
		request, err := http.NewRequestWithContext(t.Context(), r.Method, s.server.URL+r.Path, strings.NewReader(url.Values{"label": {"x"}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Authorization", "Bearer "+token)
		if a := s.browser().do(request); a.status != http.StatusUnauthorized {
			t.Errorf("%s by a token: %d", r.Path, a.status)
		}
	}
}

// What ends is what the page says.
func TestAccount_endsWhatThePageSays(t *testing.T) {
	s := open(t)
	s.setPassword(s.customer)
	for path, fields := range map[string][]string{
		"/account/password":            {"current", secret, "password", secret},
		"/account/sign-out-everywhere": nil,
	} {
		for _, keep := range []bool{false, true} {
			b, elsewhere := s.as(s.customer), s.as(s.customer)
			a := b.post("/account/tokens", "label", "Laptop", "scope", "write", "current", secret)
			token := a.Find("section[aria-labelledby=new-token] code").Text()
			mailed, err := s.service.CreateLink(t.Context(), s.customer.Address, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			section := b.get("/account").Find(`form[action="` + path + `"]`).Closest("section")
			text := section.Text()
			says := map[string]bool{
				"a session":       strings.Contains(text, "signed out everywhere else") || strings.Contains(text, "all other sessions end"),
				"a link":          strings.Contains(text, "links in our earlier emails stop working"),
				"a token":         strings.Contains(text, "so do your API tokens unless you keep them"),
				"a token is kept": section.Find(`input[name="keep-tokens"][type=checkbox]:not([checked])`).Length() == 1,
			}
			sent := append([]string{}, fields...)
			if keep {
				sent = append(sent, "keep-tokens", "yes")
			}
			b.post(path, sent...).leads(t, "/account")
			_, tokenErr := s.db.ByToken(t.Context(), token, true)
			done := map[string]bool{
				"a session": elsewhere.signedIn() == "", "a link": s.browser().get(mailed).status == 404,
				"a token": keep || fault.KindOf(tokenErr) == fault.Unauthenticated, "a token is kept": !keep || tokenErr == nil,
			}
			for what := range says {
				if !says[what] || !done[what] {
					t.Errorf("%s (keep %v), %s: page: %v, actual: %v: %s", path, keep, what, says[what], done[what], text)
				}
			}
			flash := b.get("/account").Find(".flash").Text()
			if strings.Contains(flash, "API tokens have been revoked") == keep || strings.Contains(flash, "API tokens still work") != keep {
				t.Errorf("afterwards (keep %v): %q", keep, flash)
			}
			if _, err := s.db.RevokeTokens(context.WithoutCancel(t.Context()), s.customer.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := s.beside.Exec(t.Context(), `DELETE FROM allowances`); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestReset_endsWhatThePageSays(t *testing.T) {
	s := open(t)
	for _, keep := range []bool{false, true} {
		token, err := s.db.IssueToken(t.Context(), s.customer.ID, "a test")
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := s.as(s.customer)
		if err := s.service.RequestReset(t.Context(), accounts.Browser{Source: "192.0.2.1"}, s.customer.Address); err != nil {
			t.Fatal(err)
		}
		link := s.mailed("reset", s.customer.Address)
		b := s.browser()
		b.get(link).wants(t, 200, "All its sessions end", "links in our earlier emails stop working",
			"so do your API tokens unless you keep them", "Keep my API tokens working")
		if keep {
			a := b.post(link, "password", "short", "keep-tokens", "yes")
			a.wants(t, 422)
			if _, checked := a.Find("#keep-tokens").Attr("checked"); !checked {
				t.Error("the check box is no longer checked")
			}
			b.post(link, "password", secret, "keep-tokens", "yes").leads(t, "/dashboard")
		} else {
			b.post(link, "password", secret).leads(t, "/dashboard")
		}
		if _, err := s.db.ByToken(t.Context(), token, true); keep != (err == nil) {
			t.Errorf("keep %v: the token: %v", keep, err)
		}
		if got := elsewhere.signedIn(); got != "" {
			t.Errorf("%s is signed in elsewhere", got)
		}
	}
}

func TestEvents_pageForAdministrators(t *testing.T) {
	s := open(t)
	s.browser().post("/sign-in", "address", s.agent.Address, "password", "wrong and long enough").wants(t, 422)
	b := s.as(s.administrator)
	b.get("/people").wants(t, 200, "Security events")
	a := b.get("/people/events")
	a.wants(t, 200, "Sign-in failed", "Demo Agent", "127.0.0.1", "Go-http-client", "command line", "Signed in")
	a = b.get("/people/events?kind=sign-in-failed&person=" + url.QueryEscape(s.agent.Address))
	a.wants(t, 200, "Sign-in failed")
	if n := a.Find("tbody tr").Length(); n != 1 || a.Find("select[name=kind] option[selected]").AttrOr("value", "") != "sign-in-failed" {
		t.Errorf("%d events", n)
	}
	b.get("/people/events?person=nobody").wants(t, 200, "No event matches")
	for range 60 {
		if err := s.service.SignedOut(t.Context(), s.agent); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	for path := "/people/events?kind=signed-out"; path != ""; {
		a := b.get(path)
		seen += a.Find("tbody tr").Length()
		path = a.Find(`a:contains("Next page")`).AttrOr("href", "")
	}
	if seen != 60 {
		t.Errorf("%d events on all pages, want 60", seen)
	}
	b.get("/people/events?before=nonsense").wants(t, 200)
	for _, kind := range accounts.EventKinds() {
		if text := a.Find(`select[name=kind] option[value="` + string(kind) + `"]`).Text(); text == "" || text == string(kind) {
			t.Errorf("%s has no label", kind)
		}
	}
}
