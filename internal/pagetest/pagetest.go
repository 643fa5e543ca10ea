// Package pagetest checks the HTML of a page for what every page must have. For tests only.
package pagetest

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// Read parses a page. It ends the test on an error.
func Read(t testing.TB, body io.Reader) *goquery.Document {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(body)
	if err != nil {
		t.Fatalf("read the page: %v", err)
	}
	return doc
}

// Check fails the test for each problem of a page.
func Check(t testing.TB, name string, doc *goquery.Document) {
	t.Helper()
	for _, problem := range Problems(doc) {
		t.Errorf("%s: %s", name, problem)
	}
}

// Problems returns the problems of a page.
func Problems(doc *goquery.Document) []string {
	var found []string
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	if doc.Find("html[lang]").Length() != 1 {
		report("it has no language")
	}
	if strings.Trim(doc.Find("head title").Text(), " ·") == "" {
		report("it has no title")
	}
	if n := doc.Find("h1").Length(); n != 1 {
		report("it has %d first headings", n)
	}
	if n := doc.Find("main").Length(); n != 1 {
		report("it has %d main parts", n)
	}
	doc.Find("style, [style], script:not([src])").Each(func(_ int, s *goquery.Selection) {
		report("inline style or script, which the content policy stops: %s", outer(s))
	})
	doc.Find("*").Each(func(_ int, s *goquery.Selection) {
		for _, a := range s.Nodes[0].Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") {
				report("inline script in %s of %s", a.Key, outer(s))
			}
		}
	})
	ids(doc, report)
	controls(doc, report)
	return found
}

func ids(doc *goquery.Document, report func(string, ...any)) {
	seen := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, s *goquery.Selection) {
		id := s.AttrOr("id", "")
		if seen[id] {
			report("the id %q is there twice", id)
		}
		seen[id] = true
	})
	for _, attribute := range []string{"for", "aria-labelledby", "aria-describedby", "aria-controls", "list"} {
		doc.Find("[" + attribute + "]").Each(func(_ int, s *goquery.Selection) {
			for _, id := range strings.Fields(s.AttrOr(attribute, "")) {
				if !seen[id] {
					report("%s names %q, which is not there: %s", attribute, id, outer(s))
				}
			}
		})
	}
}

func controls(doc *goquery.Document, report func(string, ...any)) {
	doc.Find("input:not([type=hidden]):not([type=submit]), select, textarea").Each(func(_ int, s *goquery.Selection) {
		labelled := s.Closest("label").Length() > 0 || s.AttrOr("aria-label", s.AttrOr("aria-labelledby", "")) != ""
		if id := s.AttrOr("id", ""); id != "" && doc.Find(`label[for="`+id+`"]`).Length() > 0 {
			labelled = true
		}
		if !labelled {
			report("nothing labels %s", outer(s))
		}
	})
	doc.Find("button, a[href], summary").Each(func(_ int, s *goquery.Selection) {
		name := strings.TrimSpace(s.Text() + s.AttrOr("aria-label", "") + s.AttrOr("title", "") + s.Find("img").AttrOr("alt", ""))
		if name == "" {
			report("nothing names %s", outer(s))
		}
	})
	doc.Find("button:not([type])").Each(func(_ int, s *goquery.Selection) { report("no type: %s", outer(s)) })
	doc.Find("img:not([alt])").Each(func(_ int, s *goquery.Selection) { report("no words for %s", outer(s)) })
	doc.Find("form").Each(func(_ int, s *goquery.Selection) {
		if method := strings.ToLower(s.AttrOr("method", "get")); method != "get" && method != "post" && method != "dialog" {
			report("a form is sent by %s", method)
		}
	})
	doc.Find(`form[action$="/deletion"], [formaction$="/removal"]`).Each(func(_ int, s *goquery.Selection) {
		if strings.TrimSpace(s.AttrOr("data-sure", "")) == "" {
			report("no question before %s", outer(s))
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
