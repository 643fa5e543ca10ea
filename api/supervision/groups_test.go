package supervision_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/policy"
)

const groupsPath = "/supervision/groups"

// send submits a form and checks the status.
func (b *browser) send(path string, status int, form url.Values) {
	b.t.Helper()
	if a := b.Ask(http.MethodPost, path, form); a.Status != status {
		b.t.Fatalf("POST %s: %d, want %d: %s", path, a.Status, status, a.Find("main").Text())
	}
}

func TestGroups_lifecycle(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	if text := b.page(groupsPath).Find("main").Text(); !strings.Contains(text, "All agents") || !strings.Contains(text, "has no assignment rules") {
		t.Errorf("an empty desk's page says %s", text)
	}
	b.send(groupsPath, http.StatusSeeOther, url.Values{"handle": {"vans"}, "title": {"Vans & <lorries>"}})
	b.send(groupsPath+"/vans/members", http.StatusSeeOther, url.Values{"agent": {"anna"}})
	b.send(groupsPath+"/vans/members", http.StatusSeeOther, url.Values{"agent": {"mallory"}})
	b.send("/supervision/groups/vans/members", http.StatusSeeOther, url.Values{"agent": {"mallory"}, "out": {"1"}})
	page := b.page(groupsPath)
	pagetest.Check(t, "a group", page.Document)
	if asks := page.Find(`form[action="/supervision/groups/vans/deletion"]`).AttrOr("data-sure", ""); !strings.Contains(asks, "Vans & <lorries>") {
		t.Errorf("before a group is deleted: %q", asks)
	}
	card := page.Find("section[aria-labelledby=group-vans]")
	if got := card.Find("tbody th").Text(); got != "Anna Agent" || !strings.HasPrefix(card.Find("h2").Text(), "Vans & <lorries>") {
		t.Errorf("members %q of %q", got, card.Find("h2").Text())
	}
	b.send(groupsPath+"/vans/title", http.StatusSeeOther, url.Values{"title": {"Lorries"}})
	b.send(groupsPath+"/vans/deletion", http.StatusSeeOther, nil)
	if b.page(groupsPath).Find("section.group").Length() != 1 {
		t.Error("the group still exists")
	}
	b.send(groupsPath+"/vans/deletion", http.StatusNotFound, nil)
}

func TestGroups_showErrors(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	b.send(groupsPath, http.StatusSeeOther, url.Values{"handle": {"vans"}, "title": {"Vans"}})
	for name, c := range map[string]struct {
		path   string
		form   url.Values
		status int
		wrong  string // selector of the error
	}{
		"a bad handle":    {groupsPath, url.Values{"handle": {"The Vans"}, "title": {"Vans"}}, 422, "#handle-wrong"},
		"no title":        {groupsPath, url.Values{"handle": {"vans-2"}, "title": {" "}}, 422, "#new-title-wrong"},
		"a taken handle":  {groupsPath, url.Values{"handle": {"vans"}, "title": {"Again"}}, 409, "#handle-wrong"},
		"a bad new title": {groupsPath + "/vans/title", url.Values{"title": {""}}, 422, "#title-wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			a := b.Ask(http.MethodPost, c.path, c.form)
			if a.Status != c.status || a.Find(c.wrong).Text() == "" {
				t.Fatalf("%d, error %q", a.Status, a.Find(c.wrong).Text())
			}
			pagetest.Check(t, name, a.Document)
			if typed := a.Find("#handle").AttrOr("value", ""); c.path == groupsPath && typed != c.form.Get("handle") {
				t.Errorf("the form contains %q", typed)
			}
		})
	}
}

func TestGroups_reportRulesWithoutAvailableMembers(t *testing.T) {
	o := openFixture(t)
	document := string(policy.Holesalemart()) + "assignment:\n  - {categories: [delivery], group: vans, by: round_robin}\n  - {categories: [order], group: orders, by: round_robin}\n  - {group: everyone, by: least_loaded}\n"
	if _, _, err := app.PublishPolicy(t.Context(), o.Store, []byte(document), "a test", "rules"); err != nil {
		t.Fatal(err)
	}
	b := o.browser("sam")
	b.send(groupsPath, http.StatusSeeOther, url.Values{"handle": {"vans"}, "title": {"Vans"}})
	b.send(groupsPath+"/vans/members", http.StatusSeeOther, url.Values{"agent": {"anna"}})
	if _, err := o.Staffing.SetAway(t.Context(), o.People["anna"], "anna", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	page := b.page(groupsPath)
	problems := page.Find("main .problem").Text()
	if !strings.Contains(problems, "Rule 1 assigns no tickets: no member of the group vans") || !strings.Contains(problems, "Rule 2 assigns no tickets: there is no group orders") || strings.Contains(problems, "Rule 3") {
		t.Errorf("problems: %s", problems)
	}
	if row := page.Find("section[aria-labelledby=group-vans] tbody tr").Text(); !strings.Contains(row, "away") || !strings.Contains(row, "until") {
		t.Errorf("the row of the absent member is %q", row)
	}
	if rules := page.Find("section[aria-labelledby=group-vans] .group-rules").Text(); !strings.Contains(rules, "delivery are assigned to the group vans, in turn.") {
		t.Errorf("its rule reads %q", rules)
	}
}

// Titles and names may have long words, of any script.
func TestGroups_areReadableWhateverTheirTitles(t *testing.T) {
	browsertest.Require(t)
	o := openFixture(t)
	b := o.browser("sam")
	for handle, title := range map[string]string{
		"donaudampfschifffahrtsgesellschaften-vie": "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "glasses": "فريق الكؤوس المكسورة",
	} {
		b.send(groupsPath, http.StatusSeeOther, url.Values{"handle": {handle}, "title": {title}})
		b.send(groupsPath+"/"+handle+"/members", http.StatusSeeOther, url.Values{"agent": {"anna"}})
	}
	p := browsertest.Open(t, o.server.URL, browsertest.Look{})
	p.Goto("/let-in/sam")
	p.Goto(groupsPath)
	p.ClickOn(".group details summary")
	p.CheckReadable("groups")
}
