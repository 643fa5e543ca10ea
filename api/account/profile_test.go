package account_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/fault"
)

func TestAccount_changes(t *testing.T) {
	s := open(t)
	s.setPassword(s.customer)
	b, elsewhere := s.as(s.customer), s.as(s.customer)

	a := b.post("/account/name", "name", " ")
	a.wants(t, 422, "Must have 1 to 200 characters")
	b.post("/account/name", "name", "Demo Renamed").leads(t, "/account")
	b.get("/account").wants(t, 200, "Your name has been changed.", "Demo Renamed")

	a = b.post("/account/password", "current", "wrong and long enough", "password", "seventeen yellow bicycles")
	a.wants(t, 422, "Is not your password.")
	if strings.Contains(a.body, "bicycles") || a.Find("#password-current").AttrOr("aria-invalid", "") != "true" {
		t.Errorf("passwords came back, or the field at fault is not marked")
	}
	b.post("/account/password", "current", secret, "password", "short").wants(t, 422, "12 characters or more")
	b.post("/account/password", "current", secret, "password", "seventeen yellow bicycles").leads(t, "/account")
	if here, there := b.signedIn(), elsewhere.signedIn(); here != s.customer.Address || there != "" {
		t.Errorf("after a change of password: here %q, elsewhere %q", here, there)
	}

	b.post("/account/addresses", "current", "wrong and long enough", "address", "next@demo.example").wants(t, 422, "Is not your password.")
	b.post("/account/addresses", "current", "seventeen yellow bicycles", "address", "next@demo.example").leads(t, "/account")
	link := s.mailed("address", "next@demo.example")
	b.get(link).wants(t, 200, "customer@demo.example", "next@demo.example", "Add this address")
	b.post(link).leads(t, "/account")
	b.get("/account").wants(t, 200, "next@demo.example", "Make primary")
	b.post("/account/addresses/primary", "current", "wrong and long enough", "address", "next@demo.example").wants(t, 422, "Is not your password.")
	b.post("/account/addresses/primary", "current", "seventeen yellow bicycles", "address", "next@demo.example").leads(t, "/account")
	if got := b.signedIn(); got != "next@demo.example" {
		t.Errorf("the address is %q", got)
	}
	b.post("/account/addresses/removal", "address", s.customer.Address).wants(t, 422, "Is not your password.")
	b.post("/account/addresses/removal", "current", "seventeen yellow bicycles", "address", s.customer.Address).leads(t, "/account")
	b.get("/account").wants(t, 200, "The address has been removed")
	b.post("/account/addresses/removal", "current", "seventeen yellow bicycles", "address", s.customer.Address).wants(t, 422, "no longer one of your further addresses")
}

// The page says the same whether an address is free, a contact's or another account's.
func TestAccount_furtherAddressesRevealNobody(t *testing.T) {
	s := open(t)
	if _, err := s.db.EnsureContact(t.Context(), "", "Demo Contact", "contact@demo.example"); err != nil {
		t.Fatal(err)
	}
	b := s.as(s.customer) // without a password
	for _, address := range []string{"free@demo.example", "contact@demo.example", s.agent.Address} {
		b.post("/account/addresses", "address", address).leads(t, "/account")
		b.get("/account").wants(t, 200, "We have sent a link to that address.")
	}
	b.post(s.mailed("address", "contact@demo.example")).leads(t, "/account")
	b.get("/account").wants(t, 200, "contact@demo.example")
}

func TestAccount_staffHaveASignature(t *testing.T) {
	s := open(t)
	b := s.as(s.agent)
	b.post("/account/signature", "signature", strings.Repeat("é", 1001)).wants(t, 422, "at most 1000 characters")
	b.post("/account/signature", "signature", "a \x00 b").wants(t, 422, "plain text")
	b.post("/account/signature", "signature", "Parcels\r\nDesk\r\n").leads(t, "/account")
	b.get("/account").wants(t, 200, "Your signature has been saved.", "Parcels\nDesk")
	customer := s.as(s.customer)
	customer.post("/account/signature", "signature", "Me").wants(t, 422, "Only staff have a signature.")
	if customer.get("/account").Find("#signature").Length() != 0 {
		t.Error("customers are offered a signature")
	}
}

// The owner of an address whom a stranger asks to confirm it can't give it to them.
func TestLink_toAnAddressIsForTheAccountThatAskedForIt(t *testing.T) {
	s := open(t)
	if _, err := s.db.EnsureContact(t.Context(), "", "Demo Contact", "contact@demo.example"); err != nil {
		t.Fatal(err)
	}
	b := s.as(s.customer)
	b.post("/account/addresses", "address", "contact@demo.example").leads(t, "/account") // who has no password has none to prove
	link := s.mailed("address", "contact@demo.example")
	owner, other := s.browser(), s.as(s.agent)
	page := owner.get(link)
	page.wants(t, 200, "Only that account can add it.", "If you didn’t ask for this")
	if next := page.Find("main a.button").AttrOr("href", ""); next != "/sign-in?next="+url.QueryEscape(link) {
		t.Errorf("it leads to %q to sign in", next)
	}
	other.get(link).wants(t, 200, "You are signed in as "+s.agent.Address+", so sign out first.")
	for name, stranger := range map[string]*browser{"the owner": owner, "another account": other} {
		if a := stranger.get(link); a.Find("main form").Length() > 0 {
			t.Errorf("%s is offered to add it", name)
		}
		stranger.post(link).wants(t, 422, "This link belongs to another account.")
	}
	if got := owner.signedIn(); got != "" {
		t.Errorf("it signed in %q", got)
	}
	b.post(link).leads(t, "/account")
	b.get("/account").wants(t, 200, "contact@demo.example is now one of your addresses.")
}

func TestSignOutEverywhere_keepsTheCurrent(t *testing.T) {
	s := open(t)
	b, elsewhere := s.as(s.customer), s.as(s.customer)
	b.post("/account/sign-out-everywhere").leads(t, "/account")
	if here, there := b.signedIn(), elsewhere.signedIn(); here != s.customer.Address || there != "" {
		t.Errorf("here %q, elsewhere %q", here, there)
	}
}

// tablesContaining returns the tables that contain a text.
func (s *fixture) tablesContaining(text string) (tables []string) {
	s.t.Helper()
	rows, err := s.beside.Query(s.t.Context(), `SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	for _, table := range all {
		var found bool // bytes are looked through as such, and not as the digits that they are written in
		query := fmt.Sprintf(`SELECT EXISTS (SELECT FROM %s r, LATERAL (SELECT to_jsonb(r) AS row) j, jsonb_each_text(j.row) f
			WHERE strpos(f.value, $1) > 0 OR strpos(f.value, encode($1::bytea, 'hex')) > 0)`, pgx.Identifier{table}.Sanitize())
		if err := s.beside.QueryRow(s.t.Context(), query, text).Scan(&found); err != nil {
			s.t.Fatal(err)
		}
		if found {
			tables = append(tables, table)
		}
	}
	return tables
}

func TestTokens_areShownOnceAndRevoked(t *testing.T) {
	s := open(t)
	b := s.as(s.customer)
	b.post("/account/tokens", "label", "", "scope", "read").wants(t, 422, "Must have 1 to 80 characters")
	once := b.get("/account").Find(`form[action="/account/tokens"] [name=idempotency_key]`).AttrOr("value", "")
	a := b.post("/account/tokens", "idempotency_key", once, "label", "Laptop <1>", "scope", "read")
	a.wants(t, http.StatusOK, "Laptop <1>", "Copy it now")
	token := a.Find("section[aria-labelledby=new-token] code").Text()
	if a.header.Get("Cache-Control") != "no-store" {
		t.Error("a browser may keep the page that shows the token")
	}
	b.post("/account/tokens", "idempotency_key", once, "label", "Laptop <1>", "scope", "read").leads(t, "/account") // a double click, or a reload
	a = b.get("/account")
	a.wants(t, http.StatusOK, "Laptop <1>", "That token has already been created")
	if n := a.Find(`form[action$="/revocation"]`).Length(); n != 1 {
		t.Errorf("the form made %d tokens", n)
	}
	if p, err := s.db.ByToken(t.Context(), token, false); err != nil || p.ID != s.customer.ID {
		t.Fatalf("the token %q: %+v, %v", token, p, err)
	}
	if _, err := s.db.ByToken(t.Context(), token, true); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("a token to read writes: %v", err)
	}
	if strings.Contains(a.body, token) {
		t.Error("the token may be read again")
	}
	if tables := s.tablesContaining(token); len(tables) > 0 {
		t.Errorf("the token is stored in clear in %v", tables)
	}
	revoke, _ := b.get("/account").Find(`form[action$="/revocation"]`).Attr("action")
	s.as(s.agent).post(revoke).wants(t, 404) // it isn't theirs
	b.post(revoke).leads(t, "/account")
	if _, err := s.db.ByToken(t.Context(), token, false); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("a revoked token: %v", err)
	}
	s.setPassword(s.customer)
	b = s.as(s.customer)
	for _, current := range []string{"", "wrong and long enough"} {
		a = b.post("/account/tokens", "label", "Stolen", "scope", "write", "current", current)
		a.wants(t, 422, "Is not your password.")
		if a.Find("#token-current").AttrOr("aria-invalid", "") != "true" || len(a.Find("section[aria-labelledby=new-token]").Nodes) > 0 {
			t.Errorf("with the password %q: a token, or no field at fault", current)
		}
	}
	b.post("/account/tokens", "label", "Mine", "scope", "write", "current", secret).wants(t, 200, "Mine", "Copy it now")
	s.as(s.agent).get("/account").wants(t, 200, "You have no password")
	b.post("/account/tokens/nonsense/revocation").wants(t, 404)
	b.post("/account/tokens/99999999999999999999/revocation").wants(t, 404)
}
