package account_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// cheap returns a hash at a low cost.
func cheap(password string) string {
	salt := []byte("sixteen bytes ok")
	sum := argon2.IDKey([]byte(password), salt, 1, 8*1024, 1, 32)
	return fmt.Sprintf("$argon2id$v=19$m=8192,t=1,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
}

func TestInvite_createsStaffWithTheirRole(t *testing.T) {
	h := open(t)
	invited := desk.Person{Role: ticket.RoleSupervisor, Name: "Demo Invited", Address: "invited@demo.example", Handle: "supervisor-7"}
	for range 2 { // the second replaces the first
		if err := h.Invite(t.Context(), h.administrator, invited); err != nil {
			t.Fatal(err)
		}
	}
	mails := h.takeMails()
	if len(mails) != 2 {
		t.Fatalf("mails %+v", mails)
	}
	_, err := h.Use(t.Context(), tokenOf(t, mails[0].URL), invited.Name, secret, account.RevokeTokens)
	wantKind(t, err, fault.NotFound)
	open, err := h.Invitations(t.Context(), h.administrator)
	if err != nil || len(open) != 1 || open[0].Person != invited || open[0].By != h.administrator.Name {
		t.Fatalf("%+v, %v", open, err)
	}
	used, err := h.Use(t.Context(), tokenOf(t, mails[1].URL), invited.Name, secret, account.RevokeTokens)
	invited.ID = used.Person.ID
	if err != nil || used.Person != invited {
		t.Fatalf("%+v, %v", used, err)
	}
	if open, err = h.Invitations(t.Context(), h.administrator); err != nil || len(open) != 0 {
		t.Errorf("%+v, %v", open, err)
	}
	wantKind(t, h.Invite(t.Context(), h.administrator, invited), fault.Conflict)
}

func TestInvite_isLimitedForEachAdministrator(t *testing.T) {
	h := open(t)
	invite := func(i int) error {
		return h.Invite(t.Context(), h.administrator, desk.Person{Role: ticket.RoleAgent, Name: "Demo", Address: fmt.Sprintf("new-%d@demo.example", i)})
	}
	for i := range 50 {
		if err := invite(i); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, invite(50), fault.Limited)
	if n := len(h.takeMails()); n != 50 {
		t.Errorf("%d mails", n)
	}
}

func TestWithdrawInvitation_endsItsLink(t *testing.T) {
	h := open(t)
	if err := h.Invite(t.Context(), h.administrator, desk.Person{Role: ticket.RoleAgent, Name: "Demo", Address: "new@demo.example"}); err != nil {
		t.Fatal(err)
	}
	token := tokenOf(t, h.takeMail("invitation", "new@demo.example").URL)
	if err := h.WithdrawInvitation(t.Context(), h.administrator, token[:26]); err != nil {
		t.Fatal(err)
	}
	_, err := h.Use(t.Context(), token, "Demo", secret, account.RevokeTokens)
	wantKind(t, err, fault.NotFound)
	wantKind(t, h.WithdrawInvitation(t.Context(), h.administrator, token[:26]), fault.NotFound)
}

func TestMembers_requireAnotherAdministrator(t *testing.T) {
	h := open(t)
	supervisor := h.add(ticket.RoleSupervisor, "Demo Supervisor", "supervisor@demo.example")
	for _, by := range []desk.Person{h.customer, h.agent, supervisor, {}} {
		_, _, err := h.Members(t.Context(), by, account.MemberFilter{Limit: 10})
		wantKind(t, err, fault.Forbidden)
		_, err = h.Invitations(t.Context(), by)
		wantKind(t, err, fault.Forbidden)
		wantKind(t, h.Invite(t.Context(), by, desk.Person{Role: ticket.RoleAgent, Name: "Demo", Address: "x@demo.example"}), fault.Forbidden)
		wantKind(t, h.WithdrawInvitation(t.Context(), by, "x"), fault.Forbidden)
		wantKind(t, h.SetRole(t.Context(), by, h.agent.ID, ticket.RoleAdministrator), fault.Forbidden)
		wantKind(t, h.Disable(t.Context(), by, h.agent.ID), fault.Forbidden)
		wantKind(t, h.Enable(t.Context(), by, h.agent.ID), fault.Forbidden)
	}
	wantKind(t, h.SetRole(t.Context(), h.administrator, h.administrator.ID, ticket.RoleAgent), fault.Conflict)
	wantKind(t, h.Disable(t.Context(), h.administrator, h.administrator.ID), fault.Conflict)
	wantKind(t, h.SetRole(t.Context(), h.administrator, h.agent.ID, ticket.RoleCustomer), fault.Invalid)
	wantKind(t, h.SetRole(t.Context(), h.administrator, "P-0000000000", ticket.RoleAgent), fault.NotFound)
}

func TestSetRoleAndDisable_endSessions(t *testing.T) {
	h := open(t)
	for name, act := range map[string]func() error{
		"role":    func() error { return h.SetRole(t.Context(), h.administrator, h.customer.ID, ticket.RoleAgent) },
		"disable": func() error { return h.Disable(t.Context(), h.administrator, h.customer.ID) },
		"command": func() error { return h.db.DisablePerson(t.Context(), h.customer.ID) },
	} {
		h.sql(`UPDATE people SET disabled_at = NULL`)
		used, err := h.Use(t.Context(), h.linkFor(h.customer.Address), "", "", account.RevokeTokens)
		if err != nil {
			t.Fatal(err)
		}
		token := h.linkFor(h.customer.Address)
		key, err := h.CreateToken(t.Context(), source, h.customer, account.Proof{Recent: true}, "", "a program", true)
		if err != nil {
			t.Fatal(err)
		}
		if err := act(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		h.sql(`UPDATE people SET disabled_at = NULL`) // enabling must not revive anything
		if _, err := h.db.BySession(t.Context(), h.customer.ID, used.Epoch); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%s: the session still works: %v", name, err)
		}
		if _, err := h.Open(t.Context(), token); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: the link works: %v", name, err)
		}
		if _, err := h.db.ByToken(t.Context(), key, false); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("%s: the token works: %v", name, err)
		}
	}
	p, err := h.Profile(t.Context(), h.customer)
	if err != nil || p.Person.Role != ticket.RoleAgent || p.Person.Handle == "" {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestInvitations_endWithTheInvitersRights(t *testing.T) {
	h := open(t)
	for name, act := range map[string]func(ticket.PersonID) error{
		"role":    func(id ticket.PersonID) error { return h.SetRole(t.Context(), h.administrator, id, ticket.RoleAgent) },
		"disable": func(id ticket.PersonID) error { return h.Disable(t.Context(), h.administrator, id) },
		"command": func(id ticket.PersonID) error { return h.db.DisablePerson(t.Context(), id) },
	} {
		other := h.add(ticket.RoleAdministrator, "Demo Other", name+"@demo.example")
		for _, by := range []desk.Person{other, h.administrator} {
			invited := desk.Person{Role: ticket.RoleAdministrator, Name: "Demo", Address: "by-" + by.Address}
			if err := h.Invite(t.Context(), by, invited); err != nil {
				t.Fatal(err)
			}
		}
		token := tokenOf(t, h.takeMails()[0].URL)
		if err := act(other.ID); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_, err := h.Use(t.Context(), token, "Demo", secret, account.RevokeTokens)
		wantKind(t, err, fault.NotFound)
		open, err := h.Invitations(t.Context(), h.administrator)
		if err != nil || len(open) != 1 || open[0].By != h.administrator.Name {
			t.Errorf("%s: open are %+v, %v", name, open, err)
		}
	}
}

func TestMembers_areFoundByNameAddressAndHandle(t *testing.T) {
	h := open(t)
	if err := h.Disable(t.Context(), h.administrator, h.agent.ID); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		filter account.MemberFilter
		want   []ticket.PersonID
		more   bool
	}{
		{account.MemberFilter{Limit: 10}, []ticket.PersonID{h.administrator.ID, h.agent.ID}, false},
		{account.MemberFilter{Limit: 1}, []ticket.PersonID{h.administrator.ID}, true},
		{account.MemberFilter{Limit: 1, After: h.administrator.Address}, []ticket.PersonID{h.agent.ID}, false},
		{account.MemberFilter{Limit: 10, Role: ticket.RoleCustomer}, []ticket.PersonID{h.customer.ID}, false},
		{account.MemberFilter{Limit: 10, Search: "DEMO C"}, []ticket.PersonID{h.customer.ID}, false},
		{account.MemberFilter{Limit: 10, Search: h.agent.Handle}, []ticket.PersonID{h.agent.ID}, false},
		{account.MemberFilter{Limit: 10, Search: "%"}, nil, false},
	} {
		list, more, err := h.Members(t.Context(), h.administrator, c.filter)
		var got []ticket.PersonID
		for _, m := range list {
			got = append(got, m.ID)
			if m.DisabledAt.IsZero() == (m.ID == h.agent.ID) {
				t.Errorf("%s is disabled at %s", m.Name, m.DisabledAt)
			}
		}
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) || more != c.more {
			t.Errorf("%+v: %v, more %v, %v", c.filter, got, more, err)
		}
	}
}

func TestClaimNextDelivery_claimsAMailOnce(t *testing.T) {
	h := open(t)
	for range 5 {
		h.sql(`DELETE FROM allowances`)
		if err := h.RequestLink(t.Context(), account.Browser{Source: source}, h.customer.Address); err != nil {
			t.Fatal(err)
		}
		var taken atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if _, found, err := h.db.ClaimNextDelivery(t.Context(), outbox.AccountMails, rand.Text(), time.Minute); err != nil {
					t.Error(err)
				} else if found {
					taken.Add(1)
				}
			})
		}
		group.Wait()
		if taken.Load() != 1 {
			t.Errorf("the same mail was claimed %d times", taken.Load())
		}
	}
}

func TestTokens_areScopedListedAndRevoked(t *testing.T) {
	h := open(t)
	reads, err := h.CreateToken(t.Context(), source, h.customer, account.Proof{Recent: true}, "", "reading", false)
	if err != nil {
		t.Fatal(err)
	}
	writes, err := h.CreateToken(t.Context(), source, h.customer, account.Proof{Recent: true}, "", "writing", true)
	if err != nil {
		t.Fatal(err)
	}
	for token, may := range map[string]bool{reads: false, writes: true} {
		if p, err := h.db.ByToken(t.Context(), token, false); err != nil || p != h.customer {
			t.Errorf("reading: %+v, %v", p, err)
		}
		if _, err := h.db.ByToken(t.Context(), token, true); may != (err == nil) || !may && fault.KindOf(err) != fault.Forbidden {
			t.Errorf("a token that may write: %v, and does: %v", may, err)
		}
	}
	list, err := h.Tokens(t.Context(), h.customer)
	if err != nil || len(list) != 2 || list[0].Label != "writing" || !list[0].Writes || list[1].Writes || list[0].LastUsed.IsZero() {
		t.Fatalf("%+v, %v", list, err)
	}
	wantKind(t, h.RevokeToken(t.Context(), h.agent, list[0].ID), fault.NotFound) // not theirs
	if err := h.RevokeToken(t.Context(), h.customer, list[0].ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.db.ByToken(t.Context(), writes, false)
	wantKind(t, err, fault.Unauthenticated)
	wantKind(t, h.RevokeToken(t.Context(), h.customer, list[0].ID), fault.NotFound)
	for range 19 {
		if _, err := h.CreateToken(t.Context(), source, h.customer, account.Proof{Recent: true}, "", "more", true); err != nil {
			t.Fatal(err)
		}
	}
	_, err = h.CreateToken(t.Context(), source, h.customer, account.Proof{Recent: true}, "", "one too many", true)
	wantKind(t, err, fault.Conflict)
	_, err = h.CreateToken(t.Context(), source, h.agent, account.Proof{Recent: true}, "", " ", true)
	wantKind(t, err, fault.Invalid)
}
