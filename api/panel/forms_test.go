package panel_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestForms_areThoseOfTheRegistry: the panel has a route and a form for every verb that agents may ask for, with the
// verb's fields in it and a command in the palette, and none for anything else.
func TestForms_areThoseOfTheRegistry(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	o.whom(ticket.VerbAddParticipant, n, o.People["carl"].Address, "") // who can be removed, and left out of a reply
	b := o.browser("anna")
	forms := map[string]*goquery.Selection{}
	read := func() {
		b.get("/desk/tickets/" + string(n)).Find("#ticket form").Each(func(_ int, form *goquery.Selection) {
			action, _, _ := strings.Cut(form.AttrOr("action", ""), "?")
			path := strings.TrimPrefix(action, "/desk/tickets/"+string(n)+"/")
			if _, known := forms[path]; !known || form.Find("select").Length() > 0 {
				forms[path] = form
			}
		})
	}
	read()
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbSnooze, Until: time.Now().Add(time.Hour)})
	read() // what is offered of a sleeping ticket alone: to wake it
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
	read() // and of a resolved one: to reopen it
	sometimes := templates(t)
	for _, d := range ticket.Definitions() {
		for _, operation := range d.For(ticket.RoleAgent) {
			form, offered := forms[operation.Path]
			delete(forms, operation.Path)
			if d.Verb.Takes("mail") || d.Verb == ticket.VerbAcknowledge { // there is nothing to send again, or to acknowledge
				if !strings.Contains(sometimes, `"`+operation.Path+`"`) {
					t.Errorf("no template has a form for %s", d.Verb)
				}
				continue
			}
			if !offered {
				t.Errorf("the panel does not offer %s", d.Verb)
				continue
			}
			for _, f := range d.Fields {
				field := "[name='" + f.Name + "']"
				if f.Kind == ticket.FieldFiles {
					field = "[data-attach] input[type=file]"
				}
				if d.Verb.Takes(f.Name) && form.Find(field).Length() == 0 {
					t.Errorf("the form for %s lacks %s", d.Verb, f.Name)
				}
			}
			if form.Find("[data-do]").Length()+form.Siblings().Filter("summary[data-do]").Length() == 0 { // a summary opens the form
				t.Errorf("the palette can't %s", d.Verb)
			}
		}
	}
	for path := range forms {
		t.Errorf("the panel has a form for %s, which is of no verb", path)
	}
}

// TestRoutes_ofCommandsAreThoseOfTheRegistry, beside those that are no verb.
func TestRoutes_ofCommandsAreThoseOfTheRegistry(t *testing.T) {
	var want, got []string
	for _, d := range ticket.Definitions() {
		for _, operation := range d.For(ticket.RoleAgent) {
			want = append(want, operation.Path)
		}
	}
	for _, r := range panel.New(nil, nil, nil, nil, nil, nil).Area().Routes {
		if path, of := strings.CutPrefix(r.Path, "/desk/tickets/:number/"); of && r.Method == "POST" && !slices.Contains([]string{"handover", "presence", "contact"}, path) {
			got = append(got, path)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("routes are for %v, and verbs at %v", got, want)
	}
}

// TestBulk_offersWhatTheRegistryDoes to several tickets, and nothing else.
func TestBulk_offersWhatTheRegistryDoes(t *testing.T) {
	o := newFixture(t)
	o.submit("clara", "My parcel is late", "Where is it?")
	page := o.browser("anna").get("/desk?queue=all")
	var want []string
	for _, d := range ticket.Definitions() {
		if d.Bulk != "" {
			want = append(want, string(d.Verb))
		}
	}
	got := page.Find(".bulk button[name='do']").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("value", "") })
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("it offers %v, and the registry %v", got, want)
	}
}

func templates(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"_ticket.html", "_conversation.html"} {
		text, err := os.ReadFile("templates/" + name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
