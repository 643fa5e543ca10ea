package portal_test

import (
	"bufio"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestTicket_showsWhatWasSaidAndWhatIsPromised(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Where is it?")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	b.get(http.StatusOK, path).wantTexts(t, "#ticket-side", "You’ll get a first response by", "How this date is calculated", "You’ll hear from us by the resolution at the latest", "10d", "You submitted the ticket.")
	at, err := url.Parse(o.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	zoned := o.signedIn("clara")
	zoned.Client.Jar.SetCookies(at, []*http.Cookie{{Name: "tz", Value: "Asia/Kathmandu"}})
	zoned.get(http.StatusOK, path).wantTexts(t, ".why li:last-child time", "+0545")
	if _, _, err := app.PublishPolicy(t.Context(), o, []byte(strings.Replace(string(policy.Holesalemart()), "72h", "8h", 1)), "", "sooner"); err != nil {
		t.Fatal(err)
	}
	why := zoned.get(http.StatusOK, "/tickets/"+string(o.submitted("clara", "Where is the other?")))
	why.wantTexts(t, ".why", "started with 8h, counted during opening hours")
	why.wantTexts(t, ".why [data-hours]:not([hidden])", "Opening hours are counted in")

	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "canary of a note"})
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbRequestInformation, Body: "Which colour?"})
	a := b.get(http.StatusOK, path)
	a.wantTexts(t, "#conversation", "Anna Agent asked you for information", "Which colour?", "Body of Where is it?")
	a.wantTexts(t, "#ticket-side", "We need your reply", "Unless you reply", "On time", "Paused until you reply",
		"Anna Agent is looking after your ticket.", "Anna Agent asked you for information.")
	if strings.Contains(a.Body, "canary") {
		t.Error("a note is shown to the requester")
	}
	said := b.post(http.StatusSeeOther, path+"/replies", "body", "Red.")
	if said.Location != path+"#latest" {
		t.Errorf("a reply leads to %q", said.Location)
	}
	a = b.get(http.StatusOK, path)
	a.wantTexts(t, ".flash", "Your reply was sent.")
	a.wantTexts(t, ".mine:last-child", "You", "Red.")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Sent."})
	a = b.get(http.StatusOK, path)
	a.wantTexts(t, "main", "Resolved", "closes automatically 5 days after our email about it, which has not been delivered to you yet")
	if err := o.Store.SettleDelivery(t.Context(), outbox.Key{Queue: outbox.TicketMails, Ticket: n, N: int64(4)}, desk.DeliverySent, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Step(t.Context(), ticket.StepRequest{Number: n, Delivered: 4}); err != nil {
		t.Fatal(err)
	}
	a = b.get(http.StatusOK, path)
	a.wantTexts(t, "main", "Resolved", "closes automatically on", "How did we do?", "Yes, it is resolved")
	if a.Find(`form[action$="/withdrawal"]`).Length() != 0 {
		t.Error("a resolved ticket can be taken back; it is to be confirmed")
	}
	b.post(http.StatusSeeOther, path+"/confirmation")
	a = b.get(http.StatusOK, path)
	a.wantTexts(t, "main", "Closed", "You confirmed that it is resolved.", "Open a follow-up", "How did we do?")
	if a.Find("#reply-form").Length() != 0 {
		t.Error("a closed ticket offers a reply")
	}
}

// An open page asks for itself again, with the images of other servers that its reader has asked for.
func TestTicket_anOpenPageIsRefreshedFromWhereItIs(t *testing.T) {
	o := newFixture(t)
	path := "/tickets/" + string(o.submitted("clara", "Where is it?"))
	b := o.signedIn("clara")
	for _, at := range []string{path, path + "?images=1"} {
		a := b.get(http.StatusOK, at)
		from := a.Find(`[hx-trigger="sse:changed"]`)
		if got := from.AttrOr("hx-get", ""); got != at || from.AttrOr("hx-target", "") != "#conversation" {
			t.Fatalf("%s is refreshed from %q", at, got)
		}
		if again := b.ask(http.MethodGet, at, nil, "HX-Request", "true"); again.Status != http.StatusOK || again.Find("#conversation .bubble").Length() != 1 {
			t.Errorf("from there comes %d: %s", again.Status, again.Body)
		}
	}
}

func TestTicket_saysWhomAReplyGoesTo(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Where is it?")
	recipients := func(name, want string) {
		t.Helper()
		a := o.signedIn(name).get(http.StatusOK, "/tickets/"+string(n))
		if got := a.Line("#reply-form #reply-recipients"); got != want {
			t.Errorf("%s writes %q, want %q", name, got, want)
		}
		if by := a.Find("#body").AttrOr("aria-describedby", ""); by != "reply-recipients" {
			t.Errorf("the field is described by %q", by)
		}
		if address := o.People["carl"].Address; name != "carl" && strings.Contains(a.Body, address) {
			t.Errorf("%s sees the address %s", name, address)
		}
	}
	recipients("clara", "To: our support team")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAddParticipant, Whom: desk.Whom{Person: o.People["carl"].Address}})
	recipients("clara", "To: our support team, Carl Other")
	recipients("carl", "To: our support team, Clara Customer (requester)")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "For you only.", Alone: true})
	recipients("clara", "To: our support team, Carl Other") // also in answer to a message to her alone
	update := o.signedIn("clara").ask(http.MethodGet, "/tickets/"+string(n), nil, "HX-Request", "true")
	if got := update.Find(`#reply-recipients[hx-swap-oob]`).Text(); !strings.Contains(got, "Carl Other") {
		t.Errorf("an update brings %q", got)
	}
	o.command("clara", desk.Request{Number: n, Verb: ticket.VerbWithdraw})
	if o.signedIn("clara").get(http.StatusOK, "/tickets/"+string(n)).Find("#reply-recipients").Length() != 0 {
		t.Error("a closed ticket has recipients")
	}
}

func TestTicket_showsWhoOpenedItAndHow(t *testing.T) {
	o := newFixture(t)
	n := o.submit("anna", desk.Submission{
		Subject: "The jug", Body: "It leaks.", Channel: desk.ChannelInPerson, Requester: desk.Whom{Person: o.People["clara"].Address},
	})
	o.signedIn("clara").get(http.StatusOK, "/tickets/"+string(n)).wantTexts(t, ".bubble.theirs", "Anna Agent opened this ticket for you (in person)", "It leaks.")
}

func TestTicket_showsNothingOfASnooze(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Where is it?")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	before := b.get(http.StatusOK, path).Line("#ticket-side .turn")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbSnooze, Until: time.Now().Add(time.Hour)})
	a := b.get(http.StatusOK, path)
	if got := a.Line("#ticket-side .turn"); got != before || !strings.Contains(got, "You’ll get a first response by") {
		t.Errorf("snoozed, it says %q, and before %q", got, before)
	}
	if strings.Contains(strings.ToLower(a.Line("main")), "snooze") {
		t.Error("the snooze is shown to the requester")
	}
}

func TestReply_comesBackWheneverItIsNotTaken(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "s")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	once := b.get(http.StatusOK, path).value("#reply-form [name=idempotency_key]")

	const words = "My <b>words</b>\n\n  as they are"
	o.faulty.fail(errUnavailable, nil)
	a := b.post(http.StatusServiceUnavailable, path+"/replies", "idempotency_key", once, "body", words)
	if a.value("[name=body]") != words || a.value("#reply-form [name=idempotency_key]") != once {
		t.Errorf("while nothing can be stored: %q", a.value("[name=body]"))
	}
	o.faulty.fail(errUnavailable, errUnavailable)
	a = b.post(http.StatusServiceUnavailable, path+"/replies", "idempotency_key", once, "body", words)
	if a.value("[name=body]") != words || a.value("main [name=idempotency_key]") != once {
		t.Errorf("while nothing can be read either: %q", a.value("[name=body]"))
	}
	o.faulty.fail(nil, nil)
	for _, bad := range []string{"", " \n", "nul \x00", strings.Repeat("x", desk.MaxBody+1)} {
		a := b.post(http.StatusUnprocessableEntity, path+"/replies", "body", bad)
		if got := a.value("[name=body]"); got != strings.ReplaceAll(bad, "\x00", "\ufffd") || a.Line("#body-error") == "" {
			t.Errorf("%.20q came back as %.20q: %s", bad, got, a.Line("#body-error"))
		}
	}
	b.post(http.StatusSeeOther, path+"/replies", "idempotency_key", once, "body", words)
	b.post(http.StatusSeeOther, path+"/replies", "idempotency_key", once, "body", words) // the second click
	if n := b.get(http.StatusOK, path).Find(".mine").Length(); n != 2 {
		t.Errorf("%d messages, want the request and one reply", n)
	}
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbClose})
	a = b.post(http.StatusConflict, path+"/replies", "body", "too late")
	if a.value("[name=body]") != "too late" || a.Find(`#reply-form a[href="/tickets/new?follows=`+string(n)+`"]`).Length() != 1 {
		t.Errorf("to a closed ticket: %s", a.Line("main"))
	}
}

func TestReply_isShownAsKeptWhileTheDeskCatchesUp(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "s")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	o.Stepper.Paused.Lock()
	b.post(http.StatusSeeOther, path+"/replies", "body", "Are you there?")
	a := b.get(http.StatusOK, path)
	a.wantTexts(t, ".flash", "We have received that.")
	a.wantTexts(t, ".bubble.pending", "Are you there?", "Received, and being processed")
	o.Stepper.Paused.Unlock()
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "caught up"})
	if a = b.get(http.StatusOK, path); a.Find(".pending").Length() != 0 || a.Find(".mine").Length() != 2 {
		t.Errorf("once it is taken: %s", a.Line("#conversation"))
	}
}

func TestTicket_showsWordsOnceWhileTheirStepIsTaken(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "s")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	o.Stepper.Paused.Lock()
	b.post(http.StatusSeeOther, path+"/replies", "body", "In the middle of it.")
	o.faulty.between = sync.OnceFunc(func() {
		o.Stepper.Paused.Unlock()
		for taken := false; !taken; {
			_, decided, err := o.Outcome(t.Context(), n, 2)
			taken = decided || err != nil
		}
	})
	a := b.get(http.StatusOK, path)
	if got := strings.Count(a.Line("#conversation"), "In the middle of it."); got != 1 {
		t.Errorf("the words are shown %d times", got)
	}
}

func TestAct_saysWhyNothingWasDone(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "s")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	b.post(http.StatusSeeOther, path+"/confirmation")
	b.get(http.StatusOK, path).wantTexts(t, ".flash", "That was not possible: only a resolved ticket can be confirmed")
	b.post(http.StatusSeeOther, path+"/withdrawal")
	b.get(http.StatusOK, path).wantTexts(t, "main", "You withdrew the ticket.")
	b.post(http.StatusSeeOther, path+"/withdrawal")
	b.get(http.StatusOK, path).wantTexts(t, ".flash", "closed permanently")
}

func TestRating_isKeptChangedAndGivenBack(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "s")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	b.post(http.StatusSeeOther, path+"/rating", "score", "5")
	b.get(http.StatusOK, path).wantTexts(t, ".flash", "can be rated once it is resolved")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
	for _, bad := range []string{"", "0", "6", "five", "1.5"} {
		a := b.post(http.StatusUnprocessableEntity, path+"/rating", "score", bad, "comment", "kept <i>")
		if a.value("#comment") != "kept <i>" || a.Line("#score-error") == "" {
			t.Errorf("%q: %s", bad, a.Line("#rating-form"))
		}
	}
	long := strings.Repeat("x", desk.MaxComment+1)
	if a := b.post(http.StatusUnprocessableEntity, path+"/rating", "score", "4", "comment", long); a.value("#comment") != long ||
		a.Find(`[name=score][value="4"][checked]`).Length() != 1 || a.Line("#comment-error") == "" {
		t.Errorf("a long comment: %s", a.Line("#rating-form"))
	}
	b.post(http.StatusSeeOther, path+"/rating", "score", "2", "comment", "Slow.")
	b.post(http.StatusSeeOther, path+"/rating", "score", "4", "comment", "Less slow.")
	if r, err := o.Rating(t.Context(), o.People["clara"], n); err != nil || r.Score != 4 || r.Comment != "Less slow." {
		t.Errorf("kept %+v, %v", r, err)
	}
	a := b.get(http.StatusOK, path)
	a.wantTexts(t, "#ticket-side", "You rated us 4 out of 5", "Change rating")
	if a.Find(`[name=score][value="4"][checked]`).Length() != 1 || a.value("#comment") != "Less slow." {
		t.Error("the form does not hold what was kept")
	}
}

func TestTicket_sendsStaffToTheDesk(t *testing.T) {
	o := newFixture(t)
	n := string(o.submitted("clara", "s"))
	b := o.signedIn("anna")
	for path, to := range map[string]string{
		"/": "/desk", "/dashboard": "/desk", "/tickets": "/desk", "/tickets/" + n: "/desk/tickets/" + n, "/tickets/" + n + "/receipt": "/desk/tickets/" + n,
	} {
		if a := b.get(http.StatusSeeOther, path); a.Location != to {
			t.Errorf("%s leads to %s, want %s", path, a.Location, to)
		}
	}
	for _, act := range []string{"replies", "confirmation", "withdrawal", "rating"} {
		b.post(http.StatusForbidden, "/tickets/"+n+"/"+act, "body", "b", "score", "5")
	}
}

func TestLive_showsWhatTheRequesterCanSeeAndNoMore(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "s")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	watched, _ := b.get(http.StatusOK, path).Find("[sse-connect]").Attr("sse-connect")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.server.URL+watched, nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := b.Client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	next := streamLines(t, stream.Body)
	note := desk.Request{Number: n, Verb: ticket.VerbNote, Body: "not for them"}
	for _, verb := range []ticket.Verb{ticket.VerbProgressUpdate, ticket.VerbRequestInformation} {
		o.command("anna", note)
		o.command("anna", note)
		o.command("anna", desk.Request{Number: n, Verb: verb, Body: "for them"})
		shown, _ := b.get(http.StatusOK, path).Find("[sse-connect]").Attr("sse-connect")
		_, seen, _ := strings.Cut(shown, "seen=")
		// A read during a step may see half of it; that is sent, too, followed by the complete state.
		for line := next(); line != "data: "+seen; line = next() {
			if line != "event: changed" && !strings.HasPrefix(line, "data: ") {
				t.Errorf("of a note, which a requester can't see, the stream says %q", line)
			}
		}
	}
	fragment := b.wantStatus(http.StatusOK, b.ask(http.MethodGet, path, nil, "HX-Request", "true"), "the fragment")
	fragment.wantTexts(t, "#conversation", "for them")
	if strings.Contains(fragment.Body, "<html") || fragment.Find("#reply-form").Length() != 0 || fragment.Find(`#ticket-side[hx-swap-oob]`).Length() != 1 {
		t.Errorf("the fragment is %.200s", fragment.Body)
	}
	o.signedIn("carl").get(http.StatusNotFound, path+"/live")
	if a := o.visitor().get(http.StatusSeeOther, path+"/live"); !strings.HasPrefix(a.Location, "/sign-in") {
		t.Errorf("a visitor is led to %s", a.Location)
	}
}

// streamLines returns a function that reads the next line of a stream, comments included: the requester could read
// those, too.
func streamLines(t *testing.T, stream io.Reader) (next func() string) {
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(stream); s.Scan(); {
			if line := s.Text(); line != "" && !strings.HasPrefix(line, "retry:") {
				lines <- line
			}
		}
	}()
	return func() string {
		t.Helper()
		select {
		case line := <-lines:
			return line
		case <-time.After(time.Minute):
			t.Fatal("the stream says nothing")
			return ""
		}
	}
}

func TestTicket_failsHonestly(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "s")
	b := o.signedIn("clara")
	o.faulty.fail(nil, errUnavailable)
	b.get(http.StatusServiceUnavailable, "/tickets/"+string(n))
	o.faulty.fail(nil, fault.Wrap(errUnavailable, fault.Internal, "secret cause"))
	if a := b.get(http.StatusInternalServerError, "/tickets/"+string(n)); strings.Contains(a.Body, "secret") {
		t.Error("a page shows the cause")
	}
}
