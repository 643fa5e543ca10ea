package panel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestList_showsWhoWhatAndBothPromises(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbAssign})
	a := o.browser("bert").get("/desk?queue=all").wantStatus(http.StatusOK)
	pagetest.Check(t, "the desk", a.Document)
	for selector, want := range map[string]string{
		".item .subject": "My parcel is late", ".item .who": "Clara Customer", ".item .number": string(n),
		".item .assignee": "Anna Agent", ".item .loud-urgent": "urgent", ".item .tag.status-open": "open",
		".item .words": "note Sam Supervisor: Seen.", ".item .age": "<1m",
	} {
		if got := a.Line(selector); got != want {
			t.Errorf("%s says %q, want %q", selector, got, want)
		}
	}
	dues := a.Find(".item .due[data-due]")
	if dues.Length() != 2 || !strings.Contains(a.Line(".item .due"), "First response") || !strings.Contains(a.Line(".item .due"), "Resolution") {
		t.Errorf("the promises are %q", a.Line(".item .due"))
	}
	if bars := a.Find(".item .due progress"); bars.Length() != 2 {
		t.Errorf("%d bars", bars.Length())
	}
}

func TestList_sortsByTheNextPromise(t *testing.T) {
	o := newFixture(t)
	normal := o.submit("clara", "Second", "In time.")
	urgent := o.submit("clara", "First", "At once.")
	o.ask("anna", desk.Request{Number: normal, Verb: ticket.VerbAgentReply, Body: "Answered."})
	o.ask("anna", desk.Request{Number: normal, Verb: ticket.VerbRequestInformation, Body: "Which?"}) // paused: last
	var order []string
	o.browser("anna").get("/desk?queue=all").Find(".item .subject").Each(func(_ int, s *goquery.Selection) { order = append(order, s.Text()) })
	if strings.Join(order, " ") != "First Second" {
		t.Errorf("in the order %q; %s is the urgent one", order, urgent)
	}
}

func TestList_findsByFilterAndKeepsItInEveryAddress(t *testing.T) {
	o := newFixture(t)
	mine := o.submit("clara", "The blue chair", "It wobbles badly.")
	other := o.submit("carl", "The green table", "It is scratched.")
	o.ask("anna", desk.Request{Number: mine, Verb: ticket.VerbAssign})
	b := o.browser("anna")
	for query, want := range map[string]string{
		"":                             "The blue chair", // her own queue
		"queue=mine":                   "The blue chair",
		"queue=unassigned":             "The green table",
		"q=wobbles":                    "The blue chair",
		"requester=carl@example.com":   "The green table",
		"requester=Clara":              "The blue chair",
		"assignee=anna":                "The blue chair",
		"assignee=-":                   "The green table",
		"status=open":                  "The blue chair",
		"status=new&queue=all":         "The green table",
		"status=unfinished&q=wobbles":  "The blue chair",
		"priority=urgent":              "",
		"category=order":               "",
		"queue=all&q=nothing-has-this": "",
	} {
		a := b.get("/desk?" + query).wantStatus(http.StatusOK)
		if got := a.Line(".item .subject"); got != want {
			t.Errorf("%q shows %q, want %q", query, got, want)
		}
		if want == "" && a.Find("#rows .empty").Length() != 1 {
			t.Errorf("%q is empty and does not say so", query)
		}
	}
	a := b.get("/desk?queue=all&requester=carl&q=scratched")
	link := a.Find(".item-link").AttrOr("href", "")
	if link != "/desk/tickets/"+string(other)+"?q=scratched&queue=all&requester=carl" {
		t.Errorf("the row leads to %s", link)
	}
	opened := b.get(link).wantStatus(http.StatusOK)
	pagetest.Check(t, "a ticket beside its list", opened.Document)
	if opened.Line(".item .subject") != "The green table" || opened.Find(".item-link[aria-current]").Length() != 1 {
		t.Error("beside the ticket there is another list")
	}
	if back := opened.Find("#back").AttrOr("href", ""); back != "/desk?q=scratched&queue=all&requester=carl" {
		t.Errorf("the way back is %s", back)
	}
	if without := a.Find(".chips a").First().AttrOr("href", ""); without != "/desk?queue=all&requester=carl" {
		t.Errorf("without the words it is %s", without)
	}
}

// TestSearch_forANumberOpensTheTicket, however it is written, and keeps the list; what only looks like one is searched for.
func TestSearch_forANumberOpensTheTicket(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "The blue chair", "It wobbles in all weather pre-conditions.")
	b := o.browser("anna")
	for query, list := range map[string]string{
		"q=" + string(n): "queue=all",
		"queue=mine&q=" + url.QueryEscape("  "+strings.ToLower(string(n))+" "): "queue=mine",
		"queue=all&status=new&q=" + string(n):                                  "queue=all&status=new",
	} {
		want := "/desk/tickets/" + string(n) + "?" + list
		if to := b.get("/desk?" + query).wantStatus(http.StatusSeeOther).Header.Get("Location"); to != want {
			t.Errorf("%q leads to %s, want %s", query, to, want)
		}
		if to := b.get("/desk?"+query, byScript...).Header.Get("HX-Redirect"); to != want {
			t.Errorf("%q by script leads to %q, want %s", query, to, want)
		}
		b.get("/desk?"+query, append([]string{"X-Live", "1"}, byScript...)...).wantStatus(http.StatusOK)
	}
	if a := b.get("/desk?q=pre-conditions").wantStatus(http.StatusOK); a.Line(".item .subject") != "The blue chair" {
		t.Errorf("words like a number find %q", a.Line(".item .subject"))
	}
}

func TestSearch_withoutASuccessSaysWhatElseFinds(t *testing.T) {
	o := newFixture(t)
	o.submit("clara", "The blue chair", "It wobbles.")
	b := o.browser("anna")
	a := b.get("/desk?queue=mine&q=Clara+Customer").wantStatus(http.StatusOK)
	pagetest.Check(t, "an empty search", a.Document)
	if text := a.Line("#rows .empty"); !strings.Contains(text, "Enter a ticket number") || !strings.Contains(text, "Requester filter") {
		t.Errorf("it says %q", text)
	}
	found := b.get(a.Find("#rows .empty a").First().AttrOr("href", "")).wantStatus(http.StatusOK)
	if found.Line(".item .subject") != "The blue chair" || found.Find(".filters [name=requester]").AttrOr("value", "") != "Clara Customer" {
		t.Errorf("it leads to %q", found.Line(".item"))
	}
	if other := b.get("/desk?queue=mine&status=closed"); other.Line("#rows .empty") == "" || other.Find("#rows .empty a[href*=requester]").Length() > 0 {
		t.Error("a list without words offers to look for them among people")
	}
}

func TestList_leadsToEveryPage(t *testing.T) {
	o := newFixture(t)
	const tickets = 53 // more than one page holds
	for range tickets {
		o.submit("clara", "One of many", "Again.")
	}
	b := o.browser("anna")
	first := b.get("/desk?queue=all").wantStatus(http.StatusOK)
	next := first.Find(".more a").AttrOr("href", "")
	if first.Find(".item").Length() != 50 || next == "" {
		t.Fatalf("the first page shows %d and leads to %q", first.Find(".item").Length(), next)
	}
	second := b.get(next).wantStatus(http.StatusOK)
	seen := map[string]bool{}
	for _, a := range []response{first, second} {
		a.Find(".item .number").Each(func(_ int, s *goquery.Selection) { seen[s.Text()] = true })
	}
	if len(seen) != tickets {
		t.Errorf("two pages show %d tickets of %d", len(seen), tickets)
	}
	if second.Find(".more a").AttrOr("href", "") != "/desk?queue=all" {
		t.Error("no way back to the first page")
	}
	if narrowed := b.get(next+"&priority=normal").Find(".chips a").First().AttrOr("href", ""); narrowed != "/desk?queue=all" {
		t.Errorf("without its filter the second page is %s", narrowed)
	}
}

func TestList_countsTheQueuesAndMarksWhereOneIs(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "One", "…")
	o.submit("clara", "Two", "…")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbAssign})
	a := o.browser("anna").get("/desk?queue=unassigned")
	counts := map[string]string{}
	a.Find("#queues li a").Each(func(_ int, s *goquery.Selection) { counts[s.Find(".name").Text()] = s.Find(".count").Text() })
	for name, want := range map[string]string{"Mine": "1", "Unassigned": "1", "Breached": "0", "Waiting": "0", "All": "2"} {
		if counts[name] != want {
			t.Errorf("%s has %q, want %s", name, counts[name], want)
		}
	}
	if counts["Incoming email"] != "" {
		t.Errorf("%q emails are in quarantine", counts["Incoming email"])
	}
	o.quarantine()
	if got := o.browser("anna").get("/desk").Line(`#queues [href="/desk/mail"] .count`); got != "1" {
		t.Errorf("with an email in quarantine its count is %q", got)
	}
	if here := a.Line("#queues [aria-current] .name"); here != "Unassigned" {
		t.Errorf("one is at %q", here)
	}
}

// quarantine adds an incoming mail in quarantine.
func (o *fixture) quarantine() {
	o.t.Helper()
	ctx := o.t.Context()
	id, err := o.AddIncoming(ctx, desk.IncomingMail{
		Blob: "none", Size: 1, Fingerprint: make([]byte, 32),
		Envelope: desk.Envelope{Source: desk.SourceSMTP, Recipients: []string{"support@desk.example"}},
	})
	if err == nil {
		_, _, err = o.ClaimIncoming(ctx, "attempt", time.Minute)
	}
	if err == nil {
		err = o.SettleIncoming(ctx, id, "attempt", desk.Quarantined(desk.ReasonUnreadable, "It can’t be read."))
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func TestList_saysWhatItCannotRead(t *testing.T) {
	o := newFixture(t)
	o.submit("clara", "There", "…")
	b := o.browser("anna")
	for _, query := range []string{
		"queue=none", "status=gone", "priority=huge", "after=rubbish", "assignee=" + strings.Repeat("x", 65), "q=" + strings.Repeat("x", 201),
		"requester=%E2%80%AEevil", "queue=%00", "due=never",
	} {
		a := b.get("/desk?" + query).wantStatus(http.StatusUnprocessableEntity)
		pagetest.Check(t, query, a.Document)
		if a.Line("#list [role=alert]") == "" || a.Find(".item").Length() > 0 {
			t.Errorf("%s: it says %q and shows %d tickets", query, a.Line("#list [role=alert]"), a.Find(".item").Length())
		}
	}
}

// TestList_narrowsToWhatIsDueToday: nothing of a ticket that waits for its requester is.
func TestList_narrowsToWhatIsDueToday(t *testing.T) {
	o := newFixture(t)
	paused := o.submit("clara", "Paused", "…")
	o.ask("anna", desk.Request{Number: paused, Verb: ticket.VerbAgentReply, Body: "Answered."})
	o.ask("anna", desk.Request{Number: paused, Verb: ticket.VerbRequestInformation, Body: "Which?"})
	a := o.browser("anna").get("/desk?queue=all&due=today").wantStatus(http.StatusOK)
	pagetest.Check(t, "due today", a.Document)
	if a.Find("#item-"+string(paused)).Length() > 0 || a.Line(".chips li:first-child a span") != "due" {
		t.Errorf("the list is %q, filtered by %q", a.Line("#rows"), a.Line(".chips"))
	}
}

// TestList_takesTypedWordsForWords, whatever they look like.
func TestList_takesTypedWordsForWords(t *testing.T) {
	o := newFixture(t)
	o.submit("clara", `<script>alert("x")</script>`, `<img src=x onerror=alert(1)> javascript:alert(2)`)
	b := o.browser("anna")
	for _, q := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' OR 1=1 --`, `a & | ! : * ( \`, `%`, `{{.Person}}`, "ö\u0301"} {
		for _, field := range []string{"q", "requester", "assignee", "category"} {
			a := b.get("/desk?queue=all&" + field + "=" + url.QueryEscape(q))
			if a.Status != http.StatusOK && a.Status != http.StatusUnprocessableEntity {
				t.Errorf("%s=%s answers %d", field, q, a.Status)
			}
			if a.Find("img, script:not([src])").Length() > 0 {
				t.Errorf("%s=%s became markup", field, q)
			}
		}
	}
	a := b.get("/desk?queue=all").wantStatus(http.StatusOK)
	pagetest.Check(t, "hostile words", a.Document)
	if a.Line(".item .subject") != `<script>alert("x")</script>` {
		t.Errorf("the subject is shown as %q", a.Line(".item .subject"))
	}
}

func TestList_asPartIsQueuesAndRowsAlone(t *testing.T) {
	o := newFixture(t)
	o.submit("clara", "There", "…")
	a := o.browser("anna").get("/desk?queue=all", byScript...).wantStatus(http.StatusOK)
	if a.Find("header, #ticket, #list").Length() > 0 || a.Find("#rows[hx-swap-oob] .item").Length() != 1 || a.Find("#queues[hx-swap-oob]").Length() != 1 {
		t.Errorf("the part is %.300s", a.Body)
	}
}
