package account_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// events returns all events, oldest first, with kind, owner, actor and detail.
func (h *fixture) events() (all []string) {
	h.t.Helper()
	list, more, err := h.Events(h.t.Context(), h.administrator, account.EventFilter{Limit: 1000})
	if err != nil || more {
		h.t.Fatal(more, err)
	}
	for _, e := range slices.Backward(list) {
		all = append(all, fmt.Sprintf("%s %s by %s: %s", e.Kind, e.Person.Name, e.Actor.Name, e.Detail))
	}
	return all
}

func TestEvents_recordEveryChange(t *testing.T) {
	h := open(t)
	already := len(h.events())
	ctx := desk.WithOrigin(t.Context(), "203.0.113.9", "Demo/1.0 "+strings.Repeat("x", 500)+"\x00\n")
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	use := func(mail account.Mail, name, password string) account.LinkResult {
		t.Helper()
		used, err := h.Use(ctx, tokenOf(t, mail.URL), name, password, account.RevokeTokens)
		do(err)
		return used
	}
	do(h.Register(ctx, source, "Demo Newcomer", "new@demo.example"))
	newcomer := use(h.takeMail("verify", "new@demo.example"), "Demo Newcomer", secret).Person
	_, err := h.SignIn(ctx, account.Browser{Source: source}, newcomer.Address, secret)
	do(err)
	_, err = h.SignIn(ctx, account.Browser{Source: source}, newcomer.Address, other)
	wantKind(t, err, fault.Unauthenticated)
	_, err = h.SignIn(ctx, account.Browser{Source: source}, "hunter2 typed into the wrong field", other)
	wantKind(t, err, fault.Unauthenticated)
	do(h.RequestLink(ctx, account.Browser{Source: source}, newcomer.Address))
	use(h.takeMail("sign-in", newcomer.Address), "", "")
	_, err = h.Reauthenticate(ctx, source, newcomer, secret)
	do(err)
	_, err = h.CreateToken(ctx, source, newcomer, account.Proof{Current: secret}, "", "Laptop", true)
	do(err)
	_ = h.takeMails()
	list, err := h.Tokens(ctx, newcomer)
	do(err)
	do(h.RevokeToken(ctx, newcomer, list[0].ID))
	_, err = h.ChangePassword(ctx, source, newcomer, account.Proof{Current: secret}, other, account.RevokeTokens)
	do(err)
	_ = h.takeMails()
	do(h.RequestReset(ctx, account.Browser{Source: source}, newcomer.Address))
	use(h.takeMail("reset", newcomer.Address), "", secret)
	_ = h.takeMails()
	add := func(address string) {
		t.Helper()
		do(h.AddAddress(ctx, source, newcomer, account.Proof{Current: secret}, address))
		_, err := h.ConfirmAddress(ctx, newcomer, tokenOf(t, h.takeMail("address", address).URL))
		do(err)
	}
	add("next@demo.example")
	_ = h.takeMails()
	do(h.SetPrimaryAddress(ctx, source, newcomer, account.Proof{Current: secret}, "next@demo.example"))
	do(h.RemoveAddress(ctx, source, newcomer, account.Proof{Current: secret}, newcomer.Address))
	contact, err := h.db.EnsureContact(ctx, "", "Demo Newcomer", "third@demo.example")
	do(err)
	_ = h.takeMails()
	add("third@demo.example")
	_, err = h.SignOutEverywhere(ctx, newcomer, account.KeepTokens)
	do(err)
	do(h.SignedOut(ctx, newcomer))
	_ = h.takeMails()
	invited := desk.Person{Role: ticket.RoleAgent, Name: "Demo Invited", Address: "invited@demo.example"}
	do(h.Invite(ctx, h.administrator, invited))
	use(h.takeMail("invitation", invited.Address), "Demo Invited", secret)
	invited.Address = "second@demo.example"
	do(h.Invite(ctx, h.administrator, invited))
	do(h.WithdrawInvitation(ctx, h.administrator, tokenOf(t, h.takeMail("invitation", invited.Address).URL)[:26]))
	do(h.SetRole(ctx, h.administrator, h.agent.ID, ticket.RoleSupervisor))
	do(h.Disable(ctx, h.administrator, h.agent.ID))
	do(h.Enable(ctx, h.administrator, h.agent.ID))
	_, err = h.SignInWithIdentity(ctx, account.Identity{Issuer: "https://id.example", Subject: "1", Address: h.agent.Address})
	do(err)
	_, err = h.SignInWithIdentity(ctx, account.Identity{Issuer: "https://id.example", Subject: "2"})
	wantKind(t, err, fault.Forbidden)
	staffing := app.NewStaffing(h.db)
	do(staffing.CreateGroup(ctx, h.administrator, "returns", "Returns"))
	do(staffing.RenameGroup(ctx, h.administrator, "returns", "Parcels"))
	do(staffing.AddToGroup(ctx, h.administrator, "returns", string(h.agent.ID)))
	do(staffing.RemoveFromGroup(ctx, h.administrator, "returns", string(h.agent.ID)))
	do(staffing.DeleteGroup(ctx, h.administrator, "returns"))
	do(h.db.DisablePerson(t.Context(), h.agent.ID))

	got := h.events()[already:]
	want := []string{
		"registration-asked  by : ", "registered Demo Newcomer by Demo Newcomer: as customer",
		"signed-in Demo Newcomer by Demo Newcomer: by password", "sign-in-failed Demo Newcomer by : password", "sign-in-failed  by : password",
		"link-asked Demo Newcomer by : sign-in", "signed-in Demo Newcomer by Demo Newcomer: by a link",
		"signed-in Demo Newcomer by Demo Newcomer: by password, again",
		"token-made Demo Newcomer by Demo Newcomer: Laptop, reads and writes", "token-ended Demo Newcomer by Demo Newcomer: Laptop",
		"password-changed Demo Newcomer by Demo Newcomer: API tokens ended", "link-asked Demo Newcomer by : reset",
		"password-reset Demo Newcomer by Demo Newcomer: API tokens ended",
		"address-change-asked Demo Newcomer by Demo Newcomer: next@demo.example",
		"address-added Demo Newcomer by Demo Newcomer: next@demo.example",
		"address-changed Demo Newcomer by Demo Newcomer: from new@demo.example to next@demo.example",
		"address-removed Demo Newcomer by Demo Newcomer: new@demo.example",
		"contact-added Demo Newcomer by : ",
		"address-change-asked Demo Newcomer by Demo Newcomer: third@demo.example",
		"contact-merged Demo Newcomer by Demo Newcomer: " + string(contact.ID) + ", third@demo.example",
		"address-added Demo Newcomer by Demo Newcomer: third@demo.example",
		"sessions-ended Demo Newcomer by Demo Newcomer: API tokens kept", "signed-out Demo Newcomer by Demo Newcomer: ",
		"invited  by Demo Administrator: invited@demo.example as agent", "invitation-accepted Demo Invited by Demo Invited: as agent",
		"invited  by Demo Administrator: second@demo.example as agent", "invitation-withdrawn  by Demo Administrator: second@demo.example as agent",
		"role-changed Demo Agent by Demo Administrator: from agent to supervisor", "disabled Demo Agent by Demo Administrator: ",
		"enabled Demo Agent by Demo Administrator: ", "identity-bound Demo Agent by Demo Agent: at https://id.example",
		"signed-in Demo Agent by Demo Agent: by https://id.example", "sign-in-failed  by : by https://id.example",
		"group-made  by Demo Administrator: returns: Returns", "group-renamed  by Demo Administrator: returns: Parcels",
		"group-joined Demo Agent by Demo Administrator: returns", "group-left Demo Agent by Demo Administrator: returns",
		"group-deleted  by Demo Administrator: returns", "disabled Demo Agent by : ",
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("event %d: got\n%s\nwant\n%s", i, strings.Join(got[min(i, len(got)):], "\n"), strings.Join(want[min(i, len(want)):], "\n"))
		}
	}
	all, _, err := h.Events(t.Context(), h.administrator, account.EventFilter{Limit: 1000})
	do(err)
	if o := all[0].Origin; o.Source != desk.CommandLine || o.Agent != "" {
		t.Errorf("the command line's origin is %+v", o)
	}
	if o := all[1].Origin; o.Source != "203.0.113.9" || !strings.HasPrefix(o.Agent, "Demo/1.0 xxx") || len(o.Agent) != 200 {
		t.Errorf("a request's origin is %+v", o)
	}
	if n := one[int](h, `SELECT count(*) FROM security_events e WHERE e::text LIKE '%hunter2%' OR e::text LIKE '%harbour%' OR e::text LIKE '%sd_%'`); n != 0 {
		t.Errorf("%d events hold a secret", n)
	}
	wantKind(t, func() error { _, _, err := h.Events(t.Context(), h.agent, account.EventFilter{Limit: 1}); return err }(), fault.Forbidden)
	for person, want := range map[string]int{"": 20, "NEXT@demo.example": 20, string(h.agent.ID): 9, "nobody@demo.example": 0} {
		some, _, err := h.Events(t.Context(), h.administrator, account.EventFilter{Person: person, Limit: 20})
		if err != nil || len(some) != want {
			t.Errorf("%d events of %q, %v, want %d", len(some), person, err, want)
		}
	}
	some, more, err := h.Events(t.Context(), h.administrator, account.EventFilter{Kind: account.EventSignedIn, Limit: 1})
	if err != nil || !more || len(some) != 1 || some[0].Kind != account.EventSignedIn {
		t.Errorf("%+v, %v, %v", some, more, err)
	}
	older, _, err := h.Events(t.Context(), h.administrator, account.EventFilter{Kind: account.EventSignedIn, Before: some[0].ID, Limit: 1})
	if err != nil || len(older) != 1 || older[0].ID >= some[0].ID {
		t.Errorf("%+v, %v", older, err)
	}
}

// A failed change records no event, and a change whose event cannot be recorded fails.
func TestEvents_areAtomicWithTheChange(t *testing.T) {
	h := open(t)
	before := len(h.events())
	if err := h.SetRole(t.Context(), h.administrator, "P-0000000000", ticket.RoleAgent); fault.KindOf(err) != fault.NotFound {
		t.Fatal(err)
	}
	if n := len(h.events()); n != before {
		t.Errorf("a failed change recorded %d events", n-before)
	}
	h.sql(`ALTER TABLE security_events ADD CONSTRAINT full_disk CHECK (kind <> 'disabled') NOT VALID`)
	if err := h.Disable(t.Context(), h.administrator, h.agent.ID); err == nil {
		t.Error("a change that can't be recorded was made")
	}
	if n := one[int](h, `SELECT count(*) FROM people WHERE disabled_at IS NOT NULL`); n != 0 {
		t.Error("a change that can't be recorded was made")
	}
}

func TestEvents_areAppendOnlyAndExpire(t *testing.T) {
	h := open(t)
	if err := h.SignedOut(t.Context(), h.agent); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE security_events SET detail = 'nothing happened'`, `UPDATE security_events SET kept_until = clock_timestamp()`,
		`DELETE FROM security_events`, `TRUNCATE security_events`,
		`INSERT INTO security_events (kind, source, agent, detail, kept_until) VALUES ('x', '', '', '', clock_timestamp())`,
	} {
		if _, err := h.pool.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s: succeeded", statement)
		}
	}
	// Failed attempts are stored for 30 days, other events for a year; each new event deletes some that have expired.
	for range 7 {
		h.sql(`INSERT INTO security_events (at, kind, source, agent, detail, kept_until)
			VALUES (clock_timestamp() - interval '31 days', 'old', '', '', '', clock_timestamp() - interval '1 hour')`)
	}
	for range 3 {
		_, err := h.SignIn(t.Context(), account.Browser{Source: source}, "nobody@demo.example", secret)
		wantKind(t, err, fault.Unauthenticated)
	}
	if n := one[int](h, `SELECT count(*) FROM security_events WHERE kind = 'old'`); n != 0 {
		t.Errorf("%d expired events are still there", n)
	}
	for kind, want := range map[account.EventKind]time.Duration{account.EventSignedOut: 365 * 24 * time.Hour, account.EventSignInFailed: 30 * 24 * time.Hour} {
		if kind == account.EventSignInFailed {
			ctx := desk.WithOrigin(t.Context(), source, "")
			if _, err := h.SignIn(ctx, account.Browser{Source: source}, "nobody@demo.example", secret); fault.KindOf(err) != fault.Unauthenticated {
				t.Fatal(err)
			}
		}
		period := one[time.Duration](h, `SELECT kept_until - at FROM security_events WHERE kind = $1 ORDER BY id DESC LIMIT 1`, string(kind))
		if (period - want).Abs() > time.Minute {
			t.Errorf("%s is stored for %s, want %s", kind, period, want)
		}
	}
}
