package portal

import (
	"net/http"
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
func (p *Pages) rate(v *page.Visit, a access) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
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
	if err = f.Err(); err == nil {
		_, err = p.desk.Rate(v.Context(), a.requester, rating)
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		return p.showRatingError(v, a, typed, http.StatusUnprocessableEntity, err)
	case fault.Limited:
		v.RetryAfter(err)
		typed.ScoreError = errorSentence("Your rating was not saved:", err)
		return p.showRatingError(v, a, typed, http.StatusTooManyRequests, err)
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

func (p *Pages) showRatingError(v *page.Visit, a access, typed rateForm, status int, wrong error) error {
	view, err := p.view(v, a)
	if err != nil {
		return err
	}
	messages := fieldErrors(wrong)
	view.RateForm = typed
	if message := messages["score"]; message != "" {
		view.RateForm.ScoreError = "Your rating " + message + "."
	}
	if message := messages["comment"]; message != "" {
		view.RateForm.CommentError = "Your comment " + message + "."
	}
	return v.ShowStatus(status, "ticket", view)
}
