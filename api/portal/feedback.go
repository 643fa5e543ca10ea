package portal

import (
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

type rateForm struct {
	Score        int
	Comment      string
	ScoreError   string
	CommentError string
}

// score is one value of the scale.
type score struct {
	Value int
	Label string
}

var scores = []score{{5, "Very good"}, {4, "Good"}, {3, "All right"}, {2, "Poor"}, {1, "Bad"}}

// rate stores the requester's rating.
func (p *Pages) rate(v *page.Visit, a access, form url.Values) error {
	var f input.Fields
	typed := rateForm{Comment: form.Get("comment")}
	rating := desk.Rating{Number: a.number}
	if typed.Comment != "" {
		rating.Comment = f.Words("comment", typed.Comment)
	}
	if utf8.RuneCountInString(rating.Comment) > desk.MaxComment {
		f.Reject("comment", "is longer than %d characters", desk.MaxComment)
	}
	// An invalid number is 0, which is not a score.
	typed.Score, _ = strconv.Atoi(form.Get("score"))
	if rating.Score = typed.Score; rating.Score < desk.MinScore || rating.Score > desk.MaxScore {
		f.Reject("score", "is missing: choose one of the five")
	}
	err := f.Err()
	if err == nil {
		_, err = p.desk.Rate(v.Context(), a.requester, rating)
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Limited:
		return p.showRating(v, a, typed, err)
	case fault.Conflict:
		v.Flash("%s", errorSentence("Your rating was not saved:", err))
		return v.Refuse(ticketAddress(a.number))
	}
	if err != nil {
		return err
	}
	v.Flash("Thank you for your rating. We read every one.")
	return v.Redirect(ticketAddress(a.number))
}

// showRating shows the ticket with a rating that was not accepted in its form.
func (p *Pages) showRating(v *page.Visit, a access, typed rateForm, wrong error) error {
	view, err := p.view(v, a)
	if err != nil {
		return err
	}
	messages := page.FieldErrors(wrong)
	view.RateForm = typed
	if message := messages["score"]; message != "" {
		view.RateForm.ScoreError = "Your rating " + message + "."
	}
	if message := messages["comment"]; message != "" {
		view.RateForm.CommentError = "Your comment " + message + "."
	}
	if fault.KindOf(wrong) == fault.Limited {
		view.RateForm.ScoreError = errorSentence("Your rating was not saved:", wrong)
	}
	return v.ShowError(wrong, "ticket", view)
}

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
func (p *Pages) suggest(v *page.Visit, form url.Values) error {
	var f input.Fields
	body := f.Words("body", form.Get("body"))
	if utf8.RuneCountInString(body) > desk.MaxSuggestion {
		f.Reject("body", "is longer than %d characters", desk.MaxSuggestion)
	}
	err := f.Err()
	switch {
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
	view := suggestionsView{Layout: v.Layout("Suggestion box", "/suggestions"), Body: form.Get("body"), Key: form.Get("idempotency_key")}
	switch fault.KindOf(err) {
	case fault.Invalid:
		view.Error = errorSentence("Your suggestion", err)
	case fault.Limited:
		view.Error = "Too many suggestions at once. What you wrote is still here: please try again in a minute."
	case fault.Unavailable:
		view.Error = "We can't accept it at the moment. What you wrote is still here: please try again later."
	default:
		return err
	}
	return v.ShowError(err, "suggestions", view)
}
