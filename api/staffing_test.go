package api_test

import (
	"strings"
	"testing"
	"time"
)

func TestGroups_areMadeChangedAndDeleted(t *testing.T) {
	o := openFixture(t)
	made := o.do("sam", 201, "POST", "/api/v1/groups", `{"handle": "vans", "title": "Vans"}`)
	if !strings.Contains(made.Body.String(), `{"handle":"vans","title":"Vans","members":[]}`) {
		t.Errorf("made: %s", made.Body)
	}
	o.do("sam", 409, "POST", "/api/v1/groups", `{"handle": "vans", "title": "Again"}`)
	o.do("sam", 422, "POST", "/api/v1/groups", `{"handle": "The Vans", "title": "Vans"}`)
	o.do("sam", 200, "PUT", "/api/v1/groups/vans/members/anna", "")
	o.do("sam", 404, "PUT", "/api/v1/groups/vans/members/nobody", "")
	o.do("sam", 409, "PUT", "/api/v1/groups/everyone/members/anna", "")
	renamed := o.do("sam", 200, "PATCH", "/api/v1/groups/vans", `{"title": "Lorries"}`)
	if want := `{"handle":"vans","title":"Lorries","members":[{"handle":"anna","name":"Anna Agent","role":"agent","load":0,"away":false}]}`; strings.TrimSpace(renamed.Body.String()) != want {
		t.Errorf("renamed: %s, want %s", renamed.Body, want)
	}
	all := o.do("sam", 200, "GET", "/api/v1/groups", "").Body.String()
	if !strings.HasPrefix(all, `{"groups":[{"handle":"everyone","title":"All agents","fixed":true,"members":[{"handle":"anna"`) || !strings.Contains(all, "Lorries") {
		t.Errorf("all: %s", all)
	}
	o.do("anna", 403, "GET", "/api/v1/groups", "")
	o.do("sam", 200, "DELETE", "/api/v1/groups/vans/members/anna", "")
	o.do("sam", 404, "DELETE", "/api/v1/groups/vans/members/anna", "")
	o.do("sam", 200, "DELETE", "/api/v1/groups/vans", "")
	o.do("sam", 404, "PATCH", "/api/v1/groups/vans", `{"title": "Gone"}`)
}

func TestAway_untilAndBack(t *testing.T) {
	o := openFixture(t)
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if a := o.do("anna", 200, "POST", "/api/v1/away", `{"away": true, "until": "`+until+`"}`).Body.String(); !strings.Contains(a, `"away":true`) || !strings.Contains(a, `"until":"`+until+`"`) {
		t.Errorf("away: %s", a)
	}
	if a := o.do("anna", 200, "GET", "/api/v1/away", "").Body.String(); strings.Count(a, `"away":true`) != 1 || strings.Count(a, `"away":false`) != 1 {
		t.Errorf("staff: %s", a)
	}
	o.do("anna", 422, "POST", "/api/v1/away", `{"away": true, "until": "2020-01-01T00:00:00Z"}`)
	o.do("anna", 422, "POST", "/api/v1/away", `{"away": false, "until": "`+until+`"}`)
	o.do("anna", 403, "POST", "/api/v1/away", `{"away": true, "agent": "sam"}`)
	o.do("sam", 404, "POST", "/api/v1/away", `{"away": true, "agent": "nobody"}`)
	o.do("clara", 403, "POST", "/api/v1/away", `{"away": true}`)
	if a := o.do("sam", 200, "POST", "/api/v1/away", `{"away": false, "agent": "anna"}`).Body.String(); strings.Contains(a, "since") || !strings.Contains(a, `"away":false`) {
		t.Errorf("back: %s", a)
	}
}

// TestTimeline_keepsRulesToStaff: the requester sees the agent whom a rule assigned, and nothing of the rule.
func TestTimeline_keepsRulesToStaff(t *testing.T) {
	o := openFixtureUnder(t, "time_zone: UTC\nclocks:\n  first_response: {target: 1h, counts: calendar}\n  resolution: {target: 2h, counts: calendar}\nassignment: [{group: everyone, by: round_robin}]\n")
	path := o.submit("clara", `{"subject": "My parcel", "body": "Where is it?"}`)
	o.do("sam", 200, "POST", path+"/notes", `{"body": "Seen."}`) // the submission has been taken by then
	staff, hers := o.do("sam", 200, "GET", path+"/timeline", "").Body.String(), o.do("clara", 200, "GET", path+"/timeline", "").Body.String()
	if !strings.Contains(staff, `"group":"everyone"`) || !strings.Contains(staff, `"rule":1`) {
		t.Errorf("staff see %s", staff)
	}
	if !strings.Contains(hers, `"assigned"`) || strings.Contains(hers, "everyone") || strings.Contains(hers, `"rule"`) {
		t.Errorf("the requester sees %s", hers)
	}
}
