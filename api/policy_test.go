package api_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// body writes a value as JSON.
func body(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func faster() string {
	return strings.Replace(string(policy.Holesalemart()), "{target: 72h, counts: business_hours, remind_at: 75%}\n\n", "{target: 3d, counts: business_days, remind_at: 75%}\n\n", 1)
}

func TestPolicies_arePublishedByTheAPI(t *testing.T) {
	o := openFixture(t)
	at := time.Now().UTC().Add(48 * time.Hour).Truncate(time.Second)
	a := o.do("sam", 201, "POST", "/api/v1/policies", body(t, map[string]any{"document": faster(), "reason": "days", "effective_at": at}))
	if a.Header().Get("Location") != "/api/v1/policies/2" || !strings.Contains(a.Body.String(), `"version":2`) {
		t.Errorf("%v %s", a.Header(), a.Body)
	}
	list := o.do("clara", 200, "GET", "/api/v1/policies", "").Body.String()
	for _, want := range []string{`"state":"ahead"`, `"state":"in force"`, "First response: 72 hours during opening hours → 3 business days", `"by":"supervisor"`} {
		if !strings.Contains(list, want) {
			t.Errorf("no %s in %s", want, list)
		}
	}
	if strings.Contains(list, "Sam") {
		t.Error("customers see who published it")
	}
	if one := o.do("clara", 200, "GET", "/api/v1/policies/2", "").Body.String(); !strings.Contains(one, "business_days") {
		t.Errorf("version 2 is %s", one)
	}
	o.do("clara", 404, "GET", "/api/v1/policies/3", "")
	o.do("sam", 422, "POST", "/api/v1/policies", body(t, map[string]any{"document": faster() + "\n", "reason": "days"}))
	o.do("sam", 409, "POST", "/api/v1/policies", body(t, map[string]any{"document": faster(), "reason": "days", "effective_at": at}))
	bad := o.do("sam", 422, "POST", "/api/v1/policies", body(t, map[string]any{"document": "nonsense: 1\n", "reason": "x"}))
	if !strings.Contains(bad.Body.String(), "line 1") {
		t.Errorf("a bad document: %s", bad.Body)
	}
}

func TestPolicies_areCheckedBesideTodays(t *testing.T) {
	o := openFixture(t)
	good := o.do("sam", 200, "POST", "/api/v1/policies/check", body(t, map[string]any{"document": faster()})).Body.String()
	for _, want := range []string{`"problems":[]`, `"changes":["First response: 72 hours during opening hours → 3 business days"]`, `"title":"Friday 16:00"`, `"today":{`} {
		if !strings.Contains(good, want) {
			t.Errorf("no %s in %s", want, good)
		}
	}
	bad := o.do("sam", 200, "POST", "/api/v1/policies/check", body(t, map[string]any{"document": "name: x\nnonsense: 1\n"})).Body.String()
	if !strings.Contains(bad, `"line":2`) || !strings.Contains(bad, `"examples":[]`) {
		t.Errorf("%s", bad)
	}
}

func TestAdoption_hasADryRunAndIsAccepted(t *testing.T) {
	o := openFixture(t)
	number := strings.TrimPrefix(o.submit("clara", `{"subject": "Where is it?", "body": "It was due."}`), "/api/v1/tickets/")
	o.do("sam", 201, "POST", "/api/v1/policies", body(t, map[string]any{"document": faster(), "reason": "days"}))
	run := o.do("sam", 200, "POST", "/api/v1/policies/2/adoption/dry-run", `{"from_version": 1}`).Body.String()
	if !strings.Contains(run, `"tickets":1`) || !strings.Contains(run, number) || !strings.Contains(run, `"earlier":1`) {
		t.Errorf("the dry run is %s", run)
	}
	done := o.do("sam", 200, "POST", "/api/v1/policies/2/adoption", `{"tickets": ["`+number+`"]}`).Body.String()
	if !strings.Contains(done, `"accepted":[{"number":"`+number+`"`) {
		t.Errorf("the move is %s", done)
	}
	if audit := o.do("sam", 200, "GET", "/api/v1/policies/2/adoption", "").Body.String(); !strings.Contains(audit, "Sam Supervisor") {
		t.Errorf("the audit is %s", audit)
	}
	o.do("sam", 422, "POST", "/api/v1/policies/2/adoption", `{}`)
	if wrong := o.do("sam", 422, "POST", "/api/v1/policies/2/adoption", `{"tickets": ["`+number+`", "parcel"]}`).Body.String(); !strings.Contains(wrong, `\"parcel\" is not a ticket number`) {
		t.Errorf("a number that is none is answered with %s", wrong)
	}
	o.do("sam", 404, "POST", "/api/v1/policies/9/adoption", `{"from_version": 1}`)
	o.do("anna", 403, "POST", "/api/v1/policies/2/adoption", `{"from_version": 1}`)
}

func TestPolicies_nameNoOneToCustomers(t *testing.T) {
	o := openFixture(t)
	with := func(handle string) string {
		before, ladder, _ := strings.Cut(faster(), "escalation:")
		ladder = strings.Replace(ladder, "tell: [", "tell: [{person: "+handle+"}, {webhook: secret-hook}, ", 1)
		return before + "escalation:" + ladder + "# secret-comment\n"
	}
	for _, handle := range []string{"secret-one", "secret-two"} {
		o.do("sam", 201, "POST", "/api/v1/policies", body(t, map[string]any{"document": with(handle), "reason": "another person"}))
	}
	for _, path := range []string{"/policy", "/policies", "/policies/2", "/policies/3"} {
		for _, who := range []string{"", "clara"} {
			a := o.do(who, 200, "GET", "/api/v1"+path, "")
			if strings.Contains(a.Body.String(), "secret") || !strings.Contains(a.Header().Get("Vary"), "Authorization") {
				t.Errorf("%s shows %q %s", path, who, a.Body)
			}
		}
		for _, who := range []string{"anna", "sam"} {
			a := o.do(who, 200, "GET", "/api/v1"+path, "")
			if !strings.Contains(a.Body.String(), "secret-two") != (path == "/policies/2") || strings.Contains(a.Header().Get("Cache-Control"), "public") {
				t.Errorf("%s shows %s %v %s", path, who, a.Header(), a.Body)
			}
		}
	}
}
