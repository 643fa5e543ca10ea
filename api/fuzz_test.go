package api_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// FuzzSubmit: no body makes a 5xx; whatever the store is given, it can hold; and what was refused names a field.
func FuzzSubmit(f *testing.F) {
	for _, seed := range []string{
		`{"subject":"s","body":"b"}`, `{"subject":"s","body":"b","category":"order","priority":"normal","order":"1","follows":"HM-7Q2K9XM4TD"}`,
		`{"subject":"\ud83d\ude00","body":"\u0000"}`, `{"subject":"\ud800","body":"b"}`, `{"subject":"s","subject":"t","body":"b"}`,
		`null`, `[]`, `{"a":{"b":[1,2,{"c":null}]}}`, `{"subject":1e999,"body":"b"}`, "{\"subject\":\"\xff\",\"body\":\"b\"}", `{"":""}`, `{`, ``, `"\`,
	} {
		f.Add([]byte(seed))
	}
	s := &scripted{}
	h, _ := serve(f, s, func(c *api.Config) { c.Log = slog.New(slog.DiscardHandler) })
	f.Fuzz(func(t *testing.T, body []byte) {
		s.submitted = nil
		a := do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: string(body)})
		switch {
		case a.Code == 201 && len(s.submitted) == 1:
			storable(t, s.submitted[0])
			if !json.Valid(body) {
				t.Errorf("accepted what is no JSON: %q", body)
			}
		case a.Code < 400 || a.Code >= 500 || len(a.problem.Errors) == 0 || len(s.submitted) > 0:
			t.Errorf("%d %s, the store was given %d", a.Code, a.Body, len(s.submitted))
		}
	})
}

func storable(t *testing.T, s desk.Submission) {
	t.Helper()
	lines := []string{s.Subject, s.Category, string(s.Priority), s.Order, string(s.Follows)}
	for _, text := range append(lines, s.Body) {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			t.Errorf("the store was given %q", text)
		}
	}
	for _, line := range lines {
		if strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("the store was given the line %q", line)
		}
	}
	if n := utf8.RuneCountInString(s.Subject); n < 1 || n > desk.MaxSubject || s.Body == "" || len(s.Body) > desk.MaxBody {
		t.Errorf("the store was given a subject of %d characters and a body of %d bytes", n, len(s.Body))
	}
}
