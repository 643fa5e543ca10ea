package panel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestAway_untilOneIsBack(t *testing.T) {
	o := newFixture(t)
	anna := o.browser("anna")
	page := anna.get("/desk/away").wantStatus(http.StatusOK)
	pagetest.Check(t, "away, while here", page.Document)
	if page.Line("#you-title") != "You are available" {
		t.Errorf("it says %q", page.Line("#you-title"))
	}
	bad := anna.post("/desk/away", url.Values{"until": {"tomorrow"}}).wantStatus(http.StatusUnprocessableEntity)
	pagetest.Check(t, "away until nonsense", bad.Document)
	if bad.Line("#until-wrong") == "" || bad.Find("#until").AttrOr("value", "") != "tomorrow" {
		t.Error("the error is not shown beside the input")
	}
	past := anna.post("/desk/away", url.Values{"until": {"2020-01-01T10:00"}}).wantStatus(http.StatusUnprocessableEntity)
	if past.Line("#until-wrong") != "This must be in the future." {
		t.Errorf("a time in the past: %q", past.Line("#until-wrong"))
	}
	until := time.Now().Add(26 * time.Hour).UTC()
	anna.post("/desk/away", url.Values{"until": {until.Format("2006-01-02T15:04")}}).wantStatus(http.StatusSeeOther)
	page = anna.get("/desk/away").wantStatus(http.StatusOK)
	pagetest.Check(t, "away", page.Document)
	if page.Line("#you-title") != "You are away" || !strings.Contains(page.Find("main").Text(), until.Format("Mon 2 Jan 2006, 15:04")) {
		t.Errorf("it says %s", page.Find("main").Text())
	}
	if got := anna.get("/desk").Line("#queues .is-away .name"); got != "You are away" {
		t.Errorf("beside the queues it says %q", got)
	}
	anna.post("/desk/away", url.Values{"back": {"1"}}).wantStatus(http.StatusSeeOther)
	if anna.get("/desk").Find("#queues .is-away").Length() != 0 {
		t.Error("still away")
	}
}

func TestAway_ofOthersIsTheSupervisorsToSay(t *testing.T) {
	o := newFixture(t)
	o.browser("anna").post("/desk/away", url.Values{"agent": {"bert"}}).wantStatus(http.StatusForbidden)
	sam := o.browser("sam")
	if to := sam.post("/desk/away", url.Values{"agent": {"bert"}, "from": {"groups"}}).wantStatus(http.StatusSeeOther).Location; to != "/supervision/groups" {
		t.Errorf("it leads to %s", to)
	}
	page := sam.get("/desk/away").wantStatus(http.StatusOK)
	pagetest.Check(t, "away, for supervisors", page.Document)
	if page.Line(".card h3") != "Bert Agent" {
		t.Errorf("away is %q", page.Line(".card h3"))
	}
	if o.browser("anna").get("/desk/away").Find(`main [name=agent]`).Length() != 0 {
		t.Error("an agent is offered to mark others")
	}
	sam.post("/desk/away", url.Values{"agent": {"bert"}, "back": {"1"}}).wantStatus(http.StatusSeeOther)
	if sam.get("/desk/away").Find(".card").Length() != 0 {
		t.Error("still away")
	}
}

// TestAssign_toAnAgentWhoIsAwayIsConfirmedAndAllowed, also without a script: then the answer says so.
func TestAssign_toAnAgentWhoIsAwayIsConfirmedAndAllowed(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	if _, err := o.Staffing.SetAway(t.Context(), o.People["bert"], "bert", time.Time{}); err != nil {
		t.Fatal(err)
	}
	anna := o.browser("anna")
	page := anna.get("/desk/tickets/" + string(n)).wantStatus(http.StatusOK)
	option := page.Find(`#assign option[value=bert]`)
	if option.Text() != "Bert Agent (away)" || !strings.HasPrefix(option.AttrOr("data-sure", ""), "Bert Agent is away.") || page.Find("#assign option[data-sure]").Length() != 1 {
		t.Errorf("offered as %q, asking %q", option.Text(), option.AttrOr("data-sure", ""))
	}
	if got := page.Find(`.bulk option[value=bert]`).Text(); got != "Bert Agent (away)" {
		t.Errorf("for several tickets: %q", got)
	}
	answer := anna.post("/desk/tickets/"+string(n)+"/assignment", url.Values{"agent": {"bert"}}, byScript...).wantStatus(http.StatusOK)
	if got := answer.Find("[hx-swap-oob='innerHTML:#said']").Text(); got != "The ticket is assigned to bert. Bert Agent is away." {
		t.Errorf("it says %q", got)
	}
	if v := o.ticket(n); v.Assignee == nil || v.Assignee.ID != o.People["bert"].ID {
		t.Error("it was not allowed")
	}
}

func TestConversation_showsWhatARuleDid(t *testing.T) {
	o := newFixtureOn(t, newFixtureWithRule(t))
	n := o.submit("clara", "My parcel is late", "Where is it?")
	text := o.browser("sam").get("/desk/tickets/" + string(n)).wantStatus(http.StatusOK).Find("#conversation").Text()
	if !strings.Contains(text, "The desk assigned the ticket to Anna Agent of the group everyone") {
		t.Errorf("it says %s", text)
	}
	if _, err := o.Staffing.SetAway(t.Context(), o.People["anna"], "anna", time.Time{}); err != nil {
		t.Fatal(err)
	}
	n = o.submit("clara", "And another", "Where is that one?")
	text = o.browser("sam").get("/desk/tickets/" + string(n)).wantStatus(http.StatusOK).Find("#conversation").Text()
	if !strings.Contains(text, "No one in the group everyone is available to take the ticket") {
		t.Errorf("it says %s", text)
	}
	if v := o.ticket(n); v.Assignee != nil || v.Ticket.Status != "new" {
		t.Errorf("%v has it", v.Assignee)
	}
}

// newFixtureWithRule returns a desk whose policy assigns every ticket to its only agent.
func newFixtureWithRule(t *testing.T) *sitetest.Fixture {
	t.Helper()
	o := sitetest.OpenUnder(t, "panel", []byte("time_zone: UTC\nclocks:\n  first_response: {target: 1h, counts: calendar}\n"+
		"  resolution: {target: 2h, counts: calendar}\nassignment: [{group: everyone, by: round_robin}]\n"))
	o.Employ("clara", ticket.RoleCustomer, "Clara Customer")
	o.Employ("anna", ticket.RoleAgent, "Anna Agent")
	o.Employ("sam", ticket.RoleSupervisor, "Sam Supervisor")
	return o
}
