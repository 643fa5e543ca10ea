package store_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// linkID returns an ID of a link for tests.
func linkID(letter string) string { return strings.Repeat(letter, 26) }

func (d *fixture) contact(name, address string) desk.Person {
	d.t.Helper()
	p, err := d.EnsureContact(d.t.Context(), d.agent.ID, name, address)
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

func (d *fixture) claimed(p desk.Person) bool {
	d.t.Helper()
	return one[bool](d, `SELECT claimed_at IS NOT NULL FROM people WHERE id = $1`, p.ID)
}

func TestEnsureContact_addsOnePersonForAnAddressInAnyCase(t *testing.T) {
	d := open(t)
	var some errgroup.Group
	for _, address := range []string{"new@example.com", "NEW@example.com", "New@Example.com", "new@EXAMPLE.com"} {
		some.Go(func() error {
			_, err := d.EnsureContact(t.Context(), d.agent.ID, "", address)
			return err
		})
	}
	if err := some.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := one[int](d, `SELECT count(*) FROM people WHERE lower(address) = 'new@example.com'`); n != 1 {
		t.Errorf("%d people with the address", n)
	}
	p, err := d.PersonByAddress(t.Context(), "nEw@example.com")
	if err != nil || p.Role != ticket.RoleCustomer || !strings.EqualFold(p.Name, "new") || d.claimed(p) {
		t.Errorf("contact %+v, %v", p, err)
	}
	if got := d.contact("Somebody else", "CARLA@example.com"); got != d.customer {
		t.Errorf("the address of an account is %+v", got)
	}
	if !d.claimed(d.customer) {
		t.Error("an account counts as a contact")
	}
}

func TestEnsureContact_refuses(t *testing.T) {
	d := open(t)
	if err := d.DisablePerson(t.Context(), d.other.ID); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		name, address string
		kind          fault.Kind
	}{
		"no address":          {"Demo", "", fault.Invalid},
		"two addresses":       {"Demo", "a@example.com, b@example.com", fault.Invalid},
		"a header":            {"Demo", "a@example.com\r\nBcc: b@example.com", fault.Invalid},
		"a name of two lines": {"De\nmo", "a@example.com", fault.Invalid},
		"one who is disabled": {"Demo", "OTTO@example.com", fault.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.EnsureContact(t.Context(), d.agent.ID, c.name, c.address)
			wantKind(t, err, c.kind)
		})
	}
}

func TestContact_becomesTheAccountOfWhoProvesTheAddress(t *testing.T) {
	for name, prove := range map[string]func(*fixture) (account.Authenticated, error){
		"by registering": func(d *fixture) (account.Authenticated, error) {
			if err := d.Accounts().Register(d.t.Context(), linkID("A"), "Nina Newcomer", "NINA@example.com", time.Hour); err != nil {
				d.t.Fatal(err)
			}
			if kind := one[string](d, `SELECT kind FROM deliveries WHERE queue = 'account'`); kind != "verify" {
				d.t.Fatalf("a contact who registers gets the mail %s", kind)
			}
			return d.Accounts().CreateAccount(d.t.Context(), linkID("A"), "Nina Newcomer", "$argon2id$demo")
		},
		"by a sign-in link": func(d *fixture) (account.Authenticated, error) {
			if err := d.Accounts().RequestLink(d.t.Context(), linkID("A"), account.SignIn, "NINA@example.com", time.Hour); err != nil {
				d.t.Fatal(err)
			}
			return d.Accounts().SignInByLink(d.t.Context(), linkID("A"))
		},
		"by choosing a password": func(d *fixture) (account.Authenticated, error) {
			if err := d.Accounts().RequestLink(d.t.Context(), linkID("A"), account.Reset, "nina@example.com", time.Hour); err != nil {
				d.t.Fatal(err)
			}
			return d.Accounts().Reset(d.t.Context(), linkID("A"), "$argon2id$demo", account.RevokeTokens)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t)
			contact := d.contact("nina", "nina@example.com")
			in, err := prove(d)
			if err != nil || in.Person.ID != contact.ID || in.Person.Address != "nina@example.com" {
				t.Fatalf("signed in as %+v, %v; the contact is %s", in.Person, err, contact.ID)
			}
			if !d.claimed(contact) {
				t.Error("still a contact")
			}
			if to := one[string](d, `SELECT address FROM deliveries WHERE link = $1 `, linkID("A")); name != "by registering" && to != "nina@example.com" {
				t.Errorf("the link went to %s, which is not the address as it is stored", to)
			}
			if n := one[int](d, `SELECT count(*) FROM security_events WHERE kind = 'contact-claimed' AND person = $1`, contact.ID); n != 1 {
				t.Errorf("%d security events", n)
			}
			wantKind(t, d.CorrectContact(t.Context(), d.agent, contact.ID, "else@example.com"), fault.Conflict)
		})
	}
}

func TestCorrectContact_movesTheContactAndEndsLinksToTheOldAddress(t *testing.T) {
	d := open(t)
	contact := d.contact("nina", "nina@exmaple.com")
	if err := d.Accounts().RequestLink(t.Context(), linkID("A"), account.SignIn, contact.Address, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := d.CorrectContact(t.Context(), d.agent, contact.ID, "nina@example.com"); err != nil {
		t.Fatal(err)
	}
	if p, err := d.PersonByAddress(t.Context(), "Nina@Example.com"); err != nil || p.ID != contact.ID {
		t.Errorf("by the new address %+v, %v", p, err)
	}
	_, err := d.PersonByAddress(t.Context(), "nina@exmaple.com")
	wantKind(t, err, fault.NotFound)
	_, err = d.Accounts().SignInByLink(t.Context(), linkID("A"))
	wantKind(t, err, fault.NotFound)

	wantKind(t, d.CorrectContact(t.Context(), d.agent, contact.ID, "CARLA@example.com"), fault.Conflict)
	wantKind(t, d.CorrectContact(t.Context(), d.agent, contact.ID, "nobody"), fault.Invalid)
	wantKind(t, d.CorrectContact(t.Context(), d.customer, contact.ID, "x@example.com"), fault.Forbidden)
	wantKind(t, d.CorrectContact(t.Context(), d.agent, d.customer.ID, "x@example.com"), fault.Conflict)
	wantKind(t, d.CorrectContact(t.Context(), d.agent, d.second.ID, "x@example.com"), fault.Conflict)
	wantKind(t, d.CorrectContact(t.Context(), d.agent, "P-0000000000", "x@example.com"), fault.NotFound)
}

func TestAddresses_belongToOnePersonHoweverTheyAreWritten(t *testing.T) {
	d := open(t)
	exec := func(sql string, args ...any) error {
		_, err := d.beside.Exec(t.Context(), sql, args...)
		return err
	}
	if err := exec(`INSERT INTO person_addresses (address, person) VALUES ('carla@home.example', $1)`, d.customer.ID); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another's further address": exec(`INSERT INTO person_addresses (address, person) VALUES ('CARLA@home.example', $1)`, d.other.ID),
		"another's main address":    exec(`INSERT INTO person_addresses (address, person) VALUES ('CARLA@example.com', $1)`, d.other.ID),
		"a new person":              exec(`INSERT INTO people (id, role, name, address) VALUES ('P-0000000009', 'customer', 'x', 'Carla@Home.example')`),
		"a main address":            exec(`UPDATE people SET address = 'Carla@home.example' WHERE id = $1`, d.other.ID),
	} {
		if err == nil {
			t.Errorf("%s was stored", name)
		}
	}
	if _, err := d.AddPerson(t.Context(), desk.Person{Role: ticket.RoleCustomer, Name: "x", Address: "CARLA@home.example"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a person with another's further address: %v", err)
	}
	if err := exec(`UPDATE people SET address = 'Carla@home.example' WHERE id = $1`, d.customer.ID); err != nil {
		t.Errorf("one's own further address as the main one: %v", err)
	}
	if got := one[string](d, `SELECT string_agg(address || CASE WHEN main THEN ' main' ELSE '' END, ', ') FROM person_addresses WHERE person = $1`, d.customer.ID); got != "Carla@home.example main" {
		t.Errorf("addresses: %s", got)
	}
}
