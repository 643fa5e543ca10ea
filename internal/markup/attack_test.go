package markup_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/markup/markuptest"
)

// waysIn are all ways by which a text becomes HTML.
var waysIn = map[string]func(text string) string{
	"Markdown": func(text string) string { return string(markup.Markdown(text, shown)) },
	"text":     func(text string) string { return string(markup.Text(text, shown)) },
	"stored":   markup.SanitizeMail,
	"mail":     func(text string) string { return string(markup.Mail(markup.SanitizeMail(text), shown)) },
	"forged":   func(text string) string { return string(markup.Mail(text, shown)) },
	"pasted":   func(text string) string { return string(markup.Markdown(markup.FromHTML(text), shown)) },
	"folded":   func(text string) string { return string(markup.Mail(text, markup.Options{Fold: 10})) },
	"styled": func(text string) string {
		return string(markup.Mail(text, markup.Options{Styles: map[string]string{"p": "margin: 0", "a": "color: #123"}}))
	},
}

// shown has numbers and images become URLs of this site.
var shown = markup.Options{
	Ticket: func(number string) string { return "/tickets/" + number },
	File: func(id string) string {
		if strings.ContainsAny(id, "/<>\"") {
			return ""
		}
		return "/files/" + id
	},
}

func TestAttacks_noWayInShowsMoreThanWords(t *testing.T) {
	for _, attack := range markuptest.Attacks() {
		for way, show := range waysIn {
			out := show(attack.Text)
			for _, fault := range markuptest.Faults(out, "/tickets/", "/files/") {
				t.Errorf("%s, %s: %s in %.500s", attack.Name, way, fault, out)
			}
			if !strings.Contains(out, markuptest.Marker) {
				t.Errorf("%s, %s: the words are gone: %.300s", attack.Name, way, out)
			}
		}
	}
}

func FuzzShow(f *testing.F) {
	for _, attack := range markuptest.Attacks() {
		f.Add(attack.Text)
	}
	f.Add("# a\n\n- [ ] b\n\n| c | d |\n|-|-|\n| `e` | HM-7Q2K9XM4TD |\n")
	f.Add(`<table><tr><td>a<table><td>b</table>c</table><p>d<ul><li>e<li>f</ul>`)
	f.Fuzz(func(t *testing.T, text string) {
		for way, show := range waysIn {
			out := show(text)
			for _, fault := range markuptest.Faults(out, "/tickets/", "/files/") {
				t.Errorf("%s: %s in %.500s", way, fault, out)
			}
		}
		stored := markup.SanitizeMail(text)
		if again := markup.SanitizeMail(stored); len(again) > 4*len(stored)+100 {
			t.Errorf("it grows from %d to %d", len(stored), len(again))
		}
		markup.PlainText(text)
	})
}
