package page

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/fault"
)

type failureView struct {
	Layout
	Status  int
	Heading string
	Message string
	ID      string // of the request
	Details []fault.Detail
	Typed   bool // something was posted: the page before still shows it
}

// fail responds with an error page and records the error for the access log. It redirects visitors who must sign in to
// do so.
func (v *Visit) fail(err error) {
	v.info.Failure = err
	if v.gin.Writer.Written() {
		return // a stream that failed: the browser reconnects
	}
	status, shown := request.Safe(v.Context(), err)
	if status == http.StatusUnauthorized && v.gin.Request.Method == http.MethodGet {
		if v.redirect("/sign-in?next="+url.QueryEscape(v.pageAddress())) == nil {
			return
		}
	}
	if status == http.StatusUnauthorized && v.gin.Request.Method == http.MethodPost && v.askToSignIn() {
		return
	}
	if errors.Is(err, errOtherWriter) && v.storeForm() {
		shown.Message += ". It is saved for a day: sign out, sign in with the account that it was written with, in this browser, and it is back in its form"
	}
	v.retryAfter(status, shown)
	if status == http.StatusUnauthorized {
		v.gin.Header("WWW-Authenticate", `Session realm="supportdesk"`)
	}
	view := failureView{
		Layout: v.Layout(headings[status], ""), Status: status, Heading: headings[status],
		Message: Sentence(shown.Message), ID: v.info.ID, Details: shown.Details,
		Typed: v.gin.Request.Method == http.MethodPost && slices.Contains(retryable, status),
	}
	if view.Heading == "" {
		view.Heading = http.StatusText(status)
	}
	page := *v
	page.set = v.engine.errors
	block := "layout"
	if v.Partial() {
		block = "failure"
	}
	if lost := page.render(status, "failure", block, view); lost != nil {
		v.gin.String(status, "%s\n", shown.Message) // the session can't be saved or the page can't be rendered
		v.engine.Log.ErrorContext(v.Context(), "no error page", "error", lost)
	}
}

// RetryAfter sets the Retry-After header of a rejected form, for a Limited fault.
func (v *Visit) RetryAfter(limited error) {
	status, shown := request.Safe(v.Context(), limited)
	v.retryAfter(status, shown)
}

// retryAfter sets the Retry-After header, if the status or the fault calls for one.
func (v *Visit) retryAfter(status int, f *fault.Error) {
	after := retrySeconds[status]
	if f.RetryAfter > 0 {
		after = request.Seconds(f.RetryAfter)
	}
	if after != "" {
		v.gin.Header("Retry-After", after)
	}
}

// retrySeconds are the values of Retry-After for faults that don't have one, by status.
var retrySeconds = map[int]string{http.StatusServiceUnavailable: "5", http.StatusTooManyRequests: "60"}

// pageAddress returns the address of the page that the browser shows, which is not the request's own if htmx requests a
// fragment of it.
func (v *Visit) pageAddress() string {
	if shown, err := url.Parse(v.gin.GetHeader("HX-Current-URL")); err == nil && v.Partial() && shown.Path != "" {
		return shown.RequestURI()
	}
	return v.gin.Request.URL.RequestURI()
}

// retryable are the statuses after which the same form may be sent again, unchanged or shortened.
var retryable = []int{
	http.StatusRequestEntityTooLarge, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusInternalServerError,
}

// headings are the headings of error pages, by status.
var headings = map[int]string{
	http.StatusUnauthorized:          "Please sign in",
	http.StatusForbidden:             "You don't have permission",
	http.StatusNotFound:              "Not found",
	http.StatusMethodNotAllowed:      "Not possible here",
	http.StatusConflict:              "That isn't possible now",
	http.StatusRequestEntityTooLarge: "That is too large",
	http.StatusUnprocessableEntity:   "Please check what you entered",
	http.StatusTooManyRequests:       "Too many requests",
	http.StatusServiceUnavailable:    "Temporarily unavailable",
	http.StatusInternalServerError:   "Something went wrong",
}
