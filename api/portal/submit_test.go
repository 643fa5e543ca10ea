package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errUnavailable = fault.New(fault.Unavailable, "the database is not responding")

func TestSubmit_fromTheDashboardToTheReceipt(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	dashboard := b.get(http.StatusOK, "/dashboard")
	entry := dashboard.Find(`main a:contains("Support Ticket")`).First()
	if to, _ := entry.Attr("href"); to != "/tickets/new" {
		t.Fatalf("the entry leads to %q", to)
	}
	form := b.get(http.StatusOK, "/tickets/new")
	if form.Find("[name=priority]").Length() != 0 {
		t.Error("a priority is offered that the policy does not let customers choose")
	}
	sent := b.post(http.StatusSeeOther, "/tickets", "idempotency_key", form.value("[name=idempotency_key]"), "subject", " Where is it? ",
		"body", "Late.\r\nVery late.", "category", "delivery", "order", "4711")
	receipt := b.get(http.StatusOK, sent.Location)
	number := receipt.Line(".receipt-number")
	if sent.Location != "/tickets/"+number+"/receipt" {
		t.Errorf("the receipt of %s is at %s", number, sent.Location)
	}
	n, err := ticket.ParseNumber(number)
	if err != nil {
		t.Fatal(err)
	}
	record, err := o.Track(t.Context(), n)
	if err != nil || record.Subject != "Where is it?" || record.Order != "4711" || record.Submission.Category != "delivery" {
		t.Errorf("stored %+v, %v", record, err)
	}
	promises, err := policy.Default().DeadlinesFor(record.Submitted, policy.PriorityNormal)
	if err != nil {
		t.Fatal(err)
	}
	receipt.wantTexts(t, "main", "clara@example.com", "a first response by"+formatInstant(promises.Resolution), "resolve it by"+formatInstant(promises.Resolution))
	b.get(http.StatusOK, "/tickets/"+number).wantTexts(t, "main", "Where is it?", "Late.", "Very late.", "Received", "delivery", "4711")
}

func TestSubmit_writesDatesInTheViewersZone(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	at, err := url.Parse(o.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.Client.Jar.SetCookies(at, []*http.Cookie{{Name: "tz", Value: "Asia/Kathmandu"}})
	b.get(http.StatusOK, "/tickets/"+string(o.submitted("clara", "s"))+"/receipt").wantTexts(t, "main", "+0545", "Asia/Kathmandu")
}

func TestSubmit_twiceWithOneFormIsOneTicket(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	once := b.get(http.StatusOK, "/tickets/new").value("[name=idempotency_key]")
	fields := []string{"idempotency_key", once, "subject", "s", "body", "b", "category", "general"}
	first, second := b.post(http.StatusSeeOther, "/tickets", fields...), b.post(http.StatusSeeOther, "/tickets", fields...)
	if first.Location != second.Location {
		t.Errorf("a double click made %s and %s", first.Location, second.Location)
	}
}

// However a browser encodes it: letters of two bytes are posted as six, and a line break of one as six.
func TestSubmit_takesTheLongestMessage(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	for name, body := range map[string]string{
		"letters": strings.Repeat("ä", desk.MaxBody/2), "symbols": strings.Repeat("€", desk.MaxBody/3),
		"line breaks": "x" + strings.Repeat("\r\n", desk.MaxBody-1),
	} {
		t.Run(name, func(t *testing.T) {
			b.post(http.StatusSeeOther, "/tickets", "subject", strings.Repeat("ä", desk.MaxSubject), "body", body, "category", "general")
		})
	}
}

func TestSubmit_givesBackWhatCannotBeTaken(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	for name, c := range map[string]struct {
		fields []string
		field  string
	}{
		"no subject":              {[]string{"body", "kept <b>words</b>", "category", "general"}, "subject"},
		"no message":              {[]string{"subject", "kept", "body", " \r\n ", "category", "general"}, "body"},
		"a long subject":          {[]string{"subject", strings.Repeat("x", 201), "body", "b"}, "subject"},
		"a long message":          {[]string{"subject", "s", "body", strings.Repeat("x", desk.MaxBody+1)}, "body"},
		"twice as long":           {[]string{"subject", "s", "body", strings.Repeat("ä", desk.MaxBody)}, "body"},
		"a control character":     {[]string{"subject", "s", "body", "a\x00b"}, "body"},
		"a category of no policy": {[]string{"subject", "s", "body", "b", "category", "gardening"}, "category"},
		"a long order number":     {[]string{"subject", "s", "body", "b", "order", strings.Repeat("1", 65)}, "order"},
	} {
		t.Run(name, func(t *testing.T) {
			a := b.post(http.StatusUnprocessableEntity, "/tickets", c.fields...)
			field := a.Find("main [name=" + c.field + "]")
			if invalid, _ := field.Attr("aria-invalid"); invalid != "true" || a.Line("#"+c.field+"-error") == "" {
				t.Errorf("%s is not marked: %s", c.field, a.Line("main"))
			}
			for i := 0; i < len(c.fields); i += 2 {
				typed := strings.ReplaceAll(strings.ReplaceAll(c.fields[i+1], "\r\n", "\n"), "\x00", "\ufffd")
				if c.fields[i] != "category" && a.value("main [name="+c.fields[i]+"]") != typed {
					t.Errorf("%s came back as %.60q", c.fields[i], a.value("main [name="+c.fields[i]+"]"))
				}
			}
		})
	}
}

func TestSubmit_keepsTheFormWhileNothingCanBeStored(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	once := b.get(http.StatusOK, "/tickets/new").value("[name=idempotency_key]")
	o.faulty.fail(errUnavailable, nil)
	a := b.post(http.StatusServiceUnavailable, "/tickets", "idempotency_key", once, "subject", "kept", "body", "words", "category", "general")
	if a.value("[name=subject]") != "kept" || a.value("[name=body]") != "words" || a.value("[name=idempotency_key]") != once {
		t.Errorf("came back: %s", a.Line("main"))
	}
	o.faulty.fail(nil, nil)
	b.post(http.StatusSeeOther, "/tickets", "idempotency_key", once, "subject", "kept", "body", "words", "category", "general")
}

func TestSubmit_aFollowUpKnowsWhatItFollows(t *testing.T) {
	o := newFixture(t)
	n := string(o.submitted("clara", "Broken again"))
	b := o.signedIn("clara")
	b.post(http.StatusSeeOther, "/tickets/"+n+"/withdrawal")
	closed := b.get(http.StatusOK, "/tickets/"+n)
	to, _ := closed.Find(`.turn a:contains("follow-up")`).Attr("href")
	form := b.get(http.StatusOK, to)
	if form.value("[name=subject]") != "Broken again" || form.value("[name=follows]") != n {
		t.Errorf("the follow-up's form: %s", form.Line("main"))
	}
	sent := b.post(http.StatusSeeOther, "/tickets", "subject", "Broken again", "body", "Once more.", "category", "general", "follows", n)
	b.get(http.StatusOK, strings.TrimSuffix(sent.Location, "/receipt")).wantTexts(t, "main", n)
	b.get(http.StatusOK, "/tickets/"+n).wantTexts(t, "#ticket-side", "Follow-ups")

	carl := o.signedIn("carl")
	carl.get(http.StatusNotFound, to)
	carl.post(http.StatusUnprocessableEntity, "/tickets", "subject", "s", "body", "b", "category", "general", "follows", n)
}

func TestSubmit_offersPrioritiesWhereThePolicyDoes(t *testing.T) {
	o := newFixtureUnder(t, string(policy.Holesalemart())+"\ncustomers_choose_priority: true\npriorities: {urgent: {first_response: 8h}}\n")
	b := o.signedIn("clara")
	form := b.get(http.StatusOK, "/tickets/new")
	if n := form.Find("[name=priority] option").Length(); n != 4 {
		t.Errorf("%d priorities are offered", n)
	}
	sent := b.post(http.StatusSeeOther, "/tickets", "subject", "s", "body", "b", "category", "general", "priority", "urgent")
	n, _, _ := strings.Cut(strings.TrimPrefix(sent.Location, "/tickets/"), "/")
	if record, err := o.Track(t.Context(), ticket.Number(n)); err != nil || record.Submission.Priority != policy.PriorityUrgent {
		t.Errorf("stored %+v, %v", record.Submission, err)
	}
	b.post(http.StatusUnprocessableEntity, "/tickets", "subject", "s", "body", "b", "category", "general", "priority", "now")
}
