package portal

import (
	"net/url"

	"github.com/holesalemart/supportdesk/api/page"
)

// preview shows a script what a message will look like, and paste converts what was pasted. Both are for everyone who can
// write a message, also with a link from an email, and bounded in how often they are used.
func (p *Pages) preview(v *page.Visit, form url.Values) error {
	if !p.wordsLimiter.Allow(v.Source()) {
		return errTooManyRequests
	}
	return v.SendPreview(form.Get("body"))
}

func (p *Pages) paste(v *page.Visit, form url.Values) error {
	if !p.wordsLimiter.Allow(v.Source()) {
		return errTooManyRequests
	}
	return v.SendMarkdown(form.Get("html"))
}
