package account_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// sourceAddress returns the nth address that no other request of a test comes from.
func sourceAddress(n int) string { return fmt.Sprintf("198.51.%d.%d", n/250, n%250) }

// exhaust sends requests from new sources until the limit is reached.
func exhaust(t *testing.T, ask func(source string) error) {
	t.Helper()
	for n := range 50 {
		switch err := ask(sourceAddress(n)); fault.KindOf(err) {
		case fault.Limited:
			return
		case fault.Unauthenticated, fault.Invalid:
		default:
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Fatal("no limit was reached")
}

func TestAttacker_cannotLockTheOwnerOut(t *testing.T) {
	h := open(t)
	address := h.customer.Address
	h.setPassword(h.customer)
	exhaust(t, func(from string) error {
		_, err := h.SignIn(t.Context(), account.Browser{Source: from}, address, other)
		return err
	})
	exhaust(t, func(from string) error { return h.Register(t.Context(), from, "Demo Stranger", address) })
	_ = h.takeMails()
	_, err := h.SignIn(t.Context(), account.Browser{Source: source}, address, secret)
	wantKind(t, err, fault.Limited)

	if err := h.RequestLink(t.Context(), account.Browser{Source: source}, address); err != nil {
		t.Fatalf("the owner cannot request a link: %v", err)
	}
	if _, err := h.Use(t.Context(), tokenOf(t, h.takeMail("sign-in", address).URL), "", "", account.RevokeTokens); err != nil {
		t.Fatalf("the owner's link: %v", err)
	}
	// Signed in, the owner can still reauthenticate; an attacker cannot exhaust that limit.
	if _, err := h.Reauthenticate(t.Context(), source, h.customer, secret); err != nil {
		t.Errorf("the owner's password once signed in: %v", err)
	}
	if err := h.RequestReset(t.Context(), account.Browser{Source: source}, address); err != nil {
		t.Errorf("the owner cannot request a reset: %v", err)
	}
	h.takeMail("reset", address)

	// An attacker who exhausts the links fills the owner's mailbox with working links.
	exhaust(t, func(from string) error { return h.RequestLink(t.Context(), account.Browser{Source: from}, address) })
	mailed := h.takeMails()
	newest := mailed[len(mailed)-1]
	if newest.Kind != account.MailKind(account.SignIn) {
		t.Fatalf("the newest mail is %s", newest.Kind)
	}
	if _, err := h.Use(t.Context(), tokenOf(t, newest.URL), "", "", account.RevokeTokens); err != nil {
		t.Errorf("a link that an attacker requested does not work for the owner: %v", err)
	}
	if err := h.RequestReset(t.Context(), account.Browser{Source: source}, address); err != nil {
		t.Errorf("with the links used up, the owner cannot request a reset: %v", err)
	}
}

// A browser in which the owner has signed in before has limits that an attacker cannot exhaust. The device of another person
// or address does not count.
func TestAttacker_cannotLockOutAKnownDevice(t *testing.T) {
	h := open(t)
	address := h.customer.Address
	h.setPassword(h.customer)
	device, err := h.Device(t.Context(), strings.ToUpper(address))
	if err != nil {
		t.Fatal(err)
	}
	others, err := h.Device(t.Context(), h.agent.Address)
	if err != nil {
		t.Fatal(err)
	}
	exhaust(t, func(from string) error {
		_, err := h.SignIn(t.Context(), account.Browser{Source: from}, address, other)
		return err
	})
	exhaust(t, func(from string) error { return h.RequestLink(t.Context(), account.Browser{Source: from}, address) })
	forged := device[:26] + strings.Repeat("A", len(device)-26)
	for _, unknown := range []string{"", "nonsense", others, forged, device[1:], device + "A", strings.Repeat("x", 5000)} {
		_, err := h.SignIn(t.Context(), account.Browser{Source: source, Device: unknown}, address, secret)
		wantKind(t, err, fault.Limited)
	}
	known := account.Browser{Source: source, Device: device}
	if _, err := h.SignIn(t.Context(), known, address, secret); err != nil {
		t.Errorf("the owner's password in their own browser: %v", err)
	}
	if err := h.RequestLink(t.Context(), known, address); err != nil {
		t.Errorf("a link for the owner's own browser: %v", err)
	}
	// A stolen device cookie is no credential and does not speed up guessing.
	exhaust(t, func(from string) error {
		_, err := h.SignIn(t.Context(), account.Browser{Source: from, Device: device}, address, other)
		return err
	})
}

// Registrations that an attacker requests for an address leave its owner working links.
func TestAttacker_cannotBlockARegistration(t *testing.T) {
	h := open(t)
	exhaust(t, func(from string) error { return h.Register(t.Context(), from, "Demo Stranger", "new@demo.example") })
	all := h.takeMails()
	if _, err := h.Use(t.Context(), tokenOf(t, all[len(all)-1].URL), "Demo Newcomer", secret, account.RevokeTokens); err != nil {
		t.Error(err)
	}
}

// submit creates a ticket and takes its first step, so that its receipt is queued.
func (h *fixture) submit(by desk.Person) ticket.Number {
	h.t.Helper()
	a, err := h.db.Submit(h.t.Context(), by, desk.Submission{Subject: "A cup", Body: "It broke.", Priority: policy.PriorityNormal})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := app.NewSteps(h.db, app.MaxCommands).Step(h.t.Context(), ticket.StepRequest{Number: a.Number, Command: 1}); err != nil {
		h.t.Fatal(err)
	}
	return a.Number
}

// credentials are all that may grant access to an account: a session, links in mails and a token.
type credentials struct {
	epoch                   int64
	signIn, token           string
	conversation, escalated string
}

// issueCredentials creates credentials of every kind for a person.
func (h *fixture) issueCredentials(p desk.Person) credentials {
	h.t.Helper()
	used, err := h.Use(h.t.Context(), h.linkFor(p.Address), "", "", account.RevokeTokens)
	if err != nil {
		h.t.Fatal(err)
	}
	token, err := h.CreateToken(h.t.Context(), source, p, account.Proof{Current: secret, Recent: true}, "", "a program", true)
	if err != nil {
		h.t.Fatal(err)
	}
	key, err := h.db.Secret(h.t.Context(), "links")
	if err != nil {
		h.t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	grant := func(lifetime time.Duration) link.Grant {
		return link.Grant{Number: h.number, Person: p.ID, Expires: now.Add(lifetime)}
	}
	return credentials{
		epoch: used.Epoch, signIn: h.linkFor(p.Address), token: token,
		conversation: link.New(key, grant(link.Lifetime)), escalated: link.NewEscalation(key, grant(link.EscalationLifetime)),
	}
}

// working returns the names of the credentials that still work.
func (h *fixture) working(p desk.Person, w credentials) (all []string) {
	h.t.Helper()
	tries := map[string]func() error{
		"session": func() error { _, err := h.db.BySession(h.t.Context(), p.ID, w.epoch); return err },
		"link":    func() error { _, err := h.Open(h.t.Context(), w.signIn); return err },
		"token":   func() error { _, err := h.db.ByToken(h.t.Context(), w.token, true); return err },
	}
	if p.Role.Staff() {
		tries["escalation"] = func() error { _, _, err := h.db.ReadEscalationLink(h.t.Context(), w.escalated); return err }
	} else {
		tries["conversation"] = func() error { _, err := h.db.ReadLink(h.t.Context(), w.conversation); return err }
	}
	for _, name := range []string{"session", "link", "conversation", "escalation", "token"} {
		try, known := tries[name]
		if !known {
			continue
		}
		err := try()
		if err == nil {
			all = append(all, name)
		} else if (name == "conversation" || name == "escalation") && !link.Revoked(err) {
			h.t.Errorf("%s: %v, want that it has ended", name, err)
		}
	}
	return all
}

func TestSessionsLinksAndTokens_endTogether(t *testing.T) {
	h := open(t)
	h.number = h.submit(h.customer)
	acts := map[string]func(p desk.Person, tokens account.Tokens) error{
		"changing the password": func(p desk.Person, tokens account.Tokens) error {
			_, err := h.ChangePassword(t.Context(), source, p, account.Proof{Current: secret}, secret, tokens)
			return err
		},
		"a reset": func(p desk.Person, tokens account.Tokens) error {
			_ = h.takeMails()
			if err := h.RequestReset(t.Context(), account.Browser{Source: source}, p.Address); err != nil {
				return err
			}
			_, err := h.Use(t.Context(), tokenOf(t, h.takeMail("reset", p.Address).URL), "", secret, tokens)
			return err
		},
		"signing out everywhere": func(p desk.Person, tokens account.Tokens) error {
			_, err := h.SignOutEverywhere(t.Context(), p, tokens)
			return err
		},
	}
	for _, p := range []desk.Person{h.customer, h.agent} {
		_ = h.takeMails()
		h.setPassword(p)
		for name, act := range acts {
			for tokens, want := range map[account.Tokens]string{account.RevokeTokens: "", account.KeepTokens: "token"} {
				h.sql(`DELETE FROM allowances`)
				h.sql(`UPDATE people SET links_since = '-infinity'`)
				w := h.issueCredentials(p)
				if got := h.working(p, w); len(got) != 4 {
					t.Fatalf("before %s only %v work", name, got)
				}
				if err := act(p, tokens); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if got := strings.Join(h.working(p, w), ", "); got != want {
					t.Errorf("after %s as %s (%s) working: %q, want %q", name, p.Role, tokens, got, want)
				}
			}
		}
	}
}

// The link of a mail that was queued before the sign-out and sent after it works, since it reaches its reader only now.
func TestConversationLink_ofAMailSentAfterwardsWorks(t *testing.T) {
	h := open(t)
	n := h.submit(h.customer)
	if _, err := h.SignOutEverywhere(t.Context(), h.customer, account.RevokeTokens); err != nil {
		t.Fatal(err)
	}
	mail, _, err := app.NewMails(h.db).LoadMail(t.Context(), n, 1)
	if err != nil {
		t.Fatal(err)
	}
	if g, err := h.db.ReadLink(t.Context(), mail.Token); err != nil || g.Number != n {
		t.Errorf("%+v, %v", g, err)
	}
}

func TestSession_aloneCannotTakeOverTheAccount(t *testing.T) {
	h := open(t)
	who := h.customer // without a password
	acts := map[string]func(account.Proof) error{
		"a token": func(p account.Proof) error {
			_, err := h.CreateToken(t.Context(), source, who, p, "", "a program", true)
			return err
		},
		"an address": func(p account.Proof) error {
			return h.AddAddress(t.Context(), source, who, p, "next@demo.example")
		},
		"another primary address": func(p account.Proof) error {
			h.sql(`INSERT INTO person_addresses (address, person) SELECT 'further@demo.example', id FROM people WHERE lower(address) = 'customer@demo.example' ON CONFLICT DO NOTHING`)
			return h.SetPrimaryAddress(t.Context(), source, who, p, "further@demo.example")
		},
		"the removal of an address": func(p account.Proof) error {
			return h.RemoveAddress(t.Context(), source, who, p, "customer@demo.example")
		},
		"a first password": func(p account.Proof) error {
			_, err := h.ChangePassword(t.Context(), source, who, p, secret, account.RevokeTokens)
			return err
		},
	}
	for _, what := range []string{"a token", "an address", "another primary address", "the removal of an address", "a first password"} {
		err := acts[what](account.Proof{})
		if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Code != account.CodeReauthenticate {
			t.Errorf("%s by an open session: %v", what, err)
		}
		if all := h.takeMails(); len(all) > 0 {
			t.Errorf("%s was refused, and mails %+v", what, all)
		}
		if err := acts[what](account.Proof{Recent: true}); err != nil {
			t.Errorf("%s after a recent sign-in: %v", what, err)
		}
		_ = h.takeMails()
	}
	// Now there is a password, and a recent sign-in is no substitute.
	wantKind(t, acts["a token"](account.Proof{Recent: true}), fault.Invalid)
}

func TestMakeToken_notifiesTheOwner(t *testing.T) {
	h := open(t)
	token, err := h.CreateToken(t.Context(), source, h.customer, account.Proof{Recent: true}, "", "Laptop", true)
	if err != nil {
		t.Fatal(err)
	}
	l := h.takeMail(account.TokenCreated, h.customer.Address)
	if l.Label != "Laptop" || !l.Writes || time.Since(l.At).Abs() > time.Minute || strings.Contains(fmt.Sprintf("%+v", l), token) {
		t.Errorf("the mail is %+v", l)
	}
	if _, err := h.db.IssueTokenAndNotify(t.Context(), h.agent.ID, "supportdesk people"); err != nil {
		t.Fatal(err)
	}
	h.takeMail(account.TokenCreated, h.agent.Address)
}
