package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestHome_saysWhatIsPromised(t *testing.T) {
	o := newFixture(t)
	a := o.visitor().get(http.StatusOK, "/")
	a.wantTexts(t, "main", "You will receive a first response within 72 hours, counted during opening hours.", "within 10 days", "Monday to Friday: 10:00 to 17:00.")
	for _, to := range []string{"/sign-in?next=/tickets/new", "/register", "/policy", "/suggestions"} {
		if a.Find(`main a[href="`+to+`"]`).Length() == 0 {
			t.Errorf("nothing leads to %s", to)
		}
	}
	if action, _ := a.Find("main form").Attr("action"); action != "/track" {
		t.Errorf("the form leads to %q", action)
	}
	a.wantTexts(t, "footer", policy.Default().Contact)
	if b := o.signedIn("clara").get(http.StatusSeeOther, "/"); b.Location != "/dashboard" {
		t.Errorf("a customer is led to %s", b.Location)
	}
}

func TestTrack_showsStatusAndDatesAndNothingElse(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "canary of a subject")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "canary of words"})
	b := o.visitor()
	for _, path := range []string{"/track/" + string(n), "/track/" + strings.ToLower(string(n)), "/track?number=+" + string(n) + "+"} {
		a := b.get(http.StatusOK, path)
		a.wantTexts(t, "main", string(n), "In progress", "On time", "Resolution")
		for _, secret := range []string{"canary", "Anna", "Clara", "clara@", "general", string(o.People["clara"].ID)} {
			if strings.Contains(a.Body, secret) {
				t.Errorf("%s shows %q", path, secret)
			}
		}
	}
	b.get(http.StatusOK, "/track").wantTexts(t, "main", "Ticket number")
}

func TestTrack_takesANumberInAnySpelling(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Spelt")
	code := strings.TrimPrefix(string(n), "HM-")
	for _, typed := range []string{
		code, strings.ToLower(code), "HM" + code, "hm " + code[:5] + " " + code[5:], "HM–" + code, "#HM-" + code,
		strings.NewReplacer("0", "o", "1", "l").Replace(code), "\u200b" + code + "\u00a0",
	} {
		o.visitor().get(http.StatusOK, "/track?number="+url.QueryEscape(typed)).wantTexts(t, "main .number", string(n))
		if a := o.visitor().ask(http.MethodGet, "/api/v1/track/"+url.PathEscape(typed), nil); a.Status != http.StatusOK {
			t.Errorf("the API answers %q with %d", typed, a.Status)
		}
		if found := o.signedIn("clara").get(http.StatusOK, "/tickets?q="+url.QueryEscape(typed)).Find(".ticket-row").Length(); found != 1 {
			t.Errorf("searching for %q finds %d tickets", typed, found)
		}
	}
	if found := o.signedIn("carl").get(http.StatusOK, "/tickets?q="+code).Find(".ticket-row").Length(); found != 0 {
		t.Errorf("another customer finds it by its number")
	}
}

func TestTrack_saysWhatIsWrongWithANumberAndKeepsIt(t *testing.T) {
	o := newFixture(t)
	for typed, c := range map[string]struct {
		status int
		wrong  string
	}{
		"HM-0000000000": {http.StatusNotFound, "There is no ticket HM-0000000000."},
		"hm-7q2k9xm4t":  {http.StatusUnprocessableEntity, "10 letters and digits after HM-, but this one has 9."},
		"HM7Q2K9XM4T":   {http.StatusUnprocessableEntity, "this one has 9."},
		"7Q2K9XM4TDD":   {http.StatusUnprocessableEntity, "this one has 11."},
		"HM-000000000U": {http.StatusUnprocessableEntity, "“U” is not used in ticket numbers."},
		"<script>":      {http.StatusUnprocessableEntity, "“<” is not used"},
		" ":             {http.StatusUnprocessableEntity, "Enter a ticket number, such as HM-"},
	} {
		a := o.visitor().get(c.status, "/track?number="+url.QueryEscape(typed))
		a.wantTexts(t, "#number-error", c.wrong)
		if got := a.value("#number"); got != typed {
			t.Errorf("%q comes back as %q", typed, got)
		}
	}
	if long := o.visitor().get(http.StatusUnprocessableEntity, "/track/"+strings.Repeat("x", 3000)); len(long.value("#number")) != 40 {
		t.Errorf("a long one comes back as %q", long.value("#number"))
	}
}

func TestTrack_isLimitedBySource(t *testing.T) {
	o := newFixture(t)
	b := o.visitor()
	limited := false
	for range 60 {
		if limited = b.ask(http.MethodGet, "/track/HM-0000000000", nil).Status == http.StatusTooManyRequests; limited {
			break
		}
	}
	if !limited {
		t.Error("sixty requests at once were all answered")
	}
	b.get(http.StatusOK, "/track") // the form itself asks for nothing
}

func (o *fixture) token(n ticket.Number, name string, expires time.Time) string {
	o.t.Helper()
	secret, err := o.Secret(o.t.Context(), "links")
	if err != nil {
		o.t.Fatal(err)
	}
	return link.New(secret, link.Grant{Number: n, Person: o.People[name].ID, Expires: expires})
}

func TestLink_opensOneTicketAndNoOther(t *testing.T) {
	o := newFixture(t)
	n, own, others := o.submitted("clara", "the one"), o.submitted("clara", "her other"), o.submitted("carl", "his")
	mail, _, err := app.NewMails(o.Store).LoadMail(t.Context(), n, 1)
	if err != nil {
		t.Fatal(err)
	}
	b := o.visitor()
	if a := b.get(http.StatusSeeOther, "/tickets/"+string(n)); !strings.HasPrefix(a.Location, "/sign-in?next=") {
		t.Errorf("without a link one is led to %s", a.Location)
	}
	if a := b.get(http.StatusSeeOther, "/c/"+mail.Token); a.Location != "/tickets/"+string(n) {
		t.Fatalf("the link leads to %s", a.Location)
	}
	b.get(http.StatusOK, "/tickets/"+string(n)).wantTexts(t, "main", "the one", "with a link from an email")
	b.post(http.StatusSeeOther, "/tickets/"+string(n)+"/replies", "body", "by link")
	b.get(http.StatusOK, "/tickets/"+string(n)).wantTexts(t, ".mine:last-child", "You", "by link")
	for _, other := range []ticket.Number{own, others, "HM-0000000000"} {
		for _, page := range []string{"", "/receipt", "/live"} {
			if a := b.get(http.StatusSeeOther, "/tickets/"+string(other)+page); !strings.HasPrefix(a.Location, "/sign-in") {
				t.Errorf("%s%s leads to %s", other, page, a.Location)
			}
		}
		for _, act := range []string{"replies", "confirmation", "withdrawal", "rating"} {
			b.post(http.StatusUnauthorized, "/tickets/"+string(other)+"/"+act, "body", "b", "score", "5")
		}
	}
	for _, path := range []string{"/dashboard", "/tickets", "/tickets/new"} {
		if a := b.get(http.StatusSeeOther, path); !strings.HasPrefix(a.Location, "/sign-in") {
			t.Errorf("%s leads to %s", path, a.Location)
		}
	}
	if strings.Contains(o.log.String(), mail.Token) {
		t.Error("the token is in the log")
	}
}

func TestLink_worksForAPersonSignedInAsAnother(t *testing.T) {
	o := newFixture(t)
	n, his := o.submitted("clara", "hers"), o.submitted("carl", "his")
	b := o.signedIn("carl")
	b.get(http.StatusNotFound, "/tickets/"+string(n))
	b.get(http.StatusSeeOther, "/c/"+o.token(n, "clara", time.Now().Add(time.Hour)))
	b.get(http.StatusOK, "/tickets/"+string(n)).wantTexts(t, "main", "hers")
	b.get(http.StatusOK, "/tickets/"+string(his)).wantTexts(t, "main", "his")
	if list := b.get(http.StatusOK, "/tickets"); list.Find(".ticket-row").Length() != 1 {
		t.Errorf("his list shows %s", list.Line(".ticket-list"))
	}
}

func TestLink_endsWithItsTimeItsPersonAndTheirSessions(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	path := "/tickets/" + string(n)
	b := o.visitor()
	if a := b.get(http.StatusSeeOther, "/c/"+o.token(n, "clara", time.Now().Add(-time.Second))); a.Location != "/track/"+string(n) {
		t.Errorf("an old link leads to %s", a.Location)
	}
	b.get(http.StatusOK, "/track/"+string(n)).wantTexts(t, ".flash", "That link has expired.")
	good := o.token(n, "clara", time.Now().Add(time.Hour))
	for _, forged := range []string{good[1:], good + "A", "x", o.token(n, "carl", time.Now().Add(time.Hour)), o.token(n, "anna", time.Now().Add(time.Hour))} {
		b.get(http.StatusNotFound, "/c/"+forged)
	}
	b.get(http.StatusSeeOther, "/c/"+good)
	b.get(http.StatusOK, path)
	if err := o.EndSessions(t.Context(), o.People["clara"].ID); err != nil {
		t.Fatal(err)
	}
	b.get(http.StatusSeeOther, path)
	b.get(http.StatusSeeOther, "/c/"+good)
	b.get(http.StatusOK, path)
	if err := o.DisablePerson(t.Context(), o.People["clara"].ID); err != nil {
		t.Fatal(err)
	}
	if a := b.get(http.StatusSeeOther, path); !strings.HasPrefix(a.Location, "/sign-in") {
		t.Errorf("once she is shut out, her ticket leads to %s", a.Location)
	}
	b.get(http.StatusNotFound, "/c/"+good)
}

func TestLink_thatWasEndedSaysWhyAndHowToGoOn(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	good := o.token(n, "clara", time.Now().Add(link.Lifetime))
	b, hers := o.visitor(), o.signedIn("clara")
	b.get(http.StatusSeeOther, "/c/"+good)
	b.get(http.StatusOK, "/tickets/"+string(n))
	if _, err := o.Accounts().EndAll(t.Context(), o.People["clara"].ID, account.RevokeTokens); err != nil {
		t.Fatal(err)
	}
	if a := b.get(http.StatusSeeOther, "/tickets/"+string(n)); !strings.HasPrefix(a.Location, "/sign-in") {
		t.Errorf("a browser that the link had let in is led to %s", a.Location)
	}
	a := b.get(http.StatusGone, "/c/"+good)
	a.wantTexts(t, "main", "This link no longer works", "signed out everywhere", "Sign in or get a new link")
	if to := a.Find("main a.button").AttrOr("href", ""); to != "/sign-in?next=/tickets/"+string(n) {
		t.Errorf("it leads to %s", to)
	}
	if strings.Contains(a.Line("main"), "hers") {
		t.Error("it shows words of the ticket's")
	}
	hers.get(http.StatusGone, "/c/"+good) // her session has ended, too
	if a := o.signedIn("clara").get(http.StatusSeeOther, "/c/"+good); a.Location != "/tickets/"+string(n) {
		t.Errorf("signed in, she is led to %s", a.Location)
	}
}

func TestSuggestion_isKeptOnceAndLimited(t *testing.T) {
	o := newFixture(t)
	b := o.visitor()
	form := b.get(http.StatusOK, "/suggestions")
	for range 2 {
		b.post(http.StatusSeeOther, "/suggestions", "idempotency_key", form.value("[name=idempotency_key]"), "body", "More buttons.")
	}
	b.get(http.StatusOK, "/suggestions").wantTexts(t, ".flash", "Thank you")
	for _, bad := range []string{"", " ", "\x00", strings.Repeat("x", desk.MaxSuggestion+1)} {
		if a := b.post(http.StatusUnprocessableEntity, "/suggestions", "body", bad); a.Line("#body-error") == "" ||
			a.value("[name=body]") != strings.ReplaceAll(bad, "\x00", "\ufffd") {
			t.Errorf("%.20q: %s", bad, a.Line("main"))
		}
	}
	o.signedIn("clara").post(http.StatusSeeOther, "/suggestions", "body", "From me.")
	status := http.StatusSeeOther
	for i := 0; i < 10 && status == http.StatusSeeOther; i++ {
		a := b.ask(http.MethodPost, "/suggestions", url.Values{"body": {"again"}})
		if status = a.Status; status == http.StatusTooManyRequests && a.value("[name=body]") != "again" {
			t.Error("what came too often is lost")
		}
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("ten more at once: %d", status)
	}
}

func TestPolicy_showsEveryVersionInWords(t *testing.T) {
	o := newFixture(t)
	if _, _, err := app.PublishPolicy(t.Context(), o, []byte(strings.Replace(string(policy.Holesalemart()), "72h", "8h", 1)), "a test", "faster <b>now</b>"); err != nil {
		t.Fatal(err)
	}
	b := o.visitor()
	a := b.get(http.StatusOK, "/policy")
	a.wantTexts(t, "main", "In force", "Version 2", "within 8 hours", "Opening hours", "Closed: Saturday and Sunday.", "faster <b>now</b>", "by the operators", "If you contact us now")
	if strings.Contains(a.Body, "a test") {
		t.Error("it names who published it")
	}
	b.get(http.StatusOK, "/policy/1").wantTexts(t, "main", "No longer in force", "within 72 hours", "first_response: {target: 72h")
	for _, version := range []string{"3", "0", "-1", "01", "x", "99999999999999999999"} {
		b.get(http.StatusNotFound, "/policy/"+version)
	}
}
