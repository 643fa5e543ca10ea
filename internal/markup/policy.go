package markup

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// policy is what HTML may contain in the end, wherever it comes from. The writer emits less; the policy is there for what
// the writer might overlook.
var policy = newPolicy()

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	for name := range elements {
		p.AllowNoAttrs().OnElements(name)
	}
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true) // those of callbacks; the writer lets none of a text through
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^` + linkRel + `$`)).OnElements("a")
	p.AllowAttrs("target").Matching(regexp.MustCompile(`^_blank$`)).OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs("data-src").Matching(regexp.MustCompile(`^https?://`)).OnElements("img", "span")
	p.AllowAttrs("alt", "title").OnElements("img", "span")
	p.AllowAttrs("loading").Matching(regexp.MustCompile(`^lazy$`)).OnElements("img")
	p.AllowAttrs("referrerpolicy").Matching(regexp.MustCompile(`^no-referrer$`)).OnElements("img")
	p.AllowAttrs("width", "height").Matching(regexp.MustCompile(`^[1-9][0-9]{0,3}$`)).OnElements("img")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^remote-image$`)).OnElements("span")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^rest$`)).OnElements("details")
	p.AllowAttrs("colspan", "rowspan").Matching(regexp.MustCompile(`^[1-9][0-9]?$`)).OnElements("td", "th")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|right|center)$`)).OnElements("td", "th")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("tabindex").Matching(regexp.MustCompile(`^0$`)).OnElements("pre", "table")
	p.AllowAttrs("style").Matching(regexp.MustCompile(`^[a-z0-9 :;.%#,-]+$`)).Globally() // of Options.Styles alone
	return p
}
