package page

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Flash adds a message to the next page that is shown in this session.
func (v *Visit) Flash(format string, args ...any) {
	v.Session.Put(keyFlash, fmt.Sprintf(format, args...))
}

// Show responds with a page.
func (v *Visit) Show(name string, view any) error { return v.ShowStatus(http.StatusOK, name, view) }

// ShowStatus responds with a page and a status, such as 422 for a rejected form. A response of 200 to a form means that
// it was accepted.
func (v *Visit) ShowStatus(status int, name string, view any) error {
	if status == http.StatusOK && v.gin.Request.Method == http.MethodPost {
		v.Accepted()
	}
	if after := retrySeconds[status]; after != "" && v.gin.Writer.Header().Get("Retry-After") == "" {
		v.gin.Header("Retry-After", after)
	}
	return v.render(status, name, "layout", view)
}

// ShowError responds with a page that shows a form again, with the status of the error for which it was rejected.
func (v *Visit) ShowError(err error, name string, view any) error {
	status, shown := request.Safe(v.Context(), err)
	v.retryAfter(status, shown)
	return v.ShowStatus(status, name, view)
}

// Fragment responds with one block of a page, without the layout.
func (v *Visit) Fragment(name, block string, view any) error {
	return v.render(http.StatusOK, name, block, view)
}

func (v *Visit) render(status int, name, block string, view any) error {
	var b bytes.Buffer
	if err := v.set.execute(&b, name, block, view); err != nil {
		return fmt.Errorf("render %s of page %s: %w", block, name, err)
	}
	body := b.Bytes()
	if block == "layout" && status == http.StatusOK && v.gin.Request.Method == http.MethodGet {
		body = v.refill(body)
	}
	return v.write(status, "text/html; charset=utf-8", v.stamp(body))
}

// File responds with a download under a name.
func (v *Visit) File(media, name string, body []byte) error {
	v.gin.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return v.write(http.StatusOK, media, body)
}

// Nothing responds with success and no content.
func (v *Visit) Nothing() error {
	if err := v.Session.save(); err != nil {
		return err
	}
	v.gin.Status(http.StatusNoContent)
	v.gin.Writer.WriteHeaderNow()
	return nil
}

func (v *Visit) write(status int, media string, body []byte) error {
	if err := v.Session.save(); err != nil {
		return err
	}
	h := v.gin.Writer.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.gin.Status(status)
	_, _ = v.gin.Writer.Write(body) // fails only if the client has disconnected
	return nil
}

// Redirect redirects the browser, after an accepted form or instead of a page.
func (v *Visit) Redirect(to string) error {
	if v.gin.Request.Method == http.MethodPost {
		v.Accepted()
	}
	return v.redirect(to)
}

// Refuse redirects the browser after a form that was not accepted. A stored copy of the form is not dropped.
func (v *Visit) Refuse(to string) error { return v.redirect(to) }

func (v *Visit) redirect(to string) error {
	if err := v.Session.save(); err != nil {
		return err
	}
	if v.Partial() {
		v.gin.Header("HX-Redirect", to)
		v.gin.Status(http.StatusNoContent)
		return nil
	}
	v.gin.Redirect(http.StatusSeeOther, to)
	return nil
}

// FieldErrors returns the first message of each field of a fault; nil if there are none.
func FieldErrors(err error) map[string]string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || len(f.Details) == 0 {
		return nil
	}
	messages := map[string]string{}
	for _, d := range f.Details {
		messages[d.Field] = cmp.Or(messages[d.Field], d.Message)
	}
	return messages
}

// FieldSentences is FieldErrors with sentences that begin with subject, such as "this ".
func FieldSentences(err error, subject string) map[string]string {
	sentences := FieldErrors(err)
	for field, message := range sentences {
		sentences[field] = Sentence(subject + message)
	}
	return sentences
}

// maxLocal limits an address from a request, in bytes.
const maxLocal = 2000

// Local returns an address from a request, such as that of the page after signing in, if it is on this site, or "". It
// prevents open redirects: browsers treat a backslash as a slash and drop tabs and line breaks, so none is allowed.
func Local(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || strings.HasPrefix(u.Path, "//") || !strings.HasPrefix(address, "/") ||
		strings.HasPrefix(address, "//") || len(address) > maxLocal ||
		strings.ContainsFunc(address, func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return ""
	}
	return address
}

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
	if errors.Is(err, errOtherWriter) && v.saveForm() {
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

// Address returns a path with a query of names and values. Empty values are left out.
func Address(path string, query ...string) string {
	values := url.Values{}
	for i := 0; i < len(query); i += 2 {
		if query[i+1] != "" {
			values.Set(query[i], query[i+1])
		}
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}
