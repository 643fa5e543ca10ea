package account_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// atOnce runs calls concurrently and returns their errors in order.
func atOnce(calls ...func() error) []error {
	start, errs := make(chan struct{}), make([]error, len(calls))
	var group sync.WaitGroup
	for i, call := range calls {
		group.Go(func() {
			<-start
			errs[i] = call()
		})
	}
	close(start)
	group.Wait()
	return errs
}

// rounds is how often a race is repeated; without the lock each of these tests fails within a few.
const rounds = 15

func TestAdministrators_cannotDisableEachOtherConcurrently(t *testing.T) {
	h := open(t)
	first, second := h.administrator, h.add(ticket.RoleAdministrator, "Demo Second", "second@demo.example")
	for what, act := range map[string]func(by, whom desk.Person) error{
		"disable": func(by, whom desk.Person) error { return h.Disable(t.Context(), by, whom.ID) },
		"demote":  func(by, whom desk.Person) error { return h.SetRole(t.Context(), by, whom.ID, ticket.RoleAgent) },
	} {
		for range rounds {
			h.sql(`UPDATE people SET disabled_at = NULL, role = 'administrator' WHERE id IN ($1, $2)`, first.ID, second.ID)
			errs := atOnce(func() error { return act(first, second) }, func() error { return act(second, first) })
			left := one[int](h, `SELECT count(*) FROM people WHERE role = 'administrator' AND disabled_at IS NULL`)
			if left != 1 {
				t.Fatalf("%s: %d administrators are left: %v", what, left, errs)
			}
			if (errs[0] == nil) == (errs[1] == nil) || fault.KindOf(errs[0]) != fault.Forbidden && fault.KindOf(errs[1]) != fault.Forbidden {
				t.Fatalf("%s: %v", what, errs)
			}
		}
	}
}

// An administrator who has just been disabled can do nothing more, although their page still shows them as one.
func TestAdministrators_canDoNothingOnceDisabled(t *testing.T) {
	h := open(t)
	gone := h.add(ticket.RoleAdministrator, "Demo Gone", "gone@demo.example")
	if err := h.Disable(t.Context(), h.administrator, gone.ID); err != nil {
		t.Fatal(err)
	}
	invited := desk.Person{Role: ticket.RoleAdministrator, Name: "Demo", Address: "x@demo.example"}
	wantKind(t, h.Invite(t.Context(), gone, invited), fault.Forbidden)
	wantKind(t, h.Enable(t.Context(), gone, gone.ID), fault.Conflict)
	wantKind(t, h.SetRole(t.Context(), gone, h.agent.ID, ticket.RoleAdministrator), fault.Forbidden)
	wantKind(t, h.Disable(t.Context(), gone, h.administrator.ID), fault.Forbidden)
}

func TestTokens_areLimitedUnderConcurrency(t *testing.T) {
	h := open(t)
	make20 := func() error {
		_, err := h.CreateToken(t.Context(), source, h.customer, account.Proof{Recent: true}, "", "at once", false)
		return err
	}
	for range 19 {
		if err := make20(); err != nil {
			t.Fatal(err)
		}
	}
	for range rounds {
		h.sql(`UPDATE tokens SET revoked_at = clock_timestamp() WHERE id = (SELECT max(id) FROM tokens WHERE revoked_at IS NULL) AND
			(SELECT count(*) FROM tokens WHERE revoked_at IS NULL) >= 20`)
		var made atomic.Int32
		for _, err := range atOnce(make20, make20, make20, make20) {
			if err == nil {
				made.Add(1)
			}
		}
		if n := one[int](h, `SELECT count(*) FROM tokens WHERE revoked_at IS NULL`); n != 20 || made.Load() != 1 {
			t.Fatalf("%d tokens, %d created concurrently", n, made.Load())
		}
	}
}

func TestInvitations_toOneAddressLeaveOneOpen(t *testing.T) {
	h := open(t)
	for round := range rounds {
		address := fmt.Sprintf("invited%d@demo.example", round)
		invite := func() error {
			return h.Invite(t.Context(), h.administrator, desk.Person{Role: ticket.RoleAgent, Name: "Demo", Address: address})
		}
		for _, err := range atOnce(invite, invite, invite) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := one[int](h, `SELECT count(*) FROM links WHERE address = $1 AND used_at IS NULL AND expires_at > clock_timestamp()`, address); n != 1 {
			t.Fatalf("%d invitations to one address are open", n)
		}
	}
}
