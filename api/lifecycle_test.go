package api_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type clockJSON struct {
	Budget    int64 `json:"budget_seconds"`
	Used      int64 `json:"used_seconds"`
	Remaining int64 `json:"remaining_seconds"`
	Due       time.Time
	Running   bool
	PausedFor []string                `json:"paused_for"`
	MetAt     time.Time               `json:"met_at"`
	Lines     []struct{ Text string } `json:"explanation"`
}

type ticketJSON struct {
	Number, Subject, Status, Cause, Priority, Category, Order, Follows string
	FollowedBy                                                         []string `json:"followed_by"`
	Assignee                                                           *struct{ Handle, Name string }
	Requester                                                          struct{ ID, Name string }
	Pending                                                            bool
	Next                                                               *struct{ Kind string }
	Clocks                                                             struct {
		FirstResponse clockJSON `json:"first_response"`
		Resolution    clockJSON
	}
}

type timelineJSON struct {
	Entries []struct {
		N                    int
		Kind, Body, Assignee string
		Channel              string
		By                   struct{ ID, Name, Role, Handle string }
		Verb, Code           string
	}
}

func (l timelineJSON) kinds() string {
	var kinds []string
	for _, e := range l.Entries {
		kinds = append(kinds, e.Kind)
	}
	return strings.Join(kinds, " ")
}

// TestLife follows a ticket from its submission to its end, through the API alone.
func TestLife(t *testing.T) {
	o := openFixture(t)
	const words = "The parcel of Monday\r\nhas not come. 😀"
	a := o.do("clara", 201, "POST", "/api/v1/tickets", `{"subject":" Where is my parcel? ","body":"The parcel of Monday\r\nhas not come. 😀","category":"delivery","order":"A-17"}`)
	receipt := decode[struct {
		Number, Status, Category, Priority string
		AcceptedAt                         time.Time `json:"accepted_at"`
		Promises                           struct {
			FirstResponse time.Time `json:"first_response_due"`
			Resolution    time.Time `json:"resolution_due"`
		}
	}](t, a)
	self := a.Header().Get("Location")
	promised, err := policy.Default().DeadlinesFor(receipt.AcceptedAt, policy.PriorityNormal)
	if err != nil || receipt.Promises.FirstResponse != promised.FirstResponse || receipt.Promises.Resolution != promised.Resolution ||
		receipt.Status != "new" || receipt.Category != "delivery" || self != "/api/v1/tickets/"+receipt.Number {
		t.Fatalf("%s, Location %s", a.Body, self)
	}

	step := func(who, method, path, body, status string) ticketJSON {
		t.Helper()
		got := decode[ticketJSON](t, o.do(who, 200, method, self+path, body))
		if got.Status != status || got.Pending {
			t.Fatalf("%s %s: status %s, pending %v, want %s", method, path, got.Status, got.Pending, status)
		}
		for name, c := range map[string]clockJSON{"first response": got.Clocks.FirstResponse, "resolution": got.Clocks.Resolution} {
			if c.Used+c.Remaining != c.Budget || c.Used < 0 || len(c.Lines) == 0 {
				t.Errorf("%s %s: the clock of the %s is %+v", method, path, name, c)
			}
		}
		return got
	}
	got := step("anna", "POST", "/assignment", ``, "open")
	if got.Assignee == nil || got.Assignee.Handle != "anna" || got.Subject != "Where is my parcel?" || got.Order != "A-17" {
		t.Errorf("assigned: %+v", got)
	}
	got = step("anna", "POST", "/replies", `{"body":"We look into it."}`, "open")
	if got.Clocks.FirstResponse.MetAt.IsZero() || got.Clocks.FirstResponse.Running {
		t.Errorf("answered: %+v", got.Clocks.FirstResponse)
	}
	got = step("anna", "POST", "/information-requests", `{"body":"Which street?"}`, "waiting")
	if got.Clocks.Resolution.Running || !slices.Equal(got.Clocks.Resolution.PausedFor, []string{"waiting"}) || !got.Clocks.Resolution.Due.IsZero() {
		t.Errorf("waiting: %+v", got.Clocks.Resolution)
	}
	step("clara", "POST", "/replies", `{"body":"Main street."}`, "open")
	step("anna", "POST", "/progress", `{"body":"It is on its way."}`, "open")
	step("anna", "POST", "/notes", `{"body":"canary-note"}`, "open")
	if got = step("sam", "PATCH", "", `{"priority":"high","category":"order"}`, "open"); got.Priority != "high" || got.Category != "order" {
		t.Errorf("reclassified: %+v", got)
	}
	step("sam", "POST", "/resolution", `{"body":"It has come."}`, "resolved")
	step("clara", "POST", "/replies", `{"body":"It has not."}`, "open")
	step("anna", "POST", "/resolution", `{"body":"Now it has."}`, "resolved")
	step("sam", "POST", "/reopening", ``, "open")
	step("anna", "POST", "/resolution", `{"body":"Really."}`, "resolved")
	if got = step("clara", "POST", "/confirmation", ``, "closed"); got.Cause != "requester" || got.Next != nil {
		t.Errorf("confirmed: %+v", got)
	}
	if a := o.do("clara", 409, "POST", self+"/replies", `{"body":"One more thing."}`); a.problem.Code != "ticket-closed" {
		t.Errorf("a reply to a closed ticket: %+v", a.problem)
	}

	staffs := decode[timelineJSON](t, o.do("anna", 200, "GET", self+"/timeline", ""))
	const kinds = "submitted assigned agent-replied information-requested customer-replied progress-updated noted reclassified " +
		"resolved customer-replied reopened resolved reopened resolved closed"
	if staffs.kinds() != kinds || strings.ReplaceAll(words, "\r", "") != staffs.Entries[0].Body || staffs.Entries[1].By.ID == "" {
		t.Errorf("staff's timeline: %s, %+v", staffs.kinds(), staffs.Entries[:2])
	}
	a = o.do("clara", 200, "GET", self+"/timeline", "")
	customers := decode[timelineJSON](t, a)
	if customers.kinds() != strings.ReplaceAll(strings.ReplaceAll(kinds, " noted", ""), " reclassified", "") ||
		strings.Contains(a.Body.String(), "canary-note") || customers.Entries[1].By.ID != "" || customers.Entries[1].By.Name != "Anna Agent" {
		t.Errorf("the customer's timeline: %s, %s", customers.kinds(), a.Body)
	}

	follow := o.submit("clara", `{"subject":"Again","body":"b","follows":"`+strings.ToLower(receipt.Number)+`"}`)
	if got := decode[ticketJSON](t, o.do("clara", 200, "GET", follow, "")); got.Follows != receipt.Number {
		t.Errorf("the follow-up: %+v", got)
	}
	if got := decode[ticketJSON](t, o.do("clara", 200, "GET", self, "")); len(got.FollowedBy) != 1 {
		t.Errorf("followed up: %+v", got)
	}
	o.do("clara", 200, "POST", follow+"/withdrawal", "")
	if a := do(t, o, call{method: "GET", path: strings.Replace(follow, "tickets", "track", 1)}); !strings.Contains(a.Body.String(), `"status":"closed"`) {
		t.Errorf("tracked: %d %s", a.Code, a.Body)
	}
}

func TestLife_refusals(t *testing.T) {
	o := openFixture(t)
	self := o.submit("clara", `{"subject":"s","body":"b"}`)
	for _, c := range []struct {
		who, path, body string
		status          int
		code            string
	}{
		{"clara", "/confirmation", ``, 409, "not-resolved"},
		{"anna", "/reopening", ``, 409, "wrong-status"},
		{"anna", "/acknowledgement", ``, 409, "nothing-to-change"},
		{"anna", "/assignment", `{"agent":"nobody"}`, 422, ""},
		{"anna", "/assignment", `{"agent":"clara"}`, 422, ""},
		{"anna", "/assignment", `{"expected":"nobody"}`, 422, ""},
		{"anna", "/assignment", `{"expected":"anna"}`, 409, "taken"},
	} {
		if a := o.do(c.who, c.status, "POST", self+c.path, c.body); a.problem.Code != c.code {
			t.Errorf("%s: %+v", c.path, a.problem)
		}
	}
	if a := o.do("anna", 409, "PATCH", self, `{"category":"gardening"}`); a.problem.Code != "unknown-category" {
		t.Errorf("%+v", a.problem)
	}
	own := decode[timelineJSON](t, o.do("clara", 200, "GET", self+"/timeline", ""))
	if own.kinds() != "submitted refused" || own.Entries[1].Code != "not-resolved" || own.Entries[1].Verb != "close" {
		t.Errorf("the customer sees %+v", own)
	}
}

// TestPrivacy_anotherCustomersTicketIsNotThere: every route responds as for a ticket that does not exist.
func TestPrivacy_anotherCustomersTicketIsNotThere(t *testing.T) {
	o := openFixture(t)
	self := o.submit("clara", `{"subject":"canary","body":"canary"}`)
	number := strings.TrimPrefix(self, "/api/v1/tickets/")
	for _, line := range api.Lines() {
		if !strings.HasPrefix(line.Path, "/api/v1/tickets/{number}") {
			continue
		}
		theirs := call{method: line.Method, path: strings.ReplaceAll(line.Path, "{number}", number), as: o.tokens["carl"]}
		if strings.HasSuffix(line.Path, "/replies") {
			theirs.body = `{"body":"b"}`
		}
		if strings.HasSuffix(line.Path, "/rating") {
			theirs.body = `{"score":1}`
		}
		nobodys := theirs
		nobodys.path = strings.ReplaceAll(line.Path, "{number}", "HM-0000000000")
		a, b := do(t, o, theirs), do(t, o, nobodys)
		if a.Code != b.Code || a.Code != 404 && a.Code != 403 || a.problem.Detail != b.problem.Detail || strings.Contains(a.Body.String(), "canary") {
			t.Errorf("%s %s: %d %q, for an unknown number %d %q", line.Method, line.Path, a.Code, a.problem.Detail, b.Code, b.problem.Detail)
		}
	}
	if a := o.do("carl", 200, "GET", "/api/v1/tickets?q=canary", ""); len(decode[listed](t, a).Tickets) != 0 {
		t.Errorf("found: %s", a.Body)
	}
	if a := o.do("carl", 422, "POST", "/api/v1/tickets", `{"subject":"s","body":"b","follows":"`+number+`"}`); !slices.Equal(a.fields(), []string{"follows"}) {
		t.Errorf("follows: %+v", a.problem)
	}
}

// TestTimeline_showsStaffWhoDidNotGetWhichMail: staff see the recipient and the reason, its customer does not.
func TestTimeline_showsStaffWhoDidNotGetWhichMail(t *testing.T) {
	o := openFixture(t)
	self := o.submit("clara", `{"subject":"s","body":"b"}`)
	o.do("anna", 200, "POST", self+"/assignment", "")
	n := ticket.Number(strings.TrimPrefix(self, "/api/v1/tickets/"))
	if err := o.Store.SettleDelivery(t.Context(), outbox.Key{Queue: outbox.TicketMails, Ticket: n, N: int64(1)}, desk.DeliveryBounced, "550 no such user"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Step(t.Context(), ticket.StepRequest{Number: n, Bounced: 1}); err != nil {
		t.Fatal(err)
	}
	staff := o.do("anna", 200, "GET", self+"/timeline", "").Body.String()
	if want := `"bounce":{"kind":"receipt","to":{"id":"P-`; !strings.Contains(staff, want) ||
		!strings.Contains(staff, `"name":"Clara Customer","role":"customer"},"reason":"550 no such user"}`) {
		t.Errorf("staff read %s", staff)
	}
	if customer := o.do("clara", 200, "GET", self+"/timeline", "").Body.String(); strings.Contains(customer, "bounce") || strings.Contains(customer, "550 no such user") {
		t.Errorf("the customer reads %s", customer)
	}
}

// TestResend_sendsABouncedMailAgain once, however often the request comes, also of a closed ticket. Only staff
// see its recipient.
func TestResend_sendsABouncedMailAgain(t *testing.T) {
	o := openFixture(t)
	self := o.submit("clara", `{"subject":"s","body":"b"}`)
	n := ticket.Number(strings.TrimPrefix(self, "/api/v1/tickets/"))
	a := o.do("anna", 200, "POST", self+"/information-requests", `{"body":"Which one?"}`)
	if !strings.Contains(a.Body.String(), `"awaiting_delivery":true`) {
		t.Errorf("while the question is owed: %s", a.Body)
	}
	bounce := func(mail int) {
		t.Helper()
		err := o.Store.SettleDelivery(t.Context(), outbox.Key{Queue: outbox.TicketMails, Ticket: n, N: int64(mail)}, desk.DeliveryBounced, "550 no such user")
		if err == nil {
			_, err = o.Step(t.Context(), ticket.StepRequest{Number: n, Bounced: mail})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	bounce(2)
	if a := o.do("anna", 200, "GET", self, ""); !strings.Contains(a.Body.String(), `"status":"open"`) || strings.Contains(a.Body.String(), "awaiting_delivery") {
		t.Errorf("after the bounce: %s", a.Body)
	}
	resend := call{
		method: "POST", path: self + "/mails/2/resend", as: o.tokens["anna"], body: `{"address":" canary@example.org "}`,
		header: http.Header{"Idempotency-Key": {"again"}},
	}
	for range 2 {
		if a := do(t, o, resend); a.Code != 200 || !strings.Contains(a.Body.String(), `"status":"waiting"`) {
			t.Errorf("%d %s", a.Code, a.Body)
		}
	}
	if a := o.do("anna", 409, "POST", self+"/mails/2/resend", ""); a.problem.Code != ticket.CodeResent {
		t.Errorf("another time: %+v", a.problem)
	}
	if l, _, err := app.NewMails(o.Store).LoadMail(t.Context(), n, 4); err != nil || l.To.Address != "canary@example.org" || l.Body != "Which one?" {
		t.Errorf("the mail is %+v, %v", l, err)
	}
	o.do("clara", 403, "POST", self+"/mails/2/resend", "")
	o.do("anna", 404, "POST", self+"/mails/9/resend", "")
	o.do("anna", 422, "POST", self+"/mails/2/resend", `{"address":"nowhere"}`)
	if a := o.do("clara", 200, "GET", self+"/timeline", ""); strings.Contains(a.Body.String(), "canary") || strings.Contains(a.Body.String(), "mail-resent") {
		t.Errorf("the customer reads %s", a.Body)
	}
	o.do("anna", 200, "POST", self+"/closure", "")
	bounce(5)
	o.do("anna", 200, "POST", self+"/mails/5/resend", "")
}

func TestIdempotency_onceAtTheSameTime(t *testing.T) {
	o := openFixture(t)
	ask := func(body string) answer {
		return do(t, o, call{method: "POST", path: "/api/v1/tickets", as: o.tokens["clara"], body: body, header: http.Header{"Idempotency-Key": {"k"}}})
	}
	numbers, fresh := map[string]int{}, 0
	var mu sync.Mutex
	var asking sync.WaitGroup
	for range 12 {
		asking.Go(func() {
			a := ask(`{"subject":"s","body":"b"}`)
			mu.Lock()
			defer mu.Unlock()
			numbers[a.Header().Get("Location")]++
			if a.Code == 201 && a.Header().Get("Idempotency-Replayed") == "" {
				fresh++
			}
		})
	}
	asking.Wait()
	if len(numbers) != 1 || fresh != 1 {
		t.Errorf("%d times fresh, tickets %v", fresh, numbers)
	}
	if a := ask(`{"subject":"s","body":"other"}`); a.Code != 409 || a.problem.Code != "idempotency-key-reused" {
		t.Errorf("%d %+v", a.Code, a.problem)
	}
}

// TestList_pagesShowEachTicketOnce, before and after its first step.
func TestList_pagesShowEachTicketOnce(t *testing.T) {
	o := openFixture(t)
	want := map[string]bool{}
	for i := range 9 {
		if i == 5 {
			o.Stepper.Paused.Lock()
			defer o.Stepper.Paused.Unlock()
		}
		self := o.submit("clara", `{"subject":"Parcel","body":"zebra `+string(rune('a'+i))+`"}`)
		want[strings.TrimPrefix(self, "/api/v1/tickets/")] = true
		if i < 5 {
			o.do("anna", 200, "POST", self+"/notes", `{"body":"internal giraffe"}`)
		}
	}
	for _, who := range []string{"clara", "anna"} {
		got := map[string]int{}
		path, pages := "/api/v1/tickets?limit=2&q="+url.QueryEscape("zebra parcel"), 0
		for path != "" {
			a := o.do(who, 200, "GET", path, "")
			for _, line := range decode[listed](t, a).Tickets {
				got[line.Number]++
			}
			path, _, _ = strings.Cut(strings.TrimPrefix(a.Header().Get("Link"), "<"), ">")
			if pages++; pages > 9 {
				t.Fatal("the pages don't end")
			}
		}
		for n := range want {
			if got[n] != 1 {
				t.Errorf("%s is shown %s %d times", who, n, got[n])
			}
		}
		if pages != 5 || len(got) != 9 {
			t.Errorf("%s: %d tickets on %d pages", who, len(got), pages)
		}
	}
	if got := decode[listed](t, o.do("clara", 200, "GET", "/api/v1/tickets?q=giraffe", "")); len(got.Tickets) != 0 {
		t.Errorf("a customer finds tickets by what only staff may read: %+v", got)
	}
	if got := decode[listed](t, o.do("anna", 200, "GET", "/api/v1/tickets?q=giraffe", "")); len(got.Tickets) != 5 {
		t.Errorf("staff find %d tickets", len(got.Tickets))
	}
}

// TestCommand_isAcceptedWhileNoStepIsTaken: what can't be decided now is accepted, shown as pending, and done later.
func TestCommand_isAcceptedWhileNoStepIsTaken(t *testing.T) {
	o := openFixture(t)
	self := o.submit("clara", `{"subject":"s","body":"b"}`)
	o.do("anna", 200, "POST", self+"/assignment", "")
	o.Stepper.Paused.Lock()
	o.do("anna", 202, "POST", self+"/replies", `{"body":"hello"}`)
	if got := decode[ticketJSON](t, o.do("clara", 200, "GET", self, "")); !got.Pending {
		t.Errorf("not pending: %+v", got)
	}
	o.Stepper.Paused.Unlock()
	got := decode[ticketJSON](t, o.do("anna", 200, "POST", self+"/notes", `{"body":"n"}`))
	if got.Pending || got.Clocks.FirstResponse.MetAt.IsZero() {
		t.Errorf("the reply was not taken before the note: %+v", got)
	}
}

// TestOutage: without a database every route that needs one responds with Retry-After, and none fails otherwise.
func TestOutage(t *testing.T) {
	s, err := store.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=2", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h, _ := serve(t, &scripted{}, func(c *api.Config) {
		c.Desk, c.People = app.NewTickets(s, s, s, store.NewOutcomes(s, slog.New(slog.DiscardHandler)), &scripted{}), s
		c.Board = app.NewNoticeBoard(s)
		c.Policies = app.NewPolicies(s, s, s, &scripted{})
		c.Ready = []api.Check{{Name: "postgresql", Ask: s.Ready}}
	})
	for _, line := range api.Lines() {
		c := call{method: line.Method, path: strings.NewReplacer("{number}", someNumber, "{version}", "1").Replace(line.Path), as: "sd_token"}
		if a := do(t, h, c); a.Code != 503 || a.Header().Get("Retry-After") == "" || strings.Contains(a.Body.String(), "127.0.0.1") {
			t.Errorf("%s %s: %d %s", line.Method, line.Path, a.Code, a.Body)
		}
	}
	if a := do(t, h, call{method: "GET", path: "/readyz"}); a.Code != 503 {
		t.Errorf("/readyz: %d %s", a.Code, a.Body)
	}
}

func TestRating_ofOnesOwnResolvedTicket(t *testing.T) {
	o := openFixture(t)
	path := o.submit("clara", `{"subject": "Where is it?", "body": "Late."}`)
	if a := o.do("clara", 409, "POST", path+"/rating", `{"score": 5}`); a.problem.Code != "not-resolved" {
		t.Errorf("before the resolution: %s", a.Body)
	}
	o.do("anna", 200, "POST", path+"/resolution", `{"body": "Sent."}`)
	a := o.do("clara", 200, "POST", path+"/rating", `{"score": 4, "comment": "Quick.\r\nThanks."}`)
	got := decode[struct {
		Number, Comment, At string
		Score               int
	}](t, a)
	if "/api/v1/tickets/"+got.Number != path || got.Score != 4 || got.Comment != "Quick.\nThanks." || got.At == "" {
		t.Errorf("the rating is %+v", got)
	}
	for body, field := range map[string]string{
		`{"score": 0}`: "score", `{"score": 6}`: "score", `{"comment": "no score"}`: "score", `{"score": 2.5}`: "score",
		`{"score": 3, "comment": "a\u0000b"}`: "comment", `{"score": 3, "comment": "` + strings.Repeat("x", 2001) + `"}`: "comment",
	} {
		if got := o.do("clara", 422, "POST", path+"/rating", body).fields(); !slices.Equal(got, []string{field}) {
			t.Errorf("%.40s: %v", body, got)
		}
	}
	o.do("carl", 404, "POST", path+"/rating", `{"score": 1}`)
	o.do("anna", 403, "POST", path+"/rating", `{"score": 5}`)
}
