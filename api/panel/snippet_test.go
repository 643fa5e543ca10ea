package panel_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pagetest"
)

func TestCanned_areKeptChangedFilledInAndDeleted(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	anna, bert := o.browser("anna"), o.browser("bert")
	pagetest.Check(t, "no canned replies", anna.get("/desk/canned").wantStatus(http.StatusOK).Document)
	anna.post("/desk/canned", url.Values{"title": {"Greeting"}, "body": {"Hello {{requester.name}},\r\norder {{ticket.order}}\r\n{{agent.name}}"}, "shared": {"1"}}).wantStatus(http.StatusSeeOther)
	page := anna.get("/desk/canned").wantStatus(http.StatusOK)
	pagetest.Check(t, "canned replies", page.Document)
	change := page.Find(`a[href*="edit="]`).AttrOr("href", "")
	if asks := page.Find(`form[action$="/deletion"]`).AttrOr("data-sure", ""); !strings.Contains(asks, "Greeting") || !strings.Contains(asks, "shared") {
		t.Errorf("before a canned reply is deleted: %q", asks)
	}
	if page.Line(".card h3") != "Greeting shared" || change == "" {
		t.Fatalf("kept is %q", page.Line(".card"))
	}
	id := edited(change)
	filled := bert.get("/desk/tickets/" + string(n) + "/canned/" + id).wantStatus(http.StatusOK)
	if want := "Hello Clara Customer,\norder 4711\nBert Agent"; filled.Body != want {
		t.Errorf("filled in it is %q, want %q", filled.Body, want)
	}
	plain := bert.post("/desk/tickets/"+string(n)+"/replies", url.Values{"body": {"Before"}, "canned": {id}, "fill": {"1"}}).wantStatus(http.StatusOK)
	if got := plain.Find("#body-reply").Text(); !strings.HasPrefix(got, "Before\nHello Clara Customer,") || plain.Find("#mode-reply[checked]").Length() != 1 {
		t.Errorf("without a script it is %q", got)
	}
	if bert.get("/desk/canned").Find(`a[href*="edit="]`).Length() > 0 {
		t.Error("another agent is offered to change it")
	}
	bert.post("/desk/canned/"+id+"/deletion", nil).wantStatus(http.StatusNotFound)
	anna.post("/desk/canned", url.Values{"id": {id}, "title": {"Hello"}, "body": {"Hello."}}).wantStatus(http.StatusSeeOther)
	if got := anna.get("/desk/canned").Line(".card h3"); got != "Hello private" {
		t.Errorf("changed it is %q", got)
	}
	bert.get("/desk/tickets/" + string(n) + "/canned/" + id).wantStatus(http.StatusNotFound)
	anna.post("/desk/canned/"+id+"/deletion", nil).wantStatus(http.StatusSeeOther)
	if anna.get("/desk/canned").Find(".card").Length() > 0 {
		t.Error("it is still there")
	}
}

// edited returns the ID in a link that leads to the form in which something is edited, which on a phone is far down the page.
func edited(link string) string {
	_, id, _ := strings.Cut(link, "?edit=")
	return strings.TrimSuffix(id, "#edit-title")
}

func TestCanned_comeBackWithWhatIsWrong(t *testing.T) {
	o := newFixture(t)
	a := o.browser("anna").post("/desk/canned", url.Values{"title": {""}, "body": {"Hello {{nobody.knows}}"}}).wantStatus(http.StatusUnprocessableEntity)
	pagetest.Check(t, "a bad canned reply", a.Document)
	if a.Find("#body").Text() != "Hello {{nobody.knows}}" || a.Line("#title-wrong") == "" || !strings.Contains(a.Line("#body-error"), "{{nobody.knows}}") {
		t.Errorf("back comes %q, wrong: %q %q", a.Find("#body").Text(), a.Line("#title-wrong"), a.Line("#body-error"))
	}
}

func TestFilters_areKeptAndStandAmongTheQueues(t *testing.T) {
	o := newFixture(t)
	anna, bert := o.browser("anna"), o.browser("bert")
	pagetest.Check(t, "no saved filters", anna.get("/desk/filters").wantStatus(http.StatusOK).Document)
	list := anna.get("/desk?queue=all&priority=urgent&q=blue+chair")
	save := list.Find(".chips .save").AttrOr("href", "")
	form := anna.get(save).wantStatus(http.StatusOK)
	pagetest.Check(t, "a filter to be saved", form.Document)
	query := form.Find("#query").AttrOr("value", "")
	if query != "priority=urgent&q=blue+chair&queue=all" {
		t.Fatalf("%s offers %q", save, query)
	}
	anna.post("/desk/filters", url.Values{"name": {"Blue & urgent"}, "query": {query}}).wantStatus(http.StatusSeeOther)
	at := anna.get("/desk?" + query)
	if at.Line("#queues [aria-current] .name") != "Blue & urgent" {
		t.Errorf("one is at %q", at.Line("#queues [aria-current] .name"))
	}
	if got := bert.get("/desk").Find(`#queues a[href*="blue"]`).Length(); got != 0 {
		t.Error("what is one's own is shown to another")
	}
	id := edited(anna.get("/desk/filters").Find(`a[href*="edit="]`).AttrOr("href", ""))
	if _, err := strconv.Atoi(id); err != nil {
		t.Fatalf("it has the number %q", id)
	}
	bert.post("/desk/filters/"+id+"/deletion", nil).wantStatus(http.StatusNotFound)
	anna.post("/desk/filters", url.Values{"id": {id}, "name": {"Shared now"}, "query": {query}, "shared": {"1"}}).wantStatus(http.StatusSeeOther)
	if bert.get("/desk").Line(`#queues a[href*="blue"] .name`) != "Shared now" {
		t.Error("what is shared is not shown to another")
	}
	saved := anna.get("/desk/filters").wantStatus(http.StatusOK)
	pagetest.Check(t, "saved filters", saved.Document)
	if asks := saved.Find(`form[action$="/deletion"]`).AttrOr("data-sure", ""); !strings.Contains(asks, "Shared now") || !strings.Contains(asks, "shared with all") {
		t.Errorf("before a filter is deleted: %q", asks)
	}
	bad := anna.post("/desk/filters", url.Values{"name": {""}, "query": {query}}).wantStatus(http.StatusUnprocessableEntity)
	if bad.Line("#name-wrong") == "" || bad.Find("#query").AttrOr("value", "") != query {
		t.Error("without a name it says nothing")
	}
	anna.post("/desk/filters/"+id+"/deletion", nil).wantStatus(http.StatusSeeOther)
	anna.post("/desk/filters/none/deletion", nil).wantStatus(http.StatusNotFound)
	if anna.get("/desk/filters").Find(".card").Length() > 0 {
		t.Error("it is still there")
	}
}

// TestFilters_leadNowhereElse, whatever address a saved one contains.
func TestFilters_leadNowhereElse(t *testing.T) {
	o := newFixture(t)
	for _, query := range []string{"//evil.example", "queue=all&x=//evil.example", "@evil.example/"} {
		if _, err := o.Workspace.SaveFilter(t.Context(), o.People["sam"], desk.SavedFilter{Name: "x", Query: query, Shared: true}); err != nil {
			t.Fatal(err)
		}
	}
	o.browser("anna").get("/desk").Find("#queues a").Each(func(_ int, s *goquery.Selection) {
		if to := s.AttrOr("href", ""); !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
			if !strings.HasPrefix(to, "mailto:") && !strings.HasPrefix(to, "http") {
				t.Errorf("a filter leads to %s", to)
			}
		}
	})
}
