package api_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
)

type addressesJSON struct {
	Primary string
	Further []string
}

const addressesPath = "/api/v1/account/addresses"

func TestAddresses_areAddedChosenAndRemoved(t *testing.T) {
	o := openFixture(t)
	const password = "seventeen yellow bicycles"
	clara := o.People["clara"]
	accounts := account.New(o.Accounts(), "https://support.example.com")
	if _, err := accounts.ChangePassword(t.Context(), "192.0.2.1", clara, account.Proof{Recent: true}, password, account.KeepTokens); err != nil {
		t.Fatal(err)
	}
	is := func(a answer, primary string, further ...string) {
		t.Helper()
		if got := decode[addressesJSON](t, a); got.Primary != primary || !slices.Equal(got.Further, further) || got.Further == nil {
			t.Errorf("addresses %+v", got)
		}
	}
	is(o.do("clara", 200, "GET", addressesPath, ""), clara.Address)
	for body, field := range map[string]string{
		`{"address":"nobody","current_password":"` + password + `"}`:                "address",
		`{"address":"clara@home.example","current_password":"something else"}`:      "current_password",
		`{"address":"clara@home.example"}`:                                          "current_password",
		`{"address":"` + clara.Address + `","current_password":"` + password + `"}`: "address",
	} {
		if a := o.do("clara", 422, "POST", addressesPath, body); len(a.fields()) != 1 || a.fields()[0] != field {
			t.Errorf("%s: %+v", body, a.problem)
		}
	}
	// The response does not depend on whose the address is.
	link := strings.Repeat("A", 26)
	if err := o.Accounts().RequestAddress(t.Context(), link, clara.ID, "clara@work.example", time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := o.Accounts().ConfirmAddress(t.Context(), link, account.MaxAddresses); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"clara@home.example", o.People["carl"].Address, o.People["anna"].Address} {
		is(o.do("clara", 200, "POST", addressesPath, `{"address":"`+address+`","current_password":"`+password+`"}`), clara.Address, "clara@work.example")
	}
	o.do("clara", 404, "PUT", addressesPath+"/primary", `{"address":"clara@home.example","current_password":"`+password+`"}`)
	is(o.do("clara", 200, "PUT", addressesPath+"/primary", `{"address":"clara@work.example","current_password":"`+password+`"}`), "clara@work.example", clara.Address)
	const removals = "/api/v1/account/address-removals"
	o.do("clara", 404, "POST", removals, `{"address":"clara@work.example","current_password":"`+password+`"}`)
	o.do("clara", 422, "POST", removals, `{"address":"`+clara.Address+`"}`)
	is(o.do("clara", 200, "GET", addressesPath, ""), "clara@work.example", clara.Address)
	is(o.do("clara", 200, "POST", removals, `{"address":"`+clara.Address+`","current_password":"`+password+`"}`), "clara@work.example")
	for _, path := range []string{addressesPath, removals} {
		o.do("carl", 401, "POST", path, `{"address":"carl@home.example"}`) // without a password
	}
}

func TestContact_isCorrectedByStaff(t *testing.T) {
	o := openFixture(t)
	contact, err := o.EnsureContact(t.Context(), o.People["anna"].ID, "Nina", "nina@exmaple.com")
	if err != nil {
		t.Fatal(err)
	}
	path := "/api/v1/contacts/" + string(contact.ID)
	o.do("clara", 403, "PATCH", path, `{"address":"nina@example.com"}`)
	got := decode[struct{ ID, Address string }](t, o.do("anna", 200, "PATCH", path, `{"address":"nina@example.com"}`))
	if p, err := o.PersonByAddress(t.Context(), "nina@example.com"); err != nil || p.ID != contact.ID || got.ID != string(contact.ID) || got.Address != "nina@example.com" {
		t.Errorf("%+v is that of %+v, %v", got, p, err)
	}
	o.do("anna", 409, "PATCH", path, `{"address":"`+o.People["clara"].Address+`"}`)
	o.do("anna", 409, "PATCH", "/api/v1/contacts/"+string(o.People["clara"].ID), `{"address":"x@example.com"}`)
	o.do("anna", 404, "PATCH", "/api/v1/contacts/P-0000000000", `{"address":"x@example.com"}`)
	if a := o.do("anna", 422, "PATCH", path, `{"address":"x"}`); len(a.fields()) != 1 || a.fields()[0] != "address" {
		t.Errorf("an address that is none: %+v", a.problem)
	}
}
