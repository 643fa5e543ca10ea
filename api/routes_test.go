package api_test

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api"
)

const (
	forAll         = "visitor customer agent supervisor administrator"
	forSignedIn    = "customer agent supervisor administrator"
	forCustomers   = "customer"
	forSupervisors = "supervisor administrator"
	forStaff       = "agent supervisor administrator"
)

// rules are the expected access rules of all routes, stated independently of the route table.
var rules = map[string]string{
	"POST /api/v1/tickets":                               forSignedIn,
	"GET /api/v1/tickets":                                forSignedIn,
	"GET /api/v1/tickets/{number}":                       forSignedIn,
	"GET /api/v1/tickets/{number}/timeline":              forSignedIn,
	"PATCH /api/v1/tickets/{number}":                     forStaff,
	"POST /api/v1/tickets/{number}/replies":              forSignedIn,
	"POST /api/v1/tickets/{number}/confirmation":         forCustomers,
	"POST /api/v1/tickets/{number}/withdrawal":           forCustomers,
	"POST /api/v1/tickets/{number}/rating":               forCustomers,
	"POST /api/v1/tickets/{number}/assignment":           forStaff,
	"POST /api/v1/tickets/{number}/information-requests": forStaff,
	"POST /api/v1/tickets/{number}/progress":             forStaff,
	"POST /api/v1/tickets/{number}/notes":                forStaff,
	"POST /api/v1/tickets/{number}/resolution":           forStaff,
	"POST /api/v1/tickets/{number}/closure":              forStaff,
	"POST /api/v1/tickets/{number}/reopening":            forStaff,
	"POST /api/v1/tickets/{number}/snooze":               forStaff,
	"POST /api/v1/tickets/{number}/waking":               forStaff,
	"POST /api/v1/tickets/{number}/acknowledgement":      forStaff,
	"POST /api/v1/tickets/{number}/mails/{n}/resend":     forStaff,
	"POST /api/v1/tickets/{number}/participants":         forStaff,
	"POST /api/v1/tickets/{number}/participant-removals": forStaff,
	"POST /api/v1/tickets/{number}/requester":            forStaff,
	"POST /api/v1/tickets/{number}/leaving":              forCustomers,
	"POST /api/v1/files":                                 forSignedIn,
	"GET /api/v1/files/{id}":                             forSignedIn,
	"GET /api/v1/files/{id}/preview":                     forSignedIn,
	"PATCH /api/v1/files/{id}":                           forSignedIn,
	"DELETE /api/v1/files/{id}":                          forSignedIn,
	"GET /api/v1/reports/promises":                       forSupervisors,
	"GET /api/v1/away":                                   forStaff,
	"POST /api/v1/away":                                  forStaff,
	"GET /api/v1/groups":                                 forSupervisors,
	"POST /api/v1/groups":                                forSupervisors,
	"PATCH /api/v1/groups/{group}":                       forSupervisors,
	"DELETE /api/v1/groups/{group}":                      forSupervisors,
	"PUT /api/v1/groups/{group}/members/{agent}":         forSupervisors,
	"DELETE /api/v1/groups/{group}/members/{agent}":      forSupervisors,
	"POST /api/v1/emergencies":                           forSupervisors,
	"POST /api/v1/emergencies/dry-run":                   forSupervisors,
	"GET /api/v1/emergencies":                            forSupervisors,
	"GET /api/v1/emergencies/current":                    forSupervisors,
	"GET /api/v1/emergencies/{id}":                       forSupervisors,
	"PATCH /api/v1/emergencies/{id}":                     forSupervisors,
	"DELETE /api/v1/emergencies/{id}":                    forSupervisors,
	"POST /api/v1/emergencies/{id}/dry-run":              forSupervisors,
	"GET /api/v1/incoming-mails":                         forStaff,
	"GET /api/v1/incoming-mails/{id}":                    forStaff,
	"GET /api/v1/incoming-mails/{id}/raw":                forSupervisors,
	"POST /api/v1/incoming-mails/{id}/release":           forStaff,
	"DELETE /api/v1/incoming-mails/{id}":                 forSupervisors,
	"POST /api/v1/incoming-mails":                        forAll, // a wrong signature is tested elsewhere
	"GET /api/v1/blocked-senders":                        forSupervisors,
	"POST /api/v1/blocked-senders":                       forSupervisors,
	"DELETE /api/v1/blocked-senders/{sender}":            forSupervisors,
	"GET /api/v1/account/addresses":                      forSignedIn,
	"POST /api/v1/account/addresses":                     forSignedIn,
	"PUT /api/v1/account/addresses/primary":              forSignedIn,
	"POST /api/v1/account/address-removals":              forSignedIn,
	"PATCH /api/v1/contacts/{id}":                        forStaff,
	"GET /api/v1/track/{number}":                         forAll,
	"GET /api/v1/notice":                                 forAll,
	"GET /api/v1/policy":                                 forAll,
	"GET /api/v1/policies":                               forAll,
	"GET /api/v1/policies/{version}":                     forAll,
	"POST /api/v1/policies":                              forSupervisors,
	"POST /api/v1/policies/check":                        forSupervisors,
	"POST /api/v1/policies/{version}/adoption/dry-run":   forSupervisors,
	"POST /api/v1/policies/{version}/adoption":           forSupervisors,
	"GET /api/v1/policies/{version}/adoption":            forSupervisors,
}

func TestRoutes_letInWhoTheRuleSays(t *testing.T) {
	h, _ := serve(t, &scripted{})
	seen := map[string]bool{}
	for _, line := range api.Lines() {
		name := line.Method + " " + line.Path
		seen[name] = true
		allowed, ruled := rules[name]
		if !ruled {
			t.Errorf("%s has no rule in this test", name)
			continue
		}
		for _, who := range strings.Fields(forAll) {
			c := call{method: line.Method, path: strings.ReplaceAll(line.Path, "{number}", someNumber), as: who}
			if who == "visitor" {
				c.as = ""
			}
			a := do(t, h, c)
			admitted := a.Code != http.StatusUnauthorized && a.Code != http.StatusForbidden
			if want := slices.Contains(strings.Fields(allowed), who); admitted != want {
				t.Errorf("%s as %s: %d, admitted %v, want %v", name, who, a.Code, admitted, want)
			}
			if !admitted && (who == "visitor") != (a.Code == http.StatusUnauthorized) {
				t.Errorf("%s as %s: %d", name, who, a.Code)
			}
		}
	}
	for name := range maps.Keys(rules) {
		if !seen[name] {
			t.Errorf("%s is ruled, but there is no such route", name)
		}
	}
}

func TestRoutes_needARule(t *testing.T) {
	if err := api.RefusesUnruled(); err == nil {
		t.Error("a route without a rule is mounted")
	}
}

func TestRoutes_tokensThatOnlyRead(t *testing.T) {
	s := &scripted{}
	h, _ := serve(t, s)
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "PATCH": 403} {
		a := do(t, h, call{method: method, path: "/api/v1/tickets/" + someNumber, as: "reader", body: `{"priority": "high"}`})
		if a.Code != want {
			t.Errorf("%s: %d, want %d", method, a.Code, want)
		}
	}
	if a := do(t, h, call{method: "POST", path: "/api/v1/tickets/" + someNumber + "/notes", as: "reader", body: `{"body": "words"}`}); a.Code != 403 || len(s.requested) != 0 {
		t.Errorf("POST: %d, %d commands", a.Code, len(s.requested))
	}
}

func TestRoutes_unknownTokens(t *testing.T) {
	h, _ := serve(t, &scripted{})
	for name, authorization := range map[string][]string{
		"unknown":     {"Bearer nobody"},
		"basic":       {"Basic Y3VzdG9tZXI6"},
		"empty":       {"Bearer "},
		"bare":        {"customer"},
		"twice":       {"Bearer customer", "Bearer agent"},
		"control":     {"Bearer cust\tomer"},
		"long":        {"Bearer " + strings.Repeat("x", 10_000)},
		"two words":   {"Bearer customer agent"},
		"not ASCII":   {"Bearer cüstomer"},
		"empty value": {""},
	} {
		a := do(t, h, call{method: "GET", path: "/api/v1/tickets", header: http.Header{"Authorization": authorization}})
		if got := a.Header().Get("WWW-Authenticate"); a.Code != 401 || !strings.Contains(got, `error="invalid_token"`) {
			t.Errorf("%s: %d, WWW-Authenticate %q", name, a.Code, got)
		}
	}
	a := do(t, h, call{method: "GET", path: "/api/v1/tickets"})
	if got := a.Header().Get("WWW-Authenticate"); a.Code != 401 || got != `Bearer realm="supportdesk"` {
		t.Errorf("without a token: %d, WWW-Authenticate %q", a.Code, got)
	}
	a = do(t, h, call{method: "GET", path: "/api/v1/tickets", header: http.Header{"Authorization": {"bEARER  customer"}}})
	if a.Code != 200 {
		t.Errorf("the scheme in another case: %d", a.Code)
	}
}

func TestRoutes_unknownPathsAndMethodsAreProblems(t *testing.T) {
	h, _ := serve(t, &scripted{})
	for _, path := range []string{"/api", "/api/v1", "/api/v1/tickets/", "/docs", "/openapi.json", "/schemas/Problem.json", "/api/v1/openapi.json"} {
		if a := do(t, h, call{method: "GET", path: path, as: "agent"}); a.Code != 404 {
			t.Errorf("%s: %d", path, a.Code)
		}
	}
	a := do(t, h, call{method: "DELETE", path: "/api/v1/tickets/" + someNumber, as: "agent"})
	allow := strings.Split(a.Header().Get("Allow"), ", ")
	slices.Sort(allow)
	if a.Code != 405 || !slices.Equal(allow, []string{"GET", "PATCH"}) {
		t.Errorf("DELETE: %d, Allow %v", a.Code, allow)
	}
	if a := do(t, h, call{method: "HEAD", path: "/healthz"}); a.Code != 200 {
		t.Errorf("HEAD: %d", a.Code)
	}
}
