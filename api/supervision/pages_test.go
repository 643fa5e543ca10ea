package supervision_test

import (
	"bufio"
	"encoding/csv"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api/supervision"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestRoutes_areForSupervisorsAndAdministrators(t *testing.T) {
	o := openFixture(t)
	for who, want := range map[string][]int{
		"": {http.StatusSeeOther, http.StatusUnauthorized}, "clara": {http.StatusForbidden}, "anna": {http.StatusForbidden}, "sam": nil, "ada": nil,
	} {
		b := o.browser(who)
		for _, r := range supervision.New(nil, nil, nil, nil, nil, nil, nil).Area().Routes {
			a := b.Ask(r.Method, strings.ReplaceAll(r.Path, ":id", "1"), url.Values{})
			admitted := a.Status != http.StatusForbidden && a.Status != http.StatusUnauthorized &&
				!strings.HasPrefix(a.Header.Get("Location"), "/sign-in")
			if admitted != (want == nil) || want != nil && !slices.Contains(want, a.Status) {
				t.Errorf("%s %s as %q: %d", r.Method, r.Path, who, a.Status)
			}
		}
	}
}

func TestPages_ofAnEmptyDesk(t *testing.T) {
	b := openFixture(t).browser("sam")
	for path, want := range map[string]string{
		"/supervision": "No escalations.", "/supervision/promises": "No tickets submitted in this period",
		"/supervision/ratings": "No ratings", "/supervision/suggestions": "No unread suggestions",
		"/supervision/suggestions?show=all": "No suggestions yet", "/supervision/mail": "No email has bounced.",
	} {
		if a := b.page(path); !strings.Contains(a.Find("main").Text(), want) {
			t.Errorf("%s doesn't say %q", path, want)
		}
	}
}

func TestDashboard_showsWhatNeedsAttention(t *testing.T) {
	o := openFixture(t)
	forgotten := o.withHistory()
	a := o.browser("sam").page("/supervision")
	for id, want := range map[string]string{
		"tile-open": "1", "tile-unassigned": "1", "tile-breached": "1", "tile-escalated": "1", "tile-waiting": "0",
	} {
		if got := a.Find("#" + id + " strong").Text(); got != want {
			t.Errorf("%s says %s, want %s", id, got, want)
		}
	}
	if link := a.Find("#escalation-" + string(forgotten)); link.AttrOr("href", "") != "/desk/tickets/"+string(forgotten) || link.Text() != "Where is <my> parcel?" {
		t.Errorf("no escalation: %s", a.Find("#escalations").Parent().Text())
	}
	if got := a.Find(`a[aria-label="Workflow of `+string(forgotten)+` in Temporal UI"]`).AttrOr("href", ""); got != "http://temporal.example/namespaces/default/workflows/"+string(forgotten) {
		t.Errorf("its workflow is at %q", got)
	}
	var queries []string
	a.Find(".searches a").Each(func(_ int, s *goquery.Selection) {
		u, err := url.Parse(s.AttrOr("href", ""))
		if err != nil {
			t.Fatal(err)
		}
		queries = append(queries, u.Query().Get("query"))
	})
	if text := a.Find(".searches").Text(); !strings.Contains(text, "Due today") || !strings.Contains(text, "Paused by an emergency") {
		t.Errorf("the searches read %q", text)
	}
	if got := a.Find("#tile-due").AttrOr("href", ""); got != "/desk?queue=all&due=today" {
		t.Errorf("the link for tickets due today is %q", got)
	}
	checkDocumented(t, queries)
	if a.Find(`#board[hx-get="/supervision"][hx-trigger="sse:changed, every 60s"]`).Closest(`[sse-connect="/supervision/live"]`).Length() != 1 {
		t.Error("the board is not updated")
	}
	if a.Find(`[role="status"] > #away[hidden]`).Length() != 1 || a.Find(`script[src$="/js/away.js"]`).Length() != 1 {
		t.Error("an outage would not be shown")
	}
	part := o.browser("sam").get("/supervision", "HX-Request", "true")
	if part.Find("main, h1").Length() > 0 || part.Find("#tile-open").Length() != 1 {
		t.Errorf("a script gets %s", part.Body[:200])
	}
}

func TestLive_sendsChangesButNotPresence(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.server.URL+"/supervision/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := b.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	event := func() string {
		for lines.Scan() {
			if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				return name
			}
		}
		t.Fatal(lines.Err())
		return ""
	}
	if got := event(); got != "changed" {
		t.Errorf("the first event is %q", got)
	}
	o.feed.tell(desk.Change{Number: "HM-0000000000", Kind: desk.ChangePresence})
	for range 3 {
		o.feed.tell(desk.Change{Number: "HM-0000000000", Kind: desk.ChangeStepped})
	}
	if got := event(); got != "changed" {
		t.Errorf("after three changes: %q", got)
	}
}

func TestTargets_chartTableAndCSVAgree(t *testing.T) {
	o := openFixture(t)
	o.withHistory()
	b := o.browser("sam")
	a := b.page("/supervision/promises")
	if got := a.Find("#resolution").Parent().Find(".sums").Text(); !strings.Contains(got, "66.7\u00a0%") {
		t.Errorf("two of three resolutions were met: %s", got)
	}
	kept := 0
	a.Find("#resolution").Parent().Find("rect.chart-met title").Each(func(_ int, s *goquery.Selection) {
		if strings.HasSuffix(s.Text(), "met: 2") {
			kept++
		}
	})
	row := a.Find("#resolution-weeks").Closest("table").Find("tbody tr").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return s.Find("td").First().Text() == "2"
	})
	if kept != 1 || row.Length() != 1 {
		t.Errorf("%d bars and %d rows show 2", kept, row.Length())
	}
	if a.Find("svg.chart").Length() != 4 || a.Find("details.counted").Length() != 1 {
		t.Error("charts or the explanation are missing")
	}
	file := b.get(a.Find(".filter-go a").AttrOr("href", ""))
	if media := file.Header.Get("Content-Type"); media != "text/csv; charset=utf-8" || !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment; filename=promises-") {
		t.Errorf("the file is %s, %s", media, file.Header.Get("Content-Disposition"))
	}
	if strings.Count(file.Body, "\n") != strings.Count(file.Body, "\r\n") {
		t.Error("lines don't end as RFC 4180 requires")
	}
	records, err := csv.NewReader(strings.NewReader(file.Body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, r := range records {
		found[strings.Join(r[:3], "/")] = r[3:]
	}
	if got := found["resolution/all/"]; !slices.Equal(got, []string{"2", "1", "0", "0", "0.6667", "2", "86400", "86400"}) {
		t.Errorf("the file says %v", got)
	}
	if _, ok := found["resolution/agent/'=HYPERLINK(0)"]; !ok {
		t.Errorf("a formula is not escaped: %v", found)
	}
	for _, name := range []string{"＝HYPERLINK(0)", "＠SUM(0)", "-1"} { // full-width ones, too
		if err := o.Store.Accounts().Rename(t.Context(), o.People["mallory"].ID, name); err != nil {
			t.Fatal(err)
		}
		if file := b.get(a.Find(".filter-go a").AttrOr("href", "")); !strings.Contains(file.Body, ",agent,'"+name+",") {
			t.Errorf("%s is not escaped", name)
		}
	}
}

func TestTargets_filter(t *testing.T) {
	o := openFixture(t)
	o.withHistory()
	b := o.browser("ada")
	a := b.page("/supervision/promises?agent=anna&measure=counted")
	if got := a.Find("#resolution").Parent().Find(".sums dd").Eq(1).Text(); got != "1" {
		t.Errorf("of one agent %s were met", got)
	}
	if a.Find(`#agent option[selected]`).Text() != "Anna Agent" || a.Find(`#measure option[selected]`).AttrOr("value", "") != "counted" {
		t.Error("the filter is lost")
	}
	for _, wrong := range []string{"from=yesterday", "to=2026-02-30", "from=2026-03-01&to=2026-02-01", "priority=huge", "measure=guess", "agent=" + strings.Repeat("x", 300)} {
		for _, path := range []string{"/supervision/promises?", "/supervision/promises.csv?"} {
			if a := b.get(path + wrong); a.Status != http.StatusUnprocessableEntity || a.Find(".error").Length() == 0 || a.Find(".clock").Length() > 0 {
				t.Errorf("%s%s: %d", path, wrong, a.Status)
			}
		}
	}
	if a := b.get("/supervision/promises?from=yesterday"); a.Find("#from").AttrOr("value", "") != "yesterday" || a.Find("#from-error").Length() != 1 {
		t.Error("the typed values are lost")
	}
	if a := b.get("/supervision/ratings?to=never"); a.Status != http.StatusUnprocessableEntity || a.Find("#to-error").Length() != 1 {
		t.Errorf("ratings: %d", a.Status)
	}
}

func TestRatings_showAveragesAndComments(t *testing.T) {
	o := openFixture(t)
	o.withHistory()
	a := o.browser("sam").page("/supervision/ratings")
	if got := a.Find(".sum-share dd").Text(); got != "4.00" {
		t.Errorf("3 and 5 are %s on average", got)
	}
	if got := a.Find("blockquote").Text(); !strings.Contains(got, "Fine, <b>anna</b>.") || a.Find("blockquote b").Length() > 0 {
		t.Errorf("comments read %q", got)
	}
	if a.Find("#agents").Closest("table").Find("tbody tr").Length() != 2 {
		t.Error("not both agents have a row")
	}
}

func TestSuggestions_canBeMarkedAsRead(t *testing.T) {
	o := openFixture(t)
	for i, by := range []desk.Person{o.People["clara"], {}} {
		if err := o.Store.Suggest(t.Context(), by, string(rune('a'+i)), "Open on <i>Saturdays</i>.\n\nPlease."); err != nil {
			t.Fatal(err)
		}
	}
	b := o.browser("sam")
	a := b.page("/supervision/suggestions")
	if a.Find(".suggestions > li").Length() != 2 || a.Find(".suggestions i").Length() > 0 || !strings.Contains(a.Body, "A visitor") {
		t.Errorf("shows %s", a.Find(".suggestions").Text())
	}
	action := a.Find(".suggestions form").First().AttrOr("action", "")
	if posted := b.Ask(http.MethodPost, action, url.Values{}); posted.Status != http.StatusSeeOther {
		t.Fatalf("%s: %d", action, posted.Status)
	}
	if a := b.page("/supervision/suggestions"); a.Find(".suggestions > li").Length() != 1 || !strings.Contains(a.Find("main").Text(), "Unread (1)") {
		t.Errorf("unexpected list: %s", a.Find("main").Text())
	}
	all := b.page("/supervision/suggestions?show=all")
	if all.Find(".is-read").Length() != 1 {
		t.Error("the one that was read is not shown as such")
	}
	b.Ask(http.MethodPost, action, url.Values{"state": {"unread"}, "show": {"all"}})
	if a := b.page("/supervision/suggestions"); a.Find(".suggestions > li").Length() != 2 {
		t.Error("it can't be marked as unread")
	}
	for _, id := range []string{"x", "999999"} {
		if a := b.Ask(http.MethodPost, "/supervision/suggestions/"+id+"/reading", url.Values{}); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", id, a.Status)
		}
	}
}

func TestMail_listsBouncesWithReasons(t *testing.T) {
	o := openFixture(t)
	forgotten := o.importTicket(60, nil)
	n := o.importTicket(0, nil)
	if _, err := o.Step(t.Context(), ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "k", Verb: ticket.VerbResolve}}}); err != nil {
		t.Fatal(err)
	}
	a := o.browser("sam").page("/supervision/mail")
	bounced, waiting := a.Find("#bounced").Parent(), a.Find("#waiting").Parent()
	if text := bounced.Text(); !strings.Contains(text, string(forgotten)) || !strings.Contains(text, "550 <nobody> here") || !strings.Contains(text, "clara@example.com") {
		t.Errorf("bounced: %s", text)
	}
	if text := waiting.Text(); !strings.Contains(text, string(n)) || !strings.Contains(text, "sending") {
		t.Errorf("waiting: %s", text)
	}
}

var anyInstant = regexp.MustCompile(`'[0-9TZ:-]{20}'`)

// checkDocumented checks that every search is in the guide, whose searches are tested against a real server.
func checkDocumented(t *testing.T, queries []string) {
	t.Helper()
	guide, err := os.ReadFile("../../docs/temporal-ui.md")
	if err != nil {
		t.Fatal(err)
	}
	known := anyInstant.ReplaceAllString(string(guide), "'a day'")
	for _, q := range queries {
		if !strings.Contains(known, "`"+anyInstant.ReplaceAllString(q, "'a day'")+"`") {
			t.Errorf("the guide lacks the search %s", q)
		}
	}
	if len(queries) < 5 {
		t.Errorf("only the searches %q", queries)
	}
}
