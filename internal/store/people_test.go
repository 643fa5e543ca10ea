package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestAddPerson_givesAnIDAndStaffAHandle(t *testing.T) {
	d := open(t)
	if d.customer.ID == "" || d.customer.Handle != "" {
		t.Errorf("customer %+v", d.customer)
	}
	if want := "agent-" + strings.ToLower(string(d.agent.ID[2:])); d.agent.Handle != want {
		t.Errorf("handle %s, want %s", d.agent.Handle, want)
	}
	people, err := d.People(t.Context())
	if err != nil || len(people) != 6 {
		t.Errorf("%d people, %v", len(people), err)
	}
}

func TestAddPerson_refuses(t *testing.T) {
	d := open(t)
	for name, c := range map[string]struct {
		p    desk.Person
		kind fault.Kind
	}{
		"address that is taken, in another case": {desk.Person{Name: "Demo", Role: ticket.RoleCustomer, Address: "CARLA@example.com"}, fault.Conflict},
		"handle that is taken":                   {desk.Person{Name: "Demo", Role: ticket.RoleAgent, Address: "new@desk.example", Handle: strings.ToUpper(d.agent.Handle)}, fault.Conflict},
		"handle like an ID":                      {desk.Person{Name: "Demo", Role: ticket.RoleAgent, Address: "new@desk.example", Handle: string(d.agent.ID)}, fault.Invalid},
		"handle with a space":                    {desk.Person{Name: "Demo", Role: ticket.RoleAgent, Address: "new@desk.example", Handle: "a b"}, fault.Invalid},
		"customer's handle":                      {desk.Person{Name: "Demo", Role: ticket.RoleCustomer, Address: "new@example.com", Handle: "me"}, fault.Invalid},
		"no address":                             {desk.Person{Name: "Demo", Role: ticket.RoleCustomer}, fault.Invalid},
		"a name in the address":                  {desk.Person{Name: "Demo", Role: ticket.RoleCustomer, Address: "New <new@example.com>"}, fault.Invalid},
		"no name":                                {desk.Person{Name: " ", Role: ticket.RoleCustomer, Address: "new@example.com"}, fault.Invalid},
		"a name of two lines":                    {desk.Person{Name: "Demo\r\nBcc: x@example.com", Role: ticket.RoleCustomer, Address: "new@example.com"}, fault.Invalid},
		"a name that turns the text around":      {desk.Person{Name: "Demo\u202e", Role: ticket.RoleCustomer, Address: "new@example.com"}, fault.Invalid},
		"unknown role":                           {desk.Person{Name: "Demo", Role: ticket.RoleOperator, Address: "new@example.com"}, fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := d.AddPerson(t.Context(), c.p)
			wantKind(t, err, c.kind)
		})
	}
}

func TestByToken_untilRevokedOrDisabled(t *testing.T) {
	d := open(t)
	token, err := d.IssueToken(t.Context(), d.agent.ID, "laptop")
	if err != nil || !strings.HasPrefix(token, "sd_") || len(token) != 46 {
		t.Fatalf("token of %d characters, %v", len(token), err)
	}
	if n := one[int64](d, `SELECT count(*) FROM tokens t WHERE t::text LIKE '%' || $1 || '%'`, token[3:]); n != 0 {
		t.Error("the token itself is stored")
	}
	if p, err := d.ByToken(t.Context(), token, true); err != nil || p != d.agent {
		t.Errorf("got %+v, %v", p, err)
	}
	_, err = d.ByToken(t.Context(), "sd_unknown", true)
	wantKind(t, err, fault.Unauthenticated)
	if n, err := d.RevokeTokens(t.Context(), d.agent.ID); n != 1 || err != nil {
		t.Errorf("revoked %d, %v", n, err)
	}
	_, err = d.ByToken(t.Context(), token, true)
	wantKind(t, err, fault.Unauthenticated)

	if token, err = d.IssueToken(t.Context(), d.agent.ID, ""); err != nil {
		t.Fatal(err)
	}
	if err := d.DisablePerson(t.Context(), d.agent.ID); err != nil {
		t.Fatal(err)
	}
	_, err = d.ByToken(t.Context(), token, true)
	wantKind(t, err, fault.Unauthenticated)
	_, err = d.IssueToken(t.Context(), d.agent.ID, "")
	wantKind(t, err, fault.NotFound)
	wantKind(t, d.DisablePerson(t.Context(), "P-0000000000"), fault.NotFound)
}

func TestPersonByHandleOrAddress(t *testing.T) {
	d := open(t)
	for _, typed := range []string{strings.ToUpper(d.agent.Handle), "Anna@Desk.example"} {
		if p, err := d.PersonByHandleOrAddress(t.Context(), typed); err != nil || p != d.agent {
			t.Errorf("%s: %+v, %v", typed, p, err)
		}
	}
	_, err := d.PersonByHandleOrAddress(t.Context(), "nobody@example.com")
	wantKind(t, err, fault.NotFound)
}

// Every page of the panel lists the staff: at a hundred thousand open tickets, reading all of them for each took seconds.
func TestStaff_countsTheLoadFromAnIndexAlone(t *testing.T) {
	t.Parallel()
	d := open(t)
	for i := range 40 {
		d.add(ticket.RoleAgent, fmt.Sprint("Agent ", i), fmt.Sprintf("agent%d@desk.example", i))
	}
	d.sql(`INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category, assignee)
		SELECT 'HM-' || lpad(i::text, 10, '0'), $1, 1, now(), now(), now(), 1, (ARRAY['new', 'open', 'waiting', 'resolved', 'closed'])[1 + i % 5], 'normal', 'order',
			CASE WHEN i % 2 = 0 THEN $2 ELSE $3 END FROM generate_series(1, 10000) i`, d.customer.ID, d.agent.ID, d.second.ID)
	d.sql(`VACUUM ANALYZE tickets`)
	staff, err := d.Staff(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range staff {
		if want := map[ticket.PersonID]int{d.agent.ID: 3000, d.second.ID: 3000}[c.ID]; c.Load != want {
			t.Errorf("%s has %d tickets, want %d", c.Name, c.Load, want)
		}
	}
	rows, err := d.beside.Query(t.Context(), `EXPLAIN `+store.StaffQuery)
	if err != nil {
		t.Fatal(err)
	}
	if plan := lines(t, rows); !strings.Contains(plan, "Index Only Scan using tickets_of_agent") {
		t.Errorf("the load of the staff is counted by\n%s", plan)
	}
}
