package panel_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func (o *fixture) whom(verb ticket.Verb, n ticket.Number, person, name string) {
	o.t.Helper()
	o.ask("anna", desk.Request{Number: n, Verb: verb, Whom: desk.Whom{Person: person, Name: name}})
}

// addressOf returns what the page says about a person: their name, part and address.
func (a response) people() []string {
	var all []string
	for _, li := range a.Find("#ticket-side .people > li").EachIter() {
		line := li.Find("strong").Text() + " " + strings.Join(strings.Fields(li.Find(".tag").Text()), " ")
		all = append(all, line+" "+li.Find("a.address").AttrOr("href", ""))
	}
	return all
}

func TestPeople_areAddedRemovedAndChangedWithoutScripts(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "s", "b")
	anna, at := o.browser("anna"), "/desk/tickets/"+string(n)
	clara, carl := o.People["clara"], o.People["carl"]

	anna.post(at+"/participants", url.Values{"person": {carl.Address}}).wantStatus(http.StatusSeeOther)
	anna.post(at+"/participants", url.Values{"person": {"nina@exmaple.com"}, "name": {"Nina Newcomer"}}).wantStatus(http.StatusSeeOther)
	page := anna.get(at).wantStatus(http.StatusOK)
	want := []string{
		"Clara Customer requester mailto:" + clara.Address, "Carl Other participant mailto:" + carl.Address, "Nina Newcomer participantcontact mailto:nina@exmaple.com",
	}
	if got := page.people(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the people are %q, want %q", got, want)
	}
	recipients := strings.Join(strings.Fields(page.Find("#composer-recipients").Text()), " ")
	if want := "To: Clara Customer <" + clara.Address + "> Cc: Carl Other <" + carl.Address + ">, Nina Newcomer <nina@exmaple.com>"; recipients != want {
		t.Errorf("the composer says %q, want %q", recipients, want)
	}
	if page.Find(`#write-reply input[name="recipients"]`).Length() != 2 || page.Find(`#write-note input[name="recipients"]`).Length() != 0 {
		t.Error("recipients can't be chosen for a reply, or can be for a note")
	}

	nina := page.Find(`input[name="contact"]`).AttrOr("value", "")
	again := anna.post(at+"/contact", url.Values{"contact": {nina}, "address": {clara.Address}}).wantStatus(http.StatusConflict)
	if got := again.Find("#address-"+nina).AttrOr("value", ""); got != clara.Address || again.Find("#contact-"+nina+"[open]").Length() != 1 {
		t.Errorf("what was typed is lost: %q", got)
	}
	anna.post(at+"/contact", url.Values{"contact": {nina}, "address": {"nina@example.com"}}).wantStatus(http.StatusSeeOther)
	anna.post(at+"/contact", url.Values{"contact": {string(carl.ID)}, "address": {"x@example.com"}}).wantStatus(http.StatusConflict)
	anna.post(at+"/contact", url.Values{"contact": {string(o.People["bert"].ID)}, "address": {"x@example.com"}}).wantStatus(http.StatusUnprocessableEntity)

	again = anna.post(at+"/requester", url.Values{"person": {"nobody"}, "name": {"N."}}).wantStatus(http.StatusUnprocessableEntity)
	if again.Find("#requester-address").AttrOr("value", "") != "nobody" || again.Find("#requester-name").AttrOr("value", "") != "N." {
		t.Error("what was typed is lost")
	}
	anna.post(at+"/requester", url.Values{"person": {"Nina@example.com"}}).wantStatus(http.StatusSeeOther)
	anna.post(at+"/participant-removals", url.Values{"person": {string(clara.ID)}}).wantStatus(http.StatusSeeOther)
	if got := anna.get(at).people(); len(got) != 2 || !strings.HasPrefix(got[0], "Nina Newcomer requester") || !strings.HasPrefix(got[1], "Carl Other participant") {
		t.Errorf("the people are %q", got)
	}
	text := anna.get(at).Find("#conversation, .ticket-main").Text()
	for _, sentence := range []string{"Anna Agent added Carl Other as a participant", "Anna Agent made Nina Newcomer the requester", "Anna Agent removed Clara Customer"} {
		if !strings.Contains(text, sentence) {
			t.Errorf("the conversation does not say %q", sentence)
		}
	}
}

func TestReply_toTheRequesterAloneIsKeptWithTheDraft(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "s", "b")
	o.whom(ticket.VerbAddParticipant, n, o.People["carl"].Address, "")
	anna, at := o.browser("anna"), "/desk/tickets/"+string(n)
	page := anna.post(at+"/replies", url.Values{"body": {" "}, "recipients": {"requester"}}).wantStatus(http.StatusUnprocessableEntity)
	if page.Find(`#write-reply input[value="requester"][checked]`).Length() != 1 {
		t.Error("a reply that was refused is addressed to everyone again")
	}
	anna.post(at+"/replies", url.Values{"body": {"For you only."}, "recipients": {"requester"}}).wantStatus(http.StatusSeeOther)
	if label := anna.get(at).Find(".said:contains('For you only.') .tag").First().Text(); !strings.Contains(label, "to the requester alone") {
		t.Errorf("the reply is labelled %q", label)
	}
	entries, err := o.Desk.Timeline(t.Context(), o.People["carl"], n)
	for _, e := range entries {
		if err != nil || e.Body == "For you only." {
			t.Errorf("a participant reads %+v, %v", e, err)
		}
	}
}

// opened returns the ticket that a response leads to.
func opened(a response) ticket.Number {
	return ticket.Number(strings.TrimPrefix(a.Header.Get("Location"), "/desk/tickets/"))
}

func TestNewTicket_isOpenedForACustomer(t *testing.T) {
	o := newFixture(t)
	anna := o.browser("anna")
	form := url.Values{
		"address": {"walk-in"}, "name": {"Wanda Walk-in"}, "subject": {"Broken jug"}, "body": {"It leaks."}, "category": {"general"}, "priority": {"high"},
		"idempotency_key": {anna.get("/desk/new").wantStatus(http.StatusOK).Find(`input[name="idempotency_key"]`).AttrOr("value", "")},
	}
	page := anna.post("/desk/new", form).wantStatus(http.StatusUnprocessableEntity)
	if page.Find("#requester-error").Length() != 1 || page.Find("#subject").AttrOr("value", "") != "Broken jug" {
		t.Errorf("a wrong address: %s", page.Find("main").Text())
	}
	form.Set("address", "walk-in@example.com")
	first := anna.post("/desk/new", form).wantStatus(http.StatusSeeOther)
	again := anna.post("/desk/new", form).wantStatus(http.StatusSeeOther)
	if first.Header.Get("Location") != again.Header.Get("Location") {
		t.Errorf("sent twice, it opened %s and %s", first.Header.Get("Location"), again.Header.Get("Location"))
	}
	o.started(opened(first))
	page = anna.get(first.Header.Get("Location")).wantStatus(http.StatusOK)
	if got := page.Find("#conversation .channel").First().Text(); got != "by phone" {
		t.Errorf("without a choice, the channel is %q", got)
	}
	if got := page.people(); len(got) != 1 || got[0] != "Wanda Walk-in requestercontact mailto:walk-in@example.com" {
		t.Errorf("the people are %q", got)
	}
	o.browser("clara").get("/desk/new").wantStatus(http.StatusForbidden)
}

func TestNewTicket_hasChannelFilesAndMarkdown(t *testing.T) {
	o := newFixture(t)
	anna := o.browser("anna")
	page := anna.get("/desk/new").wantStatus(http.StatusOK)
	if got := page.Find(`input[name="channel"][checked]`).AttrOr("value", ""); got != "phone" {
		t.Errorf("the channel is %q at first", got)
	}
	form := url.Values{
		"channel": {"in-person"}, "address": {"clara@example.com"}, "subject": {"Broken jug"}, "body": {"It *leaks*."}, "format": {"markdown"},
		"category": {"general"}, "priority": {"high"}, "idempotency_key": {page.Find(`input[name="idempotency_key"]`).AttrOr("value", "")},
		"preview": {"1"},
	}
	page = anna.post("/desk/new", form).wantStatus(http.StatusOK)
	if page.Find("#preview-body em").Text() != "leaks" || page.Find(`input[value="in-person"][checked]`).Length() != 1 {
		t.Errorf("a preview without scripts: %s", page.Find("form").Text())
	}
	form.Del("preview")
	f, err := o.Files.Upload(t.Context(), o.People["anna"], desk.Upload{Name: "jug.txt", Content: strings.NewReader("A photo.")})
	if err != nil {
		t.Fatal(err)
	}
	for field, wrong := range map[string]string{"channel": "pigeon", "files": "F-00000000000000000000000000"} {
		again := maps.Clone(form)
		again["files"] = []string{string(f.ID)}
		again.Set("name-"+string(f.ID), "jug.txt")
		again.Add(field, wrong)
		if field == "channel" {
			again.Set(field, wrong)
		}
		page = anna.post("/desk/new", again).wantStatus(http.StatusUnprocessableEntity)
		if page.Find("#channel-error, .attach .error").Length() != 1 || page.Find(`.attached [value="`+string(f.ID)+`"]`).Length() != 1 {
			t.Errorf("a wrong %s: %s", field, page.Find("form").Text())
		}
	}
	form.Set("files", string(f.ID))
	to := anna.post("/desk/new", form).wantStatus(http.StatusSeeOther)
	o.started(opened(to))
	said := anna.get(to.Header.Get("Location")).wantStatus(http.StatusOK).Find("#conversation .said").First()
	if said.Find(".channel").Text() != "in person" || said.Find("em").Text() != "leaks" || said.Find(".file-name").First().Text() != "jug.txt" {
		t.Errorf("opened: %s", said.Text())
	}
}
