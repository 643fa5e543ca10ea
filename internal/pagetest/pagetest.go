// Package pagetest looks at pages as a browser's reader of the document would: what every page must have, whatever it
// shows. For tests only.
package pagetest

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// Read parses a page, and ends the test when it can't.
func Read(t testing.TB, body io.Reader) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(body)
	if err != nil {
		t.Fatalf("read the page: %v", err)
	}
	return doc
}

// Check fails the test for everything that a page of this site must not have, or must have and lacks.
func Check(t testing.TB, name string, doc *goquery.Document) {
	t.Helper()
	for _, problem := range Problems(doc) {
		t.Errorf("%s: %s", name, problem)
	}
}

// Problems lists what is wrong with a page.
func Problems(doc *goquery.Document) []string {
	var found []string
	tell := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if doc.Find("html[lang]").Length() != 1 {
		tell("its language is not told")
	}
	if strings.Trim(doc.Find("head title").Text(), " ·") == "" {
		tell("it has no title")
	}
	if n := doc.Find("h1").Length(); n != 1 {
		tell("it has %d first headings", n)
	}
	if n := doc.Find("main").Length(); n != 1 {
		tell("it has %d main parts", n)
	}
	doc.Find("style, [style], script:not([src])").Each(func(_ int, s *goquery.Selection) {
		tell("inline style or script, which the content policy stops: %s", outer(s))
	})
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		for _, a := range s.Nodes[0].Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") {
				tell("inline script in %s of %s", a.Key, outer(s))
			}
		}
	})
	ids(doc, tell)
	controls(doc, tell)
	return found
}

func ids(doc *goquery.Document, tell func(string, ...any)) {
	seen := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if seen[id] {
			tell("the id %q is there twice", id)
		}
		seen[id] = true
	})
	for _, attribute := range []string{"for", "aria-labelledby", "aria-describedby", "aria-controls", "list"} {
		doc.Find("[" + attribute + "]").Each(func(_ int, s *goquery.Selection) {
			for _, id := range strings.Fields(s.AttrOr(attribute, "")) {
				if !seen[id] {
					tell("%s names %q, which is not there: %s", attribute, id, outer(s))
				}
			}
		})
	}
}

func controls(doc *goquery.Document, tell func(string, ...any)) {
	doc.Find("input:not([type=hidden]):not([type=submit]), select, textarea").Each(func(_ int, s *goquery.Selection) {
		labelled := s.Closest("label").Length() > 0 || s.AttrOr("aria-label", s.AttrOr("aria-labelledby", "")) != ""
		if id := s.AttrOr("id", ""); id != "" && doc.Find(`label[for="`+id+`"]`).Length() > 0 {
			labelled = true
		}
		if !labelled {
			tell("nothing labels %s", outer(s))
		}
	})
	doc.Find("button, a[href], summary").Each(func(_ int, s *goquery.Selection) {
		name := strings.TrimSpace(s.Text() + s.AttrOr("aria-label", "") + s.AttrOr("title", "") + s.Find("img").AttrOr("alt", ""))
		if name == "" {
			tell("nothing names %s", outer(s))
		}
	})
	doc.Find("button:not([type])").Each(func(_ int, s *goquery.Selection) { tell("no type: %s", outer(s)) })
	doc.Find("img:not([alt])").Each(func(_ int, s *goquery.Selection) { tell("no words for %s", outer(s)) })
	doc.Find("form").Each(func(_ int, s *goquery.Selection) {
		if method := strings.ToLower(s.AttrOr("method", "get")); method != "get" && method != "post" && method != "dialog" {
			tell("a form is sent by %s", method)
		}
	})
}

func outer(s *goquery.Selection) string {
	text, err := goquery.OuterHtml(s)
	if err != nil {
		return err.Error()
	}
	if len(text) > 160 {
		text = text[:160] + "…"
	}
	return text
}
