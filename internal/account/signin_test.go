package account_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	source = "192.0.2.7"
	secret = "a quiet harbour at dawn"
	other  = "seventeen yellow bicycles"
)

// takeMails marks all queued mails as sent and returns them.
func (h *fixture) takeMails() []account.Mail {
	h.t.Helper()
	var all []account.Mail
	for {
		k, found, err := h.db.ClaimNextDelivery(h.t.Context(), outbox.AccountMails, "a try", time.Minute)
		if err != nil {
			h.t.Fatal(err)
		}
		if !found {
			return all
		}
		l, _, err := h.LoadMail(h.t.Context(), k.N)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := h.db.SettleDelivery(h.t.Context(), k, desk.DeliverySent, ""); err != nil {
			h.t.Fatal(err)
		}
		all = append(all, l)
	}
}

// takeMail returns the only queued mail, of the kind and to the address given.
func (h *fixture) takeMail(kind account.MailKind, to string) account.Mail {
	h.t.Helper()
	all := h.takeMails()
	if len(all) != 1 || all[0].Kind != kind || all[0].To.Address != to {
		h.t.Fatalf("queued mails are %+v, want one %s to %s", all, kind, to)
	}
	return all[0]
}

// setPassword sets a password by a reset link.
func (h *fixture) setPassword(p desk.Person) account.Authenticated {
	h.t.Helper()
	if err := h.RequestReset(h.t.Context(), account.Browser{Source: source}, p.Address); err != nil {
		h.t.Fatal(err)
	}
	used, err := h.Use(h.t.Context(), tokenOf(h.t, h.takeMail("reset", p.Address).URL), "", secret, account.RevokeTokens)
	if err != nil {
		h.t.Fatal(err)
	}
	if all := h.takeMails(); len(all) != 1 || all[0].Kind != account.PasswordSet && all[0].Kind != account.PasswordChanged {
		h.t.Fatalf("queued mails are %+v, want one about the new password", all)
	}
	return used.Authenticated
}

func TestRegister_makesAnAccountOnceTheAddressIsVerified(t *testing.T) {
	h := open(t)
	if err := h.Register(t.Context(), source, " Demo Newcomer ", "new@demo.example"); err != nil {
		t.Fatal(err)
	}
	mail := h.takeMail("verify", "new@demo.example")
	if mail.To.Name != "" {
		t.Errorf("the mail to an unverified address contains the typed name %q", mail.To.Name)
	}
	if _, err := h.db.PersonByHandleOrAddress(t.Context(), "new@demo.example"); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("the account exists before its address is verified: %v", err)
	}
	token := tokenOf(t, mail.URL)
	for _, bad := range []struct{ name, password string }{{"Demo Newcomer", "short"}, {"", secret}, {"A\nB", secret}} {
		_, err := h.Use(t.Context(), token, bad.name, bad.password, account.RevokeTokens)
		wantKind(t, err, fault.Invalid)
	}
	used, err := h.Use(t.Context(), token, "Demo Renamed", secret, account.RevokeTokens)
	if err != nil || used.Person.Name != "Demo Renamed" || used.Person.Role != ticket.RoleCustomer {
		t.Fatalf("%+v, %v", used, err)
	}
	if in, err := h.SignIn(t.Context(), account.Browser{Source: source}, "NEW@demo.example ", secret); err != nil || in != used.Authenticated {
		t.Errorf("%+v, %v", in, err)
	}
	_, err = h.Use(t.Context(), token, "Demo Renamed", secret, account.RevokeTokens)
	wantKind(t, err, fault.NotFound)
}

// Responses and the number of rows written are the same for known and unknown addresses.
func TestResponses_doNotRevealWhetherAnAccountExists(t *testing.T) {
	h := open(t)
	h.setPassword(h.customer)
	gone := h.add(ticket.RoleCustomer, "Demo Gone", "gone@demo.example")
	if err := h.db.DisablePerson(t.Context(), gone.ID); err != nil {
		t.Fatal(err)
	}
	counts := func() string {
		return one[string](h, `SELECT (SELECT count(*) FROM links) || ' ' || (SELECT count(*) FROM deliveries WHERE queue = 'account') ||
			' ' || (SELECT count(*) FROM security_events)`)
	}
	for what, ask := range map[string]func(address string) error{
		"sign in": func(a string) error {
			_, err := h.SignIn(t.Context(), account.Browser{Source: source}, a, other)
			return err
		},
		"link":     func(a string) error { return h.RequestLink(t.Context(), account.Browser{Source: source}, a) },
		"reset":    func(a string) error { return h.RequestReset(t.Context(), account.Browser{Source: source}, a) },
		"register": func(a string) error { return h.Register(t.Context(), source, "Demo", a) },
	} {
		var answers, written []string
		for _, address := range []string{h.customer.Address, "nobody@demo.example", gone.Address, h.agent.Address} {
			var before, after [3]int
			fmt.Sscan(counts(), &before[0], &before[1], &before[2])
			err := ask(address)
			fmt.Sscan(counts(), &after[0], &after[1], &after[2])
			answers = append(answers, fmt.Sprint(err))
			written = append(written, fmt.Sprint(after[0]-before[0], after[1]-before[1], after[2]-before[2]))
		}
		for i := range answers {
			if answers[i] != answers[0] || written[i] != written[0] {
				t.Errorf("%s: answers %q, rows written %q", what, answers, written)
			}
		}
	}
	kinds := map[string]int{}
	for _, l := range h.takeMails() {
		kinds[string(l.Kind)+" "+l.To.Address]++
	}
	want := map[string]int{
		"sign-in Customer@demo.example": 1, "sign-in agent@demo.example": 1, "reset Customer@demo.example": 1, "reset agent@demo.example": 1,
		"already-registered Customer@demo.example": 1, "already-registered agent@demo.example": 1, "verify nobody@demo.example": 1,
	}
	if fmt.Sprint(kinds) != fmt.Sprint(want) {
		t.Errorf("mails %v, want %v", kinds, want)
	}
	if n := one[int](h, `SELECT count(*) FROM deliveries m WHERE m.queue = 'account' AND kind IN ('sign-in', 'reset') AND m::text LIKE '%nobody@%'`); n != 0 {
		t.Error("an unknown address is stored")
	}
}

func TestUse_worksOnceUnderConcurrency(t *testing.T) {
	h := open(t)
	token := h.linkFor(h.customer.Address)
	var in atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			used, err := h.Use(t.Context(), token, "", "", account.RevokeTokens)
			if err == nil && used.Person == h.customer {
				in.Add(1)
			} else if fault.KindOf(err) != fault.NotFound {
				t.Errorf("%+v, %v", used, err)
			}
		})
	}
	group.Wait()
	if in.Load() != 1 {
		t.Errorf("one link was used %d times", in.Load())
	}
}

// A link whose address has been taken in the meantime is never used up, and each attempt costs a hash.
func TestUse_limitsHashesPerLink(t *testing.T) {
	h := open(t)
	for range 2 {
		if err := h.Register(t.Context(), source, "Demo", "new@demo.example"); err != nil {
			t.Fatal(err)
		}
	}
	mails := h.takeMails()
	if _, err := h.Use(t.Context(), tokenOf(t, mails[0].URL), "Demo", secret, account.RevokeTokens); err != nil {
		t.Fatal(err)
	}
	idle := tokenOf(t, mails[1].URL)
	for i := range 30 {
		_, err := h.Use(t.Context(), idle, "Demo", "short", account.RevokeTokens) // costs none
		wantKind(t, err, fault.Invalid)
		_, err = h.Use(t.Context(), idle, "Demo", secret, account.RevokeTokens)
		if fault.KindOf(err) == fault.Limited {
			if i < 5 {
				t.Errorf("after %d tries: %v", i, err)
			}
			return
		}
		wantKind(t, err, fault.Conflict)
	}
	t.Error("the number of hashes for one link is not limited")
}

func TestUse_rejectsInvalidatedLinks(t *testing.T) {
	h := open(t)
	for name, spoil := range map[string]func(id string){
		"expired":         func(id string) { h.sql(`UPDATE links SET expires_at = clock_timestamp() WHERE id = $1`, id) },
		"used":            func(id string) { h.sql(`UPDATE links SET used_at = clock_timestamp() WHERE id = $1`, id) },
		"signed out":      func(string) { _, _ = h.SignOutEverywhere(t.Context(), h.agent, account.RevokeTokens) },
		"another address": func(string) { h.move(h.agent, "moved@demo.example") },
		"disabled":        func(string) { _ = h.db.DisablePerson(t.Context(), h.agent.ID) },
	} {
		address := one[string](h, `SELECT address FROM people WHERE id = $1`, h.agent.ID)
		h.sql(`UPDATE people SET disabled_at = NULL`)
		h.sql(`DELETE FROM allowances`)
		sign := h.linkFor(address)
		if err := h.RequestReset(t.Context(), account.Browser{Source: source}, address); err != nil {
			t.Fatal(err)
		}
		reset := tokenOf(t, h.takeMail("reset", address).URL)
		for _, token := range []string{sign, reset} {
			spoil(token[:26])
			if _, err := h.Use(t.Context(), token, "", secret, account.RevokeTokens); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		h.takeMails()
	}
}

// move changes a person's address.
func (h *fixture) move(p desk.Person, address string) {
	h.t.Helper()
	h.sql(`UPDATE links SET expires_at = clock_timestamp() WHERE purpose = 'address'`)
	p.Address = one[string](h, `SELECT address FROM people WHERE id = $1`, p.ID)
	if p.Address == address {
		return
	}
	proof := account.Proof{Current: secret, Recent: true}
	if err := h.AddAddress(h.t.Context(), source, p, proof, address); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.ConfirmAddress(h.t.Context(), p, tokenOf(h.t, h.takeMail("address", address).URL)); err != nil {
		h.t.Fatal(err)
	}
	if err := h.SetPrimaryAddress(h.t.Context(), source, p, proof, address); err != nil {
		h.t.Fatal(err)
	}
	if err := h.RemoveAddress(h.t.Context(), source, p, proof, p.Address); err != nil {
		h.t.Fatal(err)
	}
}

func TestSignIn_isLimitedByAddressAndBySource(t *testing.T) {
	h := open(t)
	h.setPassword(h.customer)
	for i := range 10 {
		_, err := h.SignIn(t.Context(), account.Browser{Source: fmt.Sprintf("192.0.2.%d", i)}, "CUSTOMER@demo.example", other)
		wantKind(t, err, fault.Unauthenticated)
	}
	_, err := h.SignIn(t.Context(), account.Browser{Source: "192.0.2.99"}, h.customer.Address, secret)
	wantKind(t, err, fault.Limited) // also with the right password, or it could still be guessed
	if err := h.RequestLink(t.Context(), account.Browser{Source: source}, h.customer.Address); err != nil {
		t.Errorf("the owner cannot request a link: %v", err)
	}
	limited := 0
	for i := range 70 {
		_, err := h.SignIn(t.Context(), account.Browser{Source: fmt.Sprintf("2001:db8:1:1::%x", i)}, fmt.Sprintf("guess%d@demo.example", i), other)
		if fault.KindOf(err) == fault.Limited {
			limited++
		}
	}
	if limited < 8 || limited > 10 {
		t.Errorf("%d of 70 attempts from one network were refused, want about 10", limited)
	}
	if n := one[int](h, `SELECT count(*) FROM allowances a WHERE a::text LIKE '%demo%' OR encode(key, 'escape') LIKE '%demo%'`); n != 0 {
		t.Error("attempted addresses are stored")
	}
}

func TestSignIn_successIsRefunded(t *testing.T) {
	h := open(t)
	h.setPassword(h.customer)
	for range 12 {
		if _, err := h.SignIn(t.Context(), account.Browser{Source: source}, h.customer.Address, secret); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLimit_holdsAcrossReplicas(t *testing.T) {
	h := open(t)
	var through atomic.Int32
	var group sync.WaitGroup
	for range 12 {
		group.Go(func() {
			if err := account.New(h.db.Accounts(), site).RequestLink(t.Context(), account.Browser{Source: source}, h.customer.Address); err == nil {
				through.Add(1)
			} else if fault.KindOf(err) != fault.Limited {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if through.Load() != 5 {
		t.Errorf("%d concurrent requests for mails to one address succeeded, want 5", through.Load())
	}
}

func TestPassword_rules(t *testing.T) {
	h := open(t)
	for password, fine := range map[string]bool{
		"elevenchars": false, "twelve chars": true, strings.Repeat("abcde-", 21) + "xy": true, strings.Repeat("abcde-", 21) + "xyz": false,
		"Customer@Demo.Example": false, "demo customer": false, "Password1234": false, "aaaaaaaaaaaaaaaa": false, "abababababab": false,
		"пароль из слов": true, "\xff\xfe345678901234": false, "correct horse battery": true,
	} {
		token := func() string {
			h.sql(`DELETE FROM allowances`)
			if err := h.RequestReset(t.Context(), account.Browser{Source: source}, h.customer.Address); err != nil {
				t.Fatal(err)
			}
			return tokenOf(t, h.takeMail("reset", h.customer.Address).URL)
		}()
		_, err := h.Use(t.Context(), token, "", password, account.RevokeTokens)
		if (err == nil) != fine {
			t.Errorf("%q: %v", password, err)
		}
		if f, ok := errors.AsType[*fault.Error](err); ok && (f.Kind != fault.Invalid || f.Details[0].Field != "password") {
			t.Errorf("%q: %v", password, err)
		}
		h.takeMails()
	}
}

func TestPassword_isRehashedWhenTheCostChanges(t *testing.T) {
	h := open(t)
	h.setPassword(h.customer)
	hash := one[string](h, `SELECT hash FROM passwords`)
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("the hash is %s", hash)
	}
	h.sql(`UPDATE passwords SET hash = $1`, cheap(secret))
	if _, err := h.SignIn(t.Context(), account.Browser{Source: source}, h.customer.Address, other); fault.KindOf(err) != fault.Unauthenticated {
		t.Fatal(err)
	}
	if strings.Contains(one[string](h, `SELECT hash FROM passwords`), "m=19456") {
		t.Error("a wrong password replaced the hash")
	}
	for range 2 {
		if _, err := h.SignIn(t.Context(), account.Browser{Source: source}, h.customer.Address, secret); err != nil {
			t.Fatal(err)
		}
		if now := one[string](h, `SELECT hash FROM passwords`); !strings.HasPrefix(now, "$argon2id$v=19$m=19456,t=2,p=1$") {
			t.Errorf("the hash is still %s", now)
		}
	}
}

func TestChangePassword_requiresTheOldOneAndEndsSessions(t *testing.T) {
	h := open(t)
	before := h.setPassword(h.customer)
	_, err := h.ChangePassword(t.Context(), source, h.customer, account.Proof{Current: other}, other, account.RevokeTokens)
	wantKind(t, err, fault.Invalid)
	after, err := h.ChangePassword(t.Context(), source, h.customer, account.Proof{Current: secret}, other, account.RevokeTokens)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.db.BySession(t.Context(), h.customer.ID, before.Epoch); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("a session from before: %v", err)
	}
	if _, err := h.db.BySession(t.Context(), h.customer.ID, after.Epoch); err != nil {
		t.Errorf("the session that changed it: %v", err)
	}
	_, err = h.SignIn(t.Context(), account.Browser{Source: source}, h.customer.Address, secret)
	wantKind(t, err, fault.Unauthenticated)
	h.takeMail(account.PasswordChanged, h.customer.Address)
}

func TestAddAddress_requiresProofAndConfirmation(t *testing.T) {
	h := open(t)
	h.setPassword(h.customer)
	proof := account.Proof{Current: secret}
	add := func(address string) error { return h.AddAddress(t.Context(), source, h.customer, proof, address) }
	wantKind(t, h.AddAddress(t.Context(), source, h.customer, account.Proof{Current: other}, "next@demo.example"), fault.Invalid)
	wantKind(t, add("customer@DEMO.example"), fault.Invalid)
	if err := add("next@demo.example"); err != nil {
		t.Fatal(err)
	}
	first := tokenOf(t, h.takeMail("address", "next@demo.example").URL)
	if err := add("NEXT@demo.example"); err != nil {
		t.Fatal(err)
	}
	last := tokenOf(t, h.takeMail("address", "NEXT@demo.example").URL)
	_, err := h.ConfirmAddress(t.Context(), h.customer, first)
	wantKind(t, err, fault.NotFound)
	if p, err := h.Profile(t.Context(), h.customer); err != nil || len(p.Addresses) > 0 {
		t.Errorf("before it is confirmed: %+v, %v", p, err)
	}
	for _, stranger := range []desk.Person{h.agent, {}} {
		_, err := h.ConfirmAddress(t.Context(), stranger, last)
		wantKind(t, err, fault.Forbidden)
	}
	_, err = h.Use(t.Context(), last, "", "", account.RevokeTokens)
	wantKind(t, err, fault.NotFound)
	if address, err := h.ConfirmAddress(t.Context(), h.customer, last); err != nil || address != "NEXT@demo.example" {
		t.Errorf("%q, %v", address, err)
	}
	if m := h.takeMail(account.AddressAdded, h.customer.Address); m.Label != "NEXT@demo.example" {
		t.Errorf("the notice is about %q", m.Label)
	}
	wantKind(t, add("next@demo.example"), fault.Invalid)

	// An address of another account gets the same response; its owner is notified.
	if err := add(h.agent.Address); err != nil {
		t.Fatal(err)
	}
	h.takeMail(account.AlreadyRegistered, h.agent.Address)

	wantKind(t, h.SetPrimaryAddress(t.Context(), source, h.customer, account.Proof{Current: other}, "next@demo.example"), fault.Invalid)
	if err := h.SetPrimaryAddress(t.Context(), source, h.customer, proof, " next@demo.example "); err != nil {
		t.Fatal(err)
	}
	notified := map[account.MailKind]string{}
	for _, l := range h.takeMails() {
		notified[l.Kind] = l.To.Address
	}
	if len(notified) != 2 || notified[account.AddressChanged] != h.customer.Address || notified[account.AddressConfirmed] != "NEXT@demo.example" {
		t.Errorf("notified %v, want the former and the new primary address", notified)
	}
	for _, address := range []string{h.customer.Address, "next@demo.example"} {
		if in, err := h.SignIn(t.Context(), account.Browser{Source: source}, address, secret); err != nil || in.Person.Address != "NEXT@demo.example" {
			t.Errorf("signed in with %s: %+v, %v", address, in.Person, err)
		}
	}
	if err := h.RemoveAddress(t.Context(), source, h.customer, proof, h.customer.Address); err != nil {
		t.Fatal(err)
	}
	if m := h.takeMail(account.AddressRemoved, "NEXT@demo.example"); m.Label != h.customer.Address {
		t.Errorf("the notice is about %q", m.Label)
	}
	_, err = h.SignIn(t.Context(), account.Browser{Source: source}, h.customer.Address, secret)
	wantKind(t, err, fault.Unauthenticated)
	wantKind(t, h.RemoveAddress(t.Context(), source, h.customer, proof, "next@demo.example"), fault.NotFound)
}

func TestByIdentity_linksVerifiedStaffOnce(t *testing.T) {
	h := open(t)
	who := account.Identity{Issuer: "https://id.example", Subject: "1", Address: h.agent.Address}
	for name, i := range map[string]account.Identity{
		"unverified": {Issuer: who.Issuer, Subject: "1"}, "customer": {Issuer: who.Issuer, Subject: "2", Address: h.customer.Address},
		"nobody": {Issuer: who.Issuer, Subject: "3", Address: "nobody@demo.example"},
	} {
		if _, err := h.SignInWithIdentity(t.Context(), i); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
	if in, err := h.SignInWithIdentity(t.Context(), who); err != nil || in.Person != h.agent {
		t.Fatalf("%+v, %v", in, err)
	}
	who.Address = "" // from now on the subject identifies them
	if in, err := h.SignInWithIdentity(t.Context(), who); err != nil || in.Person != h.agent {
		t.Errorf("%+v, %v", in, err)
	}
	_, err := h.SignInWithIdentity(t.Context(), account.Identity{Issuer: who.Issuer, Subject: "9", Address: h.agent.Address})
	wantKind(t, err, fault.Forbidden) // the provider has reassigned the address
	if err := h.db.DisablePerson(t.Context(), h.agent.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.SignInWithIdentity(t.Context(), who)
	wantKind(t, err, fault.Forbidden)
}
