package desk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestFillCanned_replacesPlaceholdersWithValues(t *testing.T) {
	request := ticket.Command{Verb: ticket.VerbRequestInformation, By: agent.Actor(), Message: 2}
	cases := map[string]struct {
		body, want string
		commands   []ticket.Command
		missing    []string
	}{
		"words only":             {body: "Hello { {agent} }}", want: "Hello { {agent} }}"},
		"every kind":             {body: "{{ticket.number}} {{ ticket.subject }} {{agent.name}} {{desk.contact}}", want: "HM-7Q2K9XM4TD A leak Demo Agent help@example.com"},
		"one pass only":          {body: "Dear {{requester.name}},", want: "Dear Demo {{agent.name}} Customer,"},
		"promises":               {body: "{{promise.first_response}}; {{promise.resolution}}", want: "Monday 23 November 2026, 21:00 CET; Tuesday 24 November 2026, 07:00 CET"},
		"no order":               {body: "Order {{ticket.order}}!", want: "Order {{ticket.order}}!", missing: []string{"{{ticket.order}}"}},
		"settled and paused":     {body: "{{promise.first_response}} {{promise.resolution}}", want: "{{promise.first_response}} {{promise.resolution}}", commands: []ticket.Command{request}, missing: []string{"{{promise.first_response}}", "{{promise.resolution}}"}},
		"an unknown placeholder": {body: "{{secret}} {{}}", want: "{{secret}} {{}}", missing: []string{"{{secret}}", "{{}}"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, missing := desk.FillCanned(c.body, func(value string) string { return value }, newView(t, c.commands...), desk.Ref{Name: "Demo Agent"})
			if got != c.want || !slices.Equal(missing, c.missing) {
				t.Errorf("got %q, missing %q; want %q, missing %q", got, missing, c.want, c.missing)
			}
		})
	}
}

func TestFillCanned_replacesEveryPlaceholder(t *testing.T) {
	v := newView(t)
	v.Order = "4711"
	for _, name := range desk.Placeholders() {
		quote := func(value string) string { return "<" + value + ">" }
		if got, missing := desk.FillCanned("{{"+name+"}}", quote, v, desk.Ref{Name: "Demo Agent"}); len(missing) > 0 || len(got) < 3 || got[0] != '<' {
			t.Errorf("%s gives %q", name, got)
		}
	}
}

func TestCannedReplyCheck_namesInvalidFields(t *testing.T) {
	for _, c := range []struct{ title, body, fields string }{
		{"Greeting", "Hello {{requester.name}}, {{ agent.name }}", ""},
		{strings.Repeat("ä", 100), strings.Repeat("x", desk.MaxBody), ""},
		{" ", "\n ", "title body"},
		{strings.Repeat("ä", 101), strings.Repeat("x", desk.MaxBody+1), "title body"},
		{"two\nlines", "Hello {{requester.mother}}", "title body"},
		{"Greeting", "{{}}", "body"},
	} {
		if got := wrongFields(desk.CannedReply{Title: c.title, Body: c.body}.Check()); got != c.fields {
			t.Errorf("%.20q, %.40q: wrong is %q, want %q", c.title, c.body, got, c.fields)
		}
	}
}

func TestSavedFilterCheck_namesInvalidFields(t *testing.T) {
	for _, c := range []struct{ name, query, fields string }{
		{"Mine, urgent", "queue=mine&priority=urgent&q=%22a+b%22", ""},
		{"Everything", "", ""},
		{"", "q=%zz", "name query"},
		{strings.Repeat("x", 61), strings.Repeat("x", 2001), "name query"},
		{"x", "a=b\r\nLocation: x", "query"},
	} {
		if got := wrongFields(desk.SavedFilter{Name: c.name, Query: c.query}.Check()); got != c.fields {
			t.Errorf("%.20q, %.40q: wrong is %q, want %q", c.name, c.query, got, c.fields)
		}
	}
}

func wrongFields(err error) string {
	var fields []string
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Invalid {
		for _, d := range f.Details {
			fields = append(fields, d.Field)
		}
	}
	return strings.Join(fields, " ")
}
