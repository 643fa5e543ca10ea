package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fields are the names of everything that any form or address of the website asks for.
var fields = []string{
	"address", "name", "password", "current", "next", "label", "scope", "role", "handle", "from", "to", "q", "after", "idempotency_key",
	"subject", "body", "category", "priority", "order", "follows", "score", "comment", "number", "status", "queue", "assignee",
	"requester", "agent", "expected", "reason", "canned", "fill", "ticket", "do", "state", "show", "id", "title", "shared",
	"query", "edit", "part", "measure", "for", "seen", "code", "error",
}

// send asks a route with a value in every field of its form and its address.
func (h *fixture) send(t *testing.T, method, path, cookie, value string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	form := url.Values{}
	for _, name := range fields {
		form.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, method, "/", strings.NewReader(form.Encode()))
	address, err := url.Parse(path + "?" + form.Encode())
	if err != nil {
		t.Fatal(err)
	}
	r.URL = address
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Cookie", cookie)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// TestSite_breaksOnNothingThatIsTyped: whatever stands in a form, an address or its parameters, no page fails on our
// side, none leads to another site, and nothing that was typed is markup.
func TestSite_breaksOnNothingThatIsTyped(t *testing.T) {
	h := openFixture(t, 60)
	for _, value := range []string{"\x00'{{.}}", "\xff\xfe%", "\"><script>alert(1)</script>", "//evil.example", "99999999999999999999"} {
		for _, r := range h.routes() {
			if strings.HasSuffix(r.Path, "/live") || r.Path == "/sign-out" || strings.HasSuffix(r.Path, "everywhere") {
				continue // streams, and what ends the session that the next routes are asked with
			}
			for _, role := range []ticket.Role{"", ticket.RoleCustomer, ticket.RoleAdministrator} {
				if role != "" && r.Access.Allows != nil && !r.Access.Allows(role) {
					continue
				}
				paths := []string{h.address(r)}
				if strings.Contains(r.Path, ":") {
					parts := strings.Split(r.Path, "/")
					for i, part := range parts {
						if strings.HasPrefix(part, ":") {
							parts[i] = url.PathEscape(value)
						}
					}
					paths = append(paths, strings.Join(parts, "/"))
				}
				for _, path := range paths {
					h.checkUnbroken(t, fmt.Sprintf("%s %s as %q with %q", r.Method, r.Path, role, value), h.send(t, r.Method, path, h.cookies[role], value))
				}
			}
		}
	}
}

func (h *fixture) checkUnbroken(t *testing.T, what string, a *httptest.ResponseRecorder) {
	t.Helper()
	if a.Code >= http.StatusInternalServerError {
		t.Errorf("%s: %d", what, a.Code)
	}
	if strings.Contains(a.Body.String(), "<script>alert") {
		t.Errorf("%s: what was typed is markup", what)
	}
	if to := a.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
		t.Errorf("%s leads to %q", what, to)
	}
}

// TestSite_saysThatTheDatabaseIsAway: every request gets an answer that says so, and nothing of the cause.
func TestSite_saysThatTheDatabaseIsAway(t *testing.T) {
	h := openFixture(t, 60)
	config, err := pgx.ParseConfig(h.DSN)
	if err != nil {
		t.Fatal(err)
	}
	name := config.Database
	config.Database = "postgres"
	beside, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = beside.Close(context.WithoutCancel(t.Context())) }()
	for _, statement := range []string{
		`ALTER DATABASE ` + pgx.Identifier{name}.Sanitize() + ` ALLOW_CONNECTIONS false`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '` + name + `'`,
	} {
		if _, err := beside.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range h.routes() {
		for _, role := range []ticket.Role{"", ticket.RoleCustomer, ticket.RoleAdministrator} {
			a := h.send(t, r.Method, h.address(r), h.cookies[role], "words")
			away := a.Code == http.StatusServiceUnavailable
			if a.Code >= http.StatusInternalServerError && !away || role != "" && !away || strings.Contains(a.Body.String(), "SQLSTATE") {
				t.Errorf("%s %s as %q: %d %.300s", r.Method, r.Path, role, a.Code, a.Body)
			}
		}
	}
}
