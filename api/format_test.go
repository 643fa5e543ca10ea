package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/markup/markuptest"
)

type shownEntry struct{ Kind, Body, Format, HTML string }

func (o *fixture) shown(who, location string) []shownEntry {
	o.t.Helper()
	a := o.do(who, 200, "GET", location+"/timeline", "")
	return decode[struct{ Entries []shownEntry }](o.t, a).Entries
}

func TestFormat_messagesAreTextUnlessTheySayMarkdown(t *testing.T) {
	o := openFixture(t)
	location := o.submit("clara", `{"subject": "s", "body": "*a* HM-7Q2K9XM4TD", "format": "markdown"}`)
	o.do("clara", 200, "POST", location+"/replies", `{"body": "*b*"}`)
	o.do("anna", 200, "POST", location+"/notes", `{"body": "*c* HM-7Q2K9XM4TD", "format": "markdown"}`)
	o.do("clara", 422, "POST", location+"/replies", `{"body": "*b*", "format": "html"}`)
	got := o.shown("clara", location)
	want := []shownEntry{
		{"submitted", "*a* HM-7Q2K9XM4TD", "markdown", "<p dir=\"auto\"><em>a</em> <a href=\"/tickets/HM-7Q2K9XM4TD\">HM-7Q2K9XM4TD</a></p>\n"},
		{"customer-replied", "*b*", "text", "<p dir=\"auto\">*b*</p>\n"},
	}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("Clara reads\n%+v, want\n%+v", got, want)
	}
	last := o.shown("anna", location)
	note := shownEntry{"noted", "*c* HM-7Q2K9XM4TD", "markdown", "<p dir=\"auto\"><em>c</em> <a href=\"/desk/tickets/HM-7Q2K9XM4TD\">HM-7Q2K9XM4TD</a></p>\n"}
	if last[len(last)-1] != note {
		t.Errorf("Anna reads\n%+v, want\n%+v", last[len(last)-1], note)
	}
}

func TestAttacks_areHarmlessInTheAPI(t *testing.T) {
	o := openFixture(t)
	location := o.submit("clara", `{"subject": "s", "body": "b"}`)
	for _, format := range []string{"text", "markdown"} {
		for _, attack := range markuptest.Attacks() {
			text := strings.Map(func(r rune) rune { // which the API refuses
				if r < ' ' && r != '\n' && r != '\t' {
					return -1
				}
				return r
			}, strings.ToValidUTF8(attack.Text, ""))
			body, err := json.Marshal(map[string]string{"body": text, "format": format})
			if err != nil {
				t.Fatal(err)
			}
			o.do("anna", 200, "POST", location+"/notes", string(body))
		}
	}
	for _, e := range o.shown("anna", location) {
		for _, fault := range markuptest.Faults(e.HTML, "/desk/tickets/") {
			t.Errorf("%.100q as %s: %s", e.Body, e.Format, fault)
		}
	}
}
