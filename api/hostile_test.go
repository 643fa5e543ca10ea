package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
)

func quoted(n int) string { return `"` + strings.Repeat("x", n) + `"` }

// TestSubmit_hostileBodies: each is refused with the status and names the field, and nothing of it reaches the desk.
func TestSubmit_hostileBodies(t *testing.T) {
	with := func(property string) string { return `{"subject":"s","body":"b",` + property + `}` }
	for _, c := range []struct {
		name, body string
		status     int
		field      string
	}{
		{"no body", ``, 400, "body"},
		{"blank body", ` `, 400, "body"},
		{"cut short", `{"subject":"s","body":"b"`, 400, "body"},
		{"trailing data", `{"subject":"s","body":"b"}{}`, 400, "body"},
		{"two values", `{} {}`, 400, "body"},
		{"comment", `{"subject":"s",/**/"body":"b"}`, 400, "body"},
		{"raw control character", "{\"subject\":\"a\nb\",\"body\":\"b\"}", 400, "body"},
		{"byte order mark", "\ufeff{}", 400, "body"},
		{"deep nesting", strings.Repeat("[", 100_000), 400, "body"},
		{"deep and whole", strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000), 400, "body"},
		{"null", `null`, 422, "body"},
		{"an array", `[]`, 422, "body"},
		{"a string", `"subject"`, 422, "body"},
		{"a number", `12`, 422, "body"},
		{"empty object", `{}`, 422, "subject"},
		{"no words", `{"subject":"s"}`, 422, "body"},
		{"null subject", `{"subject":null,"body":"b"}`, 422, "subject"},
		{"nothing to be seen", `{"subject":"\u2800\u00ad","body":"\u3164"}`, 422, "body"},
		{"null order", with(`"order":null`), 422, "order"},
		{"null beside its name", with(`"order":"null","category":null`), 422, "category"},
		{"number for subject", `{"subject":1,"body":"b"}`, 422, "subject"},
		{"object for body", `{"subject":"s","body":{"a":"b"}}`, 422, "body"},
		{"array for order", with(`"order":["1"]`), 422, "order"},
		{"huge number", with(`"order":1e999`), 400, "body"},
		{"unknown field", with(`"colour":"red"`), 422, "colour"},
		{"field in another case", `{"Subject":"s","body":"b"}`, 422, "Subject"},
		{"field in folded case", `{"ſubject":"s","body":"b"}`, 422, "ſubject"},
		{"empty field name", with(`"":"x"`), 422, ""},
		{"prototype", with(`"__proto__":{"a":1}`), 422, "__proto__"},
		{"duplicate field", with(`"subject":"t"`), 422, "subject"},
		{"duplicate by escape", with(`"\u0073ubject":"t"`), 422, "subject"},
		{"long field name", with(quoted(100_000) + `:1`), 422, strings.Repeat("x", 63) + "…"},
		{"bad UTF-8", "{\"subject\":\"a\xffb\",\"body\":\"b\"}", 422, "subject"},
		{"bad UTF-8 in body", "{\"subject\":\"a\",\"body\":\"\xc3\x28\"}", 422, "body"},
		{"bad UTF-8 in a name", "{\"sub\xffject\":\"a\",\"body\":\"b\"}", 422, "sub\ufffdject"},
		{"half a pair", `{"subject":"a\ud800b","body":"b"}`, 422, "subject"},
		{"low half", `{"subject":"s","body":"x\udc00y"}`, 422, "body"},
		{"low half first", `{"subject":"s","body":"\udc00\ud800"}`, 422, "body"},
		{"half then escape", `{"subject":"s","body":"\ud83d\n"}`, 422, "body"},
		{"half at the end", `{"subject":"s","body":"x\ud83d"}`, 422, "body"},
		{"two high halves", `{"subject":"s","body":"\ud83d\ud83d\ude00"}`, 422, "body"},
		{"NUL", `{"subject":"a\u0000b","body":"b"}`, 422, "subject"},
		{"NUL in body", `{"subject":"a","body":"b\u0000"}`, 422, "body"},
		{"escape in body", `{"subject":"a","body":"\u001b[31mred"}`, 422, "body"},
		{"delete in body", `{"subject":"a","body":"a\u007f"}`, 422, "body"},
		{"C1 control in body", `{"subject":"a","body":"a\u0085b"}`, 422, "body"},
		{"lone carriage return", `{"subject":"a","body":"a\rb"}`, 422, "body"},
		{"line break in subject", `{"subject":"a\nb","body":"b"}`, 422, "subject"},
		{"header in subject", `{"subject":"a\r\nBcc: x@example.com","body":"b"}`, 422, "subject"},
		{"line separator in subject", `{"subject":"a\u2028b","body":"b"}`, 422, "subject"},
		{"override in subject", `{"subject":"a\u202eb","body":"b"}`, 422, "subject"},
		{"isolate in subject", `{"subject":"a\u2066b","body":"b"}`, 422, "subject"},
		{"empty subject", `{"subject":"","body":"b"}`, 422, "subject"},
		{"blank subject", `{"subject":" \u00a0\u3000","body":"b"}`, 422, "subject"},
		{"invisible subject", `{"subject":"\u200b\u200d","body":"b"}`, 422, "subject"},
		{"long subject", `{"subject":"` + strings.Repeat("ü", 201) + `","body":"b"}`, 422, "subject"},
		{"empty body", `{"subject":"s","body":""}`, 422, "body"},
		{"blank words", `{"subject":"s","body":" \n\t "}`, 422, "body"},
		{"long words", `{"subject":"s","body":` + quoted(desk.MaxBody+1) + `}`, 422, "body"},
		{"too many bytes", `{"subject":"s","body":` + quoted(128<<10) + `}`, 413, "body"},
		{"long order", with(`"order":` + quoted(65)), 422, "order"},
		{"control in order", with(`"order":"1\t2"`), 422, "order"},
		{"unknown priority", with(`"priority":"highest"`), 422, "priority"},
		{"priority is the desk's", with(`"priority":"urgent"`), 422, "priority"},
		{"unknown category", with(`"category":"gardening"`), 422, "category"},
		{"control in category", with(`"category":"a\u0000"`), 422, "category"},
		{"not a number", with(`"follows":"../../etc"`), 422, "follows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &scripted{}
			h, log := serve(t, s)
			a := do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: c.body})
			if a.Code != c.status || !slices.Contains(a.fields(), c.field) {
				t.Errorf("%d with %+v, want %d for %q", a.Code, a.problem, c.status, c.field)
			}
			if len(s.submitted) > 0 {
				t.Errorf("reached the store: %.100v", s.submitted)
			}
			if len(a.Body.String()) > 4096 {
				t.Errorf("the answer has %d bytes", a.Body.Len())
			}
			if strings.Contains(log.String(), `"level":"ERROR"`) {
				t.Errorf("logged as our error: %s", log)
			}
		})
	}
}

func TestSubmit_manyProblemsAtOnce(t *testing.T) {
	h, _ := serve(t, &scripted{})
	a := do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: `{"subject":"\n","body":"","order":` + quoted(99) + `}`})
	if got := a.fields(); a.Code != 422 || !slices.Equal(got, []string{"subject", "body", "order"}) {
		t.Errorf("%d for %v", a.Code, got)
	}
	var many strings.Builder
	for many.Len() < 100_000 {
		many.WriteString(`"` + strings.Repeat("a", 1+many.Len()%500) + strings.Repeat("b", many.Len()/500) + `":1,`)
	}
	a = do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: `{` + many.String() + `"z":1}`})
	if a.Code != 422 || len(a.problem.Errors) > 20 {
		t.Errorf("%d with %d errors", a.Code, len(a.problem.Errors))
	}
}

// TestSubmit_whatPeopleWrite: what must not be refused, and how it reaches the store.
func TestSubmit_whatPeopleWrite(t *testing.T) {
	for _, c := range []struct{ name, typed, subject, words string }{
		{"trimmed", `{"subject":"  where? \t","body":" b "}`, "where?", " b "},
		{"line breaks", `{"subject":"s","body":"a\r\nb\n\tc"}`, "s", "a\nb\n\tc"},
		{"pair", `{"subject":"\ud83d\ude00","body":"\\ud800 \ud83d\ude00"}`, "😀", `\ud800 😀`},
		{"written escape", `{"subject":"\\\\ud800","body":"\"\\"}`, `\\ud800`, `"\`},
		{"directions", `{"subject":"שלום\u200f","body":"\u202bשלום\u202c"}`, "שלום\u200f", "\u202bשלום\u202c"},
		{"replacement", `{"subject":"\ufffd�","body":"b"}`, "��", "b"},
		{"limits", `{"subject":"` + strings.Repeat("ü", 200) + `","body":` + quoted(desk.MaxBody) + `}`, strings.Repeat("ü", 200), strings.Repeat("x", desk.MaxBody)},
		{"markup", `{"subject":"<b>&\u2019","body":"<script>"}`, "<b>&’", "<script>"},
		{"escaped name", `{"\u0073ubject":"s","body":"b"}`, "s", "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &scripted{}
			h, _ := serve(t, s)
			a := do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: c.typed, media: "application/json; charset=UTF-8"})
			if a.Code != 201 || len(s.submitted) != 1 {
				t.Fatalf("%d %+v", a.Code, a.problem)
			}
			if got := s.submitted[0]; got.Subject != c.subject || got.Body != c.words || got.Category != "general" {
				t.Errorf("the store was given %.200v", got)
			}
		})
	}
}

func TestIntake_mediaTypes(t *testing.T) {
	h, _ := serve(t, &scripted{})
	for media, status := range map[string]int{
		"application/json": 201, "Application/JSON": 201, "application/json;charset=utf-8": 201,
		"none": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json; charset=latin1": 415,
		"application/problem+json": 415, "multipart/form-data; boundary=x": 415, "application/json; charset": 415, "/;": 415,
	} {
		a := do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: `{"subject":"s","body":"b"}`, media: media})
		if a.Code != status || status == 415 && !slices.Contains(a.fields(), "header.Content-Type") {
			t.Errorf("%s: %d %v", media, a.Code, a.fields())
		}
	}
}

// TestCommands_hostileInputs walks every other way in.
func TestCommands_hostileInputs(t *testing.T) {
	at := "/api/v1/tickets/" + someNumber
	for _, c := range []struct {
		method, path, body string
		status             int
		field              string
	}{
		{"POST", at + "/replies", `{}`, 422, "body"},
		{"POST", at + "/replies", `{"body":"\u0000"}`, 422, "body"},
		{"POST", at + "/replies", ``, 400, "body"},
		{"POST", at + "/replies", `{"body":"b","internal":true}`, 422, "internal"},
		{"POST", at + "/notes", `{"body":" "}`, 422, "body"},
		{"POST", at + "/resolution", `{}`, 422, "body"},
		{"POST", at + "/closure", `{"reason":"x"}`, 422, "reason"},
		{"POST", at + "/closure", `null`, 422, "body"},
		{"POST", at + "/closure", `{`, 400, "body"},
		{"POST", at + "/closure?force=1", ``, 422, "query.force"},
		{"POST", at + "/acknowledgement", `{"reason":" "}`, 422, "reason"},
		{"POST", at + "/acknowledgement", `{"reason":"` + strings.Repeat("x", desk.MaxBody+1) + `"}`, 422, "reason"},
		{"POST", at + "/assignment", `{"agent":1}`, 422, "agent"},
		{"POST", at + "/assignment", `{"expected":"a\u0000"}`, 422, "expected"},
		{"POST", at + "/assignment", `{"expected":null}`, 422, "expected"},
		{"POST", at + "/assignment", `{"agent":"a\u0000"}`, 422, "agent"},
		{"POST", at + "/assignment", `{"agent":` + quoted(65) + `}`, 422, "agent"},
		{"PATCH", at, `{}`, 422, "body"},
		{"PATCH", at, `{"priority":"now"}`, 422, "priority"},
		{"PATCH", at, `{"category":"a\nb"}`, 422, "category"},
		{"PATCH", at, `{"status":"closed"}`, 422, "status"},
		{"GET", "/api/v1/tickets?limit=0", ``, 422, "query.limit"},
		{"GET", "/api/v1/tickets?limit=101", ``, 422, "query.limit"},
		{"GET", "/api/v1/tickets?limit=ten", ``, 422, "query.limit"},
		{"GET", "/api/v1/tickets?limit=99999999999999999999", ``, 422, "query.limit"},
		{"GET", "/api/v1/tickets?queue=other", ``, 422, "query.queue"},
		{"GET", "/api/v1/tickets?status=Open", ``, 422, "query.status"},
		{"GET", "/api/v1/tickets?priority=0", ``, 422, "query.priority"},
		{"GET", "/api/v1/tickets?sort=subject", ``, 422, "query.sort"},
		{"GET", "/api/v1/tickets?q=%00", ``, 422, "query.q"},
		{"GET", "/api/v1/tickets?q=%ff", ``, 422, "query.q"},
		{"GET", "/api/v1/tickets?q=" + strings.Repeat("x", 201), ``, 422, "query.q"},
		{"GET", "/api/v1/tickets?q=%zz", ``, 400, "query"},
		{"GET", "/api/v1/tickets?assignee=a%0ab", ``, 422, "query.assignee"},
		{"GET", "/api/v1/tickets?category=%00", ``, 422, "query.category"},
		{"GET", "/api/v1/tickets?cursor=x", ``, 422, "query.cursor"},
		{"GET", "/api/v1/tickets?cursor=e30", ``, 422, "query.cursor"},
		{"GET", "/api/v1/tickets?cursor=bnVsbA", ``, 422, "query.cursor"},
		{"GET", at + "/timeline?x=1", ``, 422, "query.x"},
	} {
		s := &scripted{}
		h, _ := serve(t, s)
		a := do(t, h, call{method: c.method, path: c.path, as: "agent", body: c.body})
		if a.Code != c.status || !slices.Contains(a.fields(), c.field) {
			t.Errorf("%s %s %s: %d for %v, want %d for %q", c.method, c.path, c.body, a.Code, a.fields(), c.status, c.field)
		}
		if len(s.requested)+len(s.filters) > 0 {
			t.Errorf("%s %s %s reached the store", c.method, c.path, c.body)
		}
	}
}

func TestNumbers_thatCannotBe(t *testing.T) {
	h, _ := serve(t, &scripted{})
	for _, n := range []string{"x", "HM-", "HM-0000000000", "%00", "..%2f..%2fetc", "%ff", "HM-7Q2K9XM4TDX", strings.Repeat("A", 5000), "%F0%9F%98%80", "'%20OR%201=1"} {
		for _, c := range []call{
			{method: "GET", path: "/api/v1/tickets/" + n, as: "customer"},
			{method: "GET", path: "/api/v1/track/" + n},
			{method: "PATCH", path: "/api/v1/tickets/" + n, as: "agent", body: `{"priority":"low"}`},
		} {
			if c.method == "PATCH" && n == "HM-0000000000" {
				continue // the scripted takes any number that can be
			}
			if a := do(t, h, c); a.Code != http.StatusNotFound {
				t.Errorf("%s %s: %d", c.method, c.path, a.Code)
			}
		}
	}
}
