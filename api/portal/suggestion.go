package portal

import (
	"net/http"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

type suggestionsView struct {
	page.Layout
	Body  string
	Key   string
	Error string
}

func (p *Pages) suggestions(v *page.Visit) error {
	key := v.FormKey()
	if key == "" {
		return v.AddFormKey()
	}
	view := suggestionsView{Layout: v.Layout("Suggestion box", "/suggestions"), Key: key}
	return v.Show("suggestions", view)
}

// suggest stores a suggestion, also of a visitor. The rate is limited by source.
func (p *Pages) suggest(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	var f input.Fields
	body := f.Words("body", form.Get("body"))
	if utf8.RuneCountInString(body) > desk.MaxSuggestion {
		f.Reject("body", "is longer than %d characters", desk.MaxSuggestion)
	}
	switch err = f.Err(); {
	case err != nil:
	case !p.suggestLimiter.Allow(v.Source()):
		err = errTooManyRequests
	default:
		err = p.suggestionBox.Suggest(v.Context(), v.Person, contentKey(v, body).Key, body)
	}
	if err == nil {
		v.Flash("Thank you for your suggestion. We read every one.")
		return v.Redirect("/suggestions")
	}
	view := suggestionsView{Layout: v.Layout("Suggestion box", "/suggestions"), Body: form.Get("body"), Key: form.Get("once")}
	status := http.StatusUnprocessableEntity
	switch fault.KindOf(err) {
	case fault.Invalid:
		view.Error = errorSentence("Your suggestion", err)
	case fault.Limited:
		v.RetryAfter(err)
		status, view.Error = http.StatusTooManyRequests, "Too many suggestions at once. What you wrote is still here: please try again in a minute."
	case fault.Unavailable:
		status, view.Error = http.StatusServiceUnavailable, "We can't accept it at the moment. What you wrote is still here: please try again later."
	default:
		return err
	}
	return v.ShowStatus(status, "suggestions", view)
}
