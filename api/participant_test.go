package api_test

import (
	"slices"
	"strings"
	"testing"
)

type peopleJSON struct {
	People []struct {
		ID, Name, Part, Address string
		Contact                 bool
	}
}

func TestParticipant_readsAndRepliesUntilRemoved(t *testing.T) {
	o := openFixture(t)
	self := o.submit("clara", `{"subject":"s","body":"b"}`)
	o.do("carl", 404, "GET", self, "")
	o.do("anna", 200, "POST", self+"/participants", `{"person":"`+strings.ToUpper(o.People["carl"].Address)+`"}`)

	for who, addresses := range map[string]bool{"anna": true, "clara": false, "carl": false} {
		people := decode[peopleJSON](t, o.do(who, 200, "GET", self, "")).People
		if len(people) != 2 || people[0].Part != "requester" || people[1].Part != "participant" || people[1].ID != string(o.People["carl"].ID) ||
			(people[1].Address != "") != addresses || (people[0].Address != "") != addresses {
			t.Errorf("%s sees the people %+v", who, people)
		}
	}
	o.do("carl", 200, "POST", self+"/replies", `{"body":"canary of carl"}`)
	o.do("anna", 200, "POST", self+"/replies", `{"body":"canary for all","recipients":"all"}`)
	o.do("anna", 200, "POST", self+"/replies", `{"body":"canary for clara","recipients":"requester"}`)
	for who, want := range map[string][3]bool{"anna": {true, true, true}, "clara": {true, true, true}, "carl": {true, true, false}} {
		body := o.do(who, 200, "GET", self+"/timeline", "").Body.String()
		got := [3]bool{strings.Contains(body, "canary of carl"), strings.Contains(body, "canary for all"), strings.Contains(body, "canary for clara")}
		if got != want {
			t.Errorf("%s reads %v: %s", who, got, body)
		}
	}
	if a := o.do("clara", 422, "POST", self+"/replies", `{"body":"b","recipients":"requester"}`); len(a.fields()) != 1 || a.fields()[0] != "body.recipients" {
		t.Errorf("a customer who chooses recipients: %+v", a.problem)
	}
	if a := o.do("anna", 422, "POST", self+"/replies", `{"body":"b","recipients":"nobody"}`); len(a.fields()) != 1 {
		t.Errorf("unknown recipients: %+v", a.problem)
	}
	o.do("carl", 403, "POST", self+"/withdrawal", "")
	o.do("carl", 403, "POST", self+"/participants", `{"person":"x@example.com"}`)
	o.do("carl", 403, "POST", self+"/participant-removals", `{"person":"`+string(o.People["clara"].ID)+`"}`)

	o.do("anna", 200, "POST", self+"/participant-removals", `{"person":"`+string(o.People["carl"].ID)+`"}`)
	o.do("carl", 404, "GET", self, "")
	o.do("carl", 404, "GET", self+"/timeline", "")
	o.do("carl", 404, "POST", self+"/replies", `{"body":"b"}`)

	o.do("anna", 200, "POST", self+"/requester", `{"person":"`+o.People["carl"].Address+`"}`)
	o.do("carl", 409, "POST", self+"/leaving", "")
	o.do("clara", 202, "POST", self+"/leaving", "")
	o.do("clara", 404, "GET", self, "")
	o.do("carl", 200, "POST", self+"/withdrawal", "")
}

func TestSubmit_byStaffForACustomer(t *testing.T) {
	o := openFixture(t)
	const requester = `,"requester":{"person":"walk-in@example.com","name":"Wanda"}`
	if a := o.do("anna", 422, "POST", "/api/v1/tickets", `{"subject":"s","body":"b"}`); len(a.fields()) != 1 || a.fields()[0] != "requester" {
		t.Errorf("for nobody: %+v", a.problem)
	}
	o.do("clara", 403, "POST", "/api/v1/tickets", `{"subject":"s","body":"b"`+requester+`}`)
	a := o.do("anna", 201, "POST", "/api/v1/tickets", `{"subject":"s","body":"b","priority":"urgent"`+requester+`}`)
	people := decode[peopleJSON](t, o.do("anna", 200, "GET", a.Header().Get("Location"), "")).People
	for _, c := range []struct {
		who, channel string
		status       int
		field        string
	}{
		{"anna", "in-person", 201, ""}, {"anna", "email", 422, "channel"}, {"clara", "phone", 422, "channel"},
	} {
		body := `{"subject":"s","body":"b","channel":"` + c.channel + `"`
		if c.who == "anna" {
			body += requester
		}
		a := o.do(c.who, c.status, "POST", "/api/v1/tickets", body+`}`)
		if c.field != "" && !slices.Equal(a.fields(), []string{c.field}) {
			t.Errorf("%s, %s: %+v", c.who, c.channel, a.problem)
		}
		if c.field == "" {
			o.do("anna", 200, "POST", a.Header().Get("Location")+"/notes", `{"body":"b"}`) // the ticket's first step was taken before
			first := decode[timelineJSON](t, o.do("anna", 200, "GET", a.Header().Get("Location")+"/timeline", "")).Entries[0]
			if first.Channel != c.channel {
				t.Errorf("the ticket came by %q", first.Channel)
			}
		}
	}
	if len(people) != 1 || people[0].Name != "Wanda" || people[0].Address != "walk-in@example.com" || !people[0].Contact {
		t.Errorf("the people are %+v", people)
	}
}
