package store_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// confirm adds an address to an account by the link that goes there.
func (d *fixture) confirm(p desk.Person, address string) error {
	d.t.Helper()
	id := strings.Repeat("A", 26)
	d.sql(`DELETE FROM deliveries WHERE queue = 'account'`)
	d.sql(`DELETE FROM links`)
	if err := d.Accounts().RequestAddress(d.t.Context(), id, p.ID, address, time.Hour); err != nil {
		d.t.Fatal(err)
	}
	return d.Accounts().ConfirmAddress(d.t.Context(), id, account.MaxAddresses)
}

func (d *fixture) addresses(p desk.Person) string {
	d.t.Helper()
	return one[string](d, `SELECT string_agg(CASE WHEN main THEN '*' ELSE '' END || address, ' ' ORDER BY lower(address)) FROM person_addresses WHERE person = $1`, p.ID)
}

// accountMails returns the kinds and recipients of the accounts' mails that are owed.
func (d *fixture) accountMails() string {
	d.t.Helper()
	return one[string](d, `SELECT coalesce(string_agg(kind || ' to ' || address || coalesce(' about ' || about_address, ''), ', ' ORDER BY kind), '')
		FROM deliveries WHERE queue = 'account' AND status = 'owed' AND link IS NULL`)
}

// decideAll decides all commands of a ticket.
func (d *fixture) decideAll(n ticket.Number) {
	d.t.Helper()
	d.step(ticket.StepRequest{Number: n, Command: one[int64](d, `SELECT last_command FROM tickets WHERE number = $1`, n)})
	d.consistent(n)
}

func TestAddress_becomesTheirsWhenItIsConfirmed(t *testing.T) {
	d := open(t)
	if err := d.confirm(d.customer, "Carla@Home.example"); err != nil {
		t.Fatal(err)
	}
	if got := d.addresses(d.customer); got != "*carla@example.com Carla@Home.example" {
		t.Errorf("addresses: %s", got)
	}
	if p, err := d.PersonByAddress(t.Context(), "carla@home.EXAMPLE"); err != nil || p != d.customer {
		t.Errorf("mail from it is that of %+v, %v", p, err)
	}
	if got := d.accountMails(); got != "address-added to carla@example.com about Carla@Home.example" {
		t.Errorf("mails: %s", got)
	}
	wantKind(t, d.Accounts().ConfirmAddress(t.Context(), linkID("A"), account.MaxAddresses), fault.NotFound)

	if err := d.Accounts().SetPrimaryAddress(t.Context(), d.customer.ID, "carla@home.example"); err != nil {
		t.Fatal(err)
	}
	if got := d.addresses(d.customer); got != "carla@example.com *Carla@Home.example" {
		t.Errorf("addresses: %s", got)
	}
	if got := d.accountMails(); got != "address-added to carla@example.com about Carla@Home.example, address-changed to carla@example.com, address-confirmed to Carla@Home.example" {
		t.Errorf("mails: %s", got)
	}
	for _, none := range []string{"carla@home.example", "otto@example.com", "nobody@example.com"} {
		wantKind(t, d.Accounts().SetPrimaryAddress(t.Context(), d.customer.ID, none), fault.NotFound)
		wantKind(t, d.Accounts().RemoveAddress(t.Context(), d.customer.ID, none), fault.NotFound)
	}
	d.sql(`DELETE FROM deliveries WHERE queue = 'account'`)
	if err := d.Accounts().RemoveAddress(t.Context(), d.customer.ID, "CARLA@example.com"); err != nil {
		t.Fatal(err)
	}
	if got := d.addresses(d.customer); got != "*Carla@Home.example" {
		t.Errorf("addresses: %s", got)
	}
	if got := d.accountMails(); got != "address-removed to Carla@Home.example about carla@example.com" {
		t.Errorf("mails: %s", got)
	}
	if got := one[string](d, `SELECT string_agg(kind || ': ' || detail, ', ' ORDER BY id) FROM security_events WHERE person = $1 AND kind LIKE 'address%'`, d.customer.ID); got !=
		"address-change-asked: Carla@Home.example, address-added: Carla@Home.example, address-changed: from carla@example.com to Carla@Home.example, address-removed: carla@example.com" {
		t.Errorf("events: %s", got)
	}
}

func TestAddress_ofAnAccountIsRefusedAndItsOwnerNotified(t *testing.T) {
	d := open(t)
	wantKind(t, d.confirm(d.customer, "OTTO@example.com"), fault.Conflict)
	if got := d.accountMails(); got != "already-registered to otto@example.com" {
		t.Errorf("mails: %s", got)
	}
	if links := one[int](d, `SELECT count(*) FROM deliveries WHERE link IS NOT NULL`); links != 0 {
		t.Error("the owner of another account is sent a link")
	}
	contact := d.contact("nina", "nina@example.com")
	wantKind(t, d.confirm(d.agent, contact.Address), fault.Conflict) // staff are in no ticket
	if got := d.addresses(contact); got != "*nina@example.com" {
		t.Errorf("the contact's addresses: %s", got)
	}
	d.sql(`UPDATE people SET disabled_at = clock_timestamp() WHERE id = $1`, contact.ID)
	wantKind(t, d.confirm(d.customer, contact.Address), fault.Conflict)
	for i := range account.MaxAddresses - 1 {
		if err := d.confirm(d.customer, strings.Repeat("x", i+1)+"@example.com"); err != nil {
			t.Fatal(err)
		}
	}
	wantKind(t, d.confirm(d.customer, "one-more@example.com"), fault.Conflict)
}

// A contact whose address an account confirms: whatever was the contact's is the account's.
func TestAddress_ofAContactMergesTheContact(t *testing.T) {
	d := open(t)
	contact := d.contact("carla", "carla@home.example")
	asked := submission()
	asked.Requester = desk.Whom{Person: contact.Address}
	a, err := d.Submit(t.Context(), d.agent, asked)
	if err != nil {
		t.Fatal(err)
	}
	own := a.Number
	d.step(ticket.StepRequest{Number: own, Command: 1})
	d.do(d.agent, desk.Request{Number: own, Verb: ticket.VerbAgentReply, Body: "The code is zinnober.", Alone: true})
	d.do(contact, desk.Request{Number: own, Verb: ticket.VerbCustomerReply, Body: "Thank you, marigold."})
	closed := d.takenFor(contact)
	d.do(d.agent, desk.Request{Number: closed, Verb: ticket.VerbClose})
	joined, both, fresh := d.taken(d.other), d.taken(d.customer), d.submit(d.customer).Number
	for _, n := range []ticket.Number{joined, both} {
		d.do(d.agent, whom(n, ticket.VerbAddParticipant, contact.Address))
	}
	d.ask(d.agent, whom(fresh, ticket.VerbAddParticipant, contact.Address)) // which no step has decided yet
	d.sql(`UPDATE deliveries SET status = 'sent', settled_at = clock_timestamp() WHERE ticket = $1`, own)
	grant := d.conversationLink(own, contact.ID)
	token, err := d.ReplyToken(t.Context(), desk.ReplyTo{Number: own, Person: contact.ID}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	file := d.upload(contact, "photo.png")

	if err := d.confirm(d.customer, contact.Address); err != nil {
		t.Fatal(err)
	}
	if got := d.addresses(d.customer); got != "*carla@example.com carla@home.example" {
		t.Errorf("addresses: %s", got)
	}
	for _, n := range []ticket.Number{own, closed, joined, both} {
		d.decideAll(n)
	}
	everything := []string{"link", "list", "reply", "search", "ticket", "timeline"}
	for _, n := range []ticket.Number{own, joined, both} {
		if ways := d.reach(d.customer, n); !slices.Equal(ways, everything) {
			t.Errorf("the account reaches %s by %v", n, ways)
		}
		if r, err := d.Ticket(t.Context(), d.agent, n); err != nil || slices.ContainsFunc(r.People, func(p desk.Involved) bool { return p.ID == contact.ID }) {
			t.Errorf("%s has the contact still: %+v, %v", n, r.People, err)
		}
		if got, want := d.kinds(n)[len(d.kinds(n))-1], ticket.EventPersonMerged; got != want {
			t.Errorf("the last event of %s is %s", n, got)
		}
	}
	if r, err := d.Ticket(t.Context(), d.customer, closed); err != nil || r.Requester.ID != d.customer.ID {
		t.Errorf("the closed ticket is of %+v, %v", r.Requester, err)
	}
	d.seesAsTheirOwn(own)

	// Everything that was sent to the contact opens the account's tickets.
	if g, err := d.ReadLink(t.Context(), grant); err != nil || g.Person != d.customer.ID {
		t.Errorf("a link in an email to the contact opens %+v, %v", g, err)
	}
	thread, found, err := d.Thread(t.Context(), desk.ReadMail{Addressed: []string{"support+" + token + "@desk.example"}}, "")
	if err != nil || !found || !thread.Proven || thread.Person != d.customer.ID {
		t.Errorf("an answer to an email to the contact is of %+v, %v, %v", thread, found, err)
	}
	if got := one[string](d, `SELECT string_agg(DISTINCT person || ' ' || address, ', ') FROM deliveries WHERE ticket = $1 AND kind = 'receipt'`, own); got != string(d.customer.ID)+" carla@home.example" {
		t.Errorf("the receipt is of %s", got)
	}
	if f, err := d.File(t.Context(), d.customer, file); err != nil || f.By != d.customer.ID {
		t.Errorf("the contact's file: %+v, %v", f, err)
	}
	if who, err := d.customerNamed(contact.ID); err != nil || who != d.customer.ID {
		t.Errorf("the contact's ID names %s, %v", who, err)
	}
	wantKind(t, d.Accounts().Enable(t.Context(), d.administrator.ID, contact.ID), fault.NotFound)

	// What was added meanwhile follows.
	d.decideAll(fresh)
	if n, err := d.MergeTickets(t.Context()); n != 1 || err != nil {
		t.Errorf("%d tickets are merged late, %v", n, err)
	}
	d.sql(`DELETE FROM undelivered WHERE ticket = $1`, fresh) // it is delivered, and not decided yet
	if n, err := d.MergeTickets(t.Context()); n != 0 || err != nil {
		t.Errorf("%d tickets are merged twice, %v", n, err)
	}
	d.decideAll(fresh)
	if left := one[int](d, `SELECT count(*) FROM participants WHERE person = $1`, contact.ID); left != 0 {
		t.Errorf("the contact is in %d tickets", left)
	}
}

// What a contact wrote and their ticket refused is the account's, too.
func TestAddress_ofAContactMergesWhatWasRefused(t *testing.T) {
	d := open(t)
	contact := d.contact("carla", "carla@home.example")
	n := d.takenFor(contact)
	file := d.upload(contact, "saffron.png")
	d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	d.ask(contact, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Not yet, saffron!", Files: []desk.FileID{file}})
	d.decideAll(n)
	if err := d.confirm(d.customer, contact.Address); err != nil {
		t.Fatal(err)
	}
	d.decideAll(n)
	if found, _, err := d.List(t.Context(), desk.Filter{Viewer: d.customer, Text: "saffron"}); err != nil || len(found) != 1 {
		t.Errorf("%d tickets are found by it, %v", len(found), err)
	}
	if _, err := d.File(t.Context(), d.customer, file); err != nil {
		t.Errorf("its file: %v", err)
	}
	wantKind(t, second(d.File(t.Context(), d.other, file)), fault.NotFound)
}

func second[T any](_ T, err error) error { return err }

// takenFor returns a ticket that staff opened for someone and a step has accepted.
func (d *fixture) takenFor(p desk.Person) ticket.Number {
	d.t.Helper()
	sub := submission()
	sub.Requester = desk.Whom{Person: string(p.ID)}
	a, err := d.Submit(d.t.Context(), d.agent, sub)
	if err != nil {
		d.t.Fatal(err)
	}
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	return a.Number
}

func (d *fixture) conversationLink(n ticket.Number, p ticket.PersonID) string {
	d.t.Helper()
	token, err := d.ConversationLink(d.t.Context(), n, p, time.Now())
	if err != nil {
		d.t.Fatal(err)
	}
	return token
}

// customerNamed returns the requester of a ticket that staff open for an ID.
func (d *fixture) customerNamed(id ticket.PersonID) (who ticket.PersonID, err error) {
	sub := submission()
	sub.Requester = desk.Whom{Person: string(id)}
	a, err := d.Submit(d.t.Context(), d.agent, sub)
	if err != nil {
		return "", err
	}
	return one[ticket.PersonID](d, `SELECT requester FROM tickets WHERE number = $1`, a.Number), nil
}

// seesAsTheirOwn checks that the customer reads a contact's ticket as if they had always been its requester.
func (d *fixture) seesAsTheirOwn(n ticket.Number) {
	d.t.Helper()
	entries, err := d.tickets.Timeline(d.t.Context(), d.customer, n)
	if err != nil {
		d.t.Fatal(err)
	}
	alone := slices.ContainsFunc(entries, func(e desk.Entry) bool { return e.Body == "The code is zinnober." })
	said := slices.IndexFunc(entries, func(e desk.Entry) bool { return e.Body == "Thank you, marigold." })
	if !alone || said < 0 || entries[said].By.ID != d.customer.ID || entries[said].Author.Name != d.customer.Name {
		d.t.Errorf("the account reads %+v", entries)
	}
	for _, word := range []string{"zinnober", "marigold"} {
		if found, _, err := d.List(d.t.Context(), desk.Filter{Viewer: d.customer, Text: word}); err != nil || len(found) != 1 {
			d.t.Errorf("%d tickets are found by %s, %v", len(found), word, err)
		}
	}
	if others, err := d.tickets.Timeline(d.t.Context(), d.agent, n); err != nil || others[len(others)-1].Kind != ticket.EventPersonMerged && !slices.ContainsFunc(others, func(e desk.Entry) bool {
		return e.Kind == ticket.EventPersonMerged && e.Named.Name == d.customer.Name
	}) {
		d.t.Errorf("staff read %+v, %v", others, err)
	}
}

// A merged contact of a removed address: its links end with those of the account.
func TestRemoveAddress_endsTheLinksThatWentThere(t *testing.T) {
	d := open(t)
	contact := d.contact("carla", "carla@home.example")
	n := d.takenFor(contact)
	old := d.conversationLink(n, contact.ID)
	if err := d.confirm(d.customer, contact.Address); err != nil {
		t.Fatal(err)
	}
	d.decideAll(n)
	if _, err := d.ReadLink(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := d.Accounts().RemoveAddress(t.Context(), d.customer.ID, contact.Address); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadLink(t.Context(), old); !link.Revoked(err) {
		t.Errorf("a link to an address that was removed: %v", err)
	}
}

// The desk's own addresses are no person's, by whatever way.
func TestAddress_ofTheDeskIsNobodys(t *testing.T) {
	d := open(t)
	own, err := store.Open(t.Context(), d.dsn, store.Options{MaxConns: 4, Own: func(address string) bool {
		return strings.HasPrefix(strings.ToLower(address), "support") && strings.HasSuffix(strings.ToLower(address), "@desk.example")
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Close)
	n := d.taken(d.customer)
	contact := d.contact("nina", "nina@example.com")
	ctx, accounts := t.Context(), own.Accounts()
	for _, address := range []string{"support@desk.example", "SUPPORT+tag@Desk.example"} {
		person := desk.Person{Role: ticket.RoleCustomer, Name: "Support", Address: address}
		asked := submission()
		asked.Requester = desk.Whom{Person: address}
		for name, do := range map[string]func() (string, error){
			"a participant": func() (string, error) {
				_, err := own.Command(ctx, d.agent, whom(n, ticket.VerbAddParticipant, address))
				return "person", err
			},
			"a requester": func() (string, error) {
				_, err := own.Command(ctx, d.agent, whom(n, ticket.VerbChangeRequester, address))
				return "person", err
			},
			"one removed": func() (string, error) {
				_, err := own.Command(ctx, d.agent, whom(n, ticket.VerbRemoveParticipant, address))
				return "person", err
			},
			"whom a ticket is opened for": func() (string, error) {
				_, err := own.Submit(ctx, d.agent, asked)
				return "requester", err
			},
			"an email's sender": func() (string, error) {
				_, err := own.EnsureContact(ctx, "", "", address)
				return "address", err
			},
			"a contact": func() (string, error) { return "address", own.CorrectContact(ctx, d.agent, contact.ID, address) },
			"a further address": func() (string, error) {
				return "address", accounts.RequestAddress(ctx, linkID("B"), d.customer.ID, address, time.Hour)
			},
			"a registration": func() (string, error) {
				return "address", accounts.Register(ctx, linkID("B"), "Support", address, time.Hour)
			},
			"an invitation": func() (string, error) {
				return "address", accounts.Invite(ctx, linkID("B"), d.administrator.ID, desk.Person{Role: ticket.RoleAgent, Name: "Support", Address: address, Handle: "support"}, time.Hour)
			},
			"a person": func() (string, error) {
				_, err := own.AddPerson(ctx, person)
				return "address", err
			},
			"an email sent again": func() (string, error) {
				_, err := own.Command(ctx, d.agent, desk.Request{Number: n, Verb: ticket.VerbResend, Mail: 1, Address: address})
				return "address", err
			},
		} {
			field, err := do()
			if refused, ok := err.(*fault.Error); !ok || refused.Kind != fault.Invalid || len(refused.Details) != 1 || //nolint:errorlint // not wrapped
				refused.Details[0] != (fault.Detail{Field: field, Message: "is an address of this desk"}) {
				t.Errorf("%s as %s: %v", address, name, err)
			}
		}
	}
	if got := one[int](d, `SELECT count(*) FROM person_addresses WHERE address ILIKE 'support%'`); got != 0 {
		t.Errorf("%d people have an address of the desk", got)
	}
	// It became the desk's after the links were made.
	if err := d.Accounts().RequestAddress(ctx, linkID("C"), d.customer.ID, "support@desk.example", time.Hour); err != nil {
		t.Fatal(err)
	}
	wantKind(t, accounts.ConfirmAddress(ctx, linkID("C"), account.MaxAddresses), fault.Invalid)
	if err := d.Accounts().Register(ctx, linkID("B"), "Support", "support@desk.example", time.Hour); err != nil {
		t.Fatal(err)
	}
	_, err = accounts.CreateAccount(ctx, linkID("B"), "Support", "$argon2id$demo")
	wantKind(t, err, fault.Invalid)
}
