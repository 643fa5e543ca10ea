package supervision_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"testing"
)

// A form of every page, with a file or without, is restored for its author after signing in again.
func TestReturn_restoresFormsOfAnExpiredSession(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	end := func() {
		t.Helper()
		if err := o.EndSessions(t.Context(), o.People["sam"].ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		page, action, fills string
		file                bool
		fields              url.Values
	}{
		{"/supervision/emergencies/new", "/supervision/emergencies/dry-run", "#notice", false, url.Values{"notice": {"Water in the hall."}, "kind": {"delayed"}}},
		{"/supervision/emergencies/new", "/supervision/emergencies", "#notice", false, url.Values{"notice": {"More water."}}},
		{"/supervision/policies/new", "/supervision/policies/new", "#document", false, url.Values{"document": {"name: typed"}, "reason": {"why"}}},
		{"/supervision/policies/new", "/supervision/policies/new/holidays", "#document", true, url.Values{"document": {"name: with a file"}}},
		{"/supervision/groups", "/supervision/groups", `main form[action="/supervision/groups"] [name="title"]`, false, url.Values{"title": {"Night shift"}, "handle": {"night"}}},
	} {
		form := b.page(c.page)
		for _, name := range []string{"written-by", "written-on"} {
			c.fields.Set(name, form.Find(`main form [name="`+name+`"]`).AttrOr("value", ""))
		}
		end()
		a := b.Ask(http.MethodPost, c.action, c.fields)
		if c.file {
			var body bytes.Buffer
			w := multipart.NewWriter(&body)
			for name := range c.fields {
				_ = w.WriteField(name, c.fields.Get(name))
			}
			part, _ := w.CreateFormFile("calendar", "holidays.ics")
			_, _ = part.Write([]byte("BEGIN:VCALENDAR"))
			_ = w.Close()
			a = b.Post(c.action, w.FormDataContentType(), &body)
		}
		if a.Status != http.StatusSeeOther || a.Location != "/sign-in?next="+url.QueryEscape(c.page) {
			t.Errorf("%s: %d to %q", c.action, a.Status, a.Location)
		}
		b.SignIn("sam")
		back := b.page(c.page)
		want := ""
		for _, name := range []string{"notice", "document", "title"} {
			want += c.fields.Get(name)
		}
		field := back.Find(c.fills)
		if got := field.AttrOr("value", field.Text()); got != want {
			t.Errorf("%s holds %q after %s, want %q", c.fills, got, c.action, want)
		}
		if kind := c.fields.Get("kind"); kind != "" && back.Find(`[name="kind"][checked]`).AttrOr("value", "") != kind {
			t.Errorf("the selected kind is not %s", kind)
		}
		o.SQL(`DELETE FROM kept_forms`)
	}
}

// A file is not sent as another person who has signed in with the browser since the form was shown.
func TestReturn_doesNotSendAFileAsAnotherPerson(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	form := b.page("/supervision/policies/new")
	b.SignIn("ada")
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, name := range []string{"written-by", "written-on"} {
		_ = w.WriteField(name, form.Find(`main form [name="`+name+`"]`).AttrOr("value", ""))
	}
	_ = w.WriteField("document", "name: Sam's")
	_ = w.Close()
	if a := b.Post("/supervision/policies/new/holidays", w.FormDataContentType(), &body); a.Status != http.StatusForbidden {
		t.Errorf("answered with %d", a.Status)
	}
	if kept := o.Count(`SELECT count(*) FROM kept_forms WHERE person = $1 AND fields LIKE '%Sam%'`, o.People["sam"].ID); kept != 1 {
		t.Errorf("%d of Sam's forms are stored", kept)
	}
}
