package page

import (
	"context"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errSignIn = fault.New(fault.Unauthenticated, "sign in to see this page")

// Visit is one request for a page: its person, input and response.
type Visit struct {
	Person  desk.Person    // zero: not signed in
	Zone    *time.Location // the viewer's, or the policy's until it is known
	Session *Session

	engine *Engine
	set    *set
	gin    *gin.Context
	info   *request.Info
	policy *policy.Policy // in force; nil until the database has responded once
	form   url.Values
	loaded bool // the session is loaded

	takesFiles bool                // the route's form may have files
	parts      *request.FormReader // of a form with files; nil: none
	attached   []Attached          // of the form, after UploadFiles
	end        func()              // of a transfer; nil: none

	writer    ticket.PersonID // to whom the posted form was shown; empty: unknown
	writtenOn string          // the address of its page; empty: unknown
	maySave   bool            // the form may be stored until its writer has signed in
	draft     string          // the name of its draft in the browser; empty: unknown
}

// Context returns the request's context, which also ends when its time limit is reached.
func (v *Visit) Context() context.Context { return v.gin.Request.Context() }

// SignedIn reports whether the person has signed in.
func (v *Visit) SignedIn() bool { return v.Person.ID != "" }

// Source returns the address that the request came from.
func (v *Visit) Source() string { return v.info.Source }

// Param returns a part of the path.
func (v *Visit) Param(name string) string { return v.gin.Param(name) }

// Query returns a value of the query, or "" if it is missing or not valid text.
func (v *Visit) Query(name string) string {
	if value := v.gin.Query(name); utf8.ValidString(value) {
		return value
	}
	return ""
}

// ReadNumber parses a ticket number that was typed. It returns an Invalid fault that explains what is wrong with it.
func (v *Visit) ReadNumber(typed string) (ticket.Number, error) {
	return ticket.ReadNumber(v.engine.Prefix, typed)
}

// Number parses the ticket number in the path, in any spelling. It returns a NotFound fault for text that can't be one.
func (v *Visit) Number() (ticket.Number, error) {
	n, err := v.ReadNumber(v.Param("number"))
	if err != nil {
		return ticket.ParseNumber(v.Param("number"))
	}
	return n, nil
}

// Queries returns the whole query.
func (v *Visit) Queries() url.Values { return v.gin.Request.URL.Query() }

// Tomorrow returns the end of today in the time zone of the policy in force, or in UTC until the policy is known.
func (v *Visit) Tomorrow() time.Time {
	zone := time.UTC
	if v.policy != nil {
		zone = v.policy.Zone
	}
	return desk.Tomorrow(time.Now(), zone)
}

// Path returns the path of the request.
func (v *Visit) Path() string { return v.gin.Request.URL.Path }

// Partial reports whether htmx sent the request, which expects a fragment instead of a page.
func (v *Visit) Partial() bool {
	return v.gin.GetHeader("HX-Request") == "true" && v.gin.GetHeader("HX-History-Restore-Request") != "true"
}

// Header returns a header of the request.
func (v *Visit) Header(name string) string { return v.gin.GetHeader(name) }

// Cookie returns the value of a cookie that SetCookie set, or "".
func (v *Visit) Cookie(name string) string {
	cookie, err := v.gin.Request.Cookie(v.engine.cookieName(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// SetCookie sets a cookie that scripts can't read.
func (v *Visit) SetCookie(name, value string, lasts time.Duration) {
	v.cookie(http.Cookie{Name: v.engine.cookieName(name), Value: value, MaxAge: int(lasts / time.Second), HttpOnly: true})
}

// cookie sets a cookie for the whole site that forms on other sites don't send (SameSite=Lax).
func (v *Visit) cookie(c http.Cookie) {
	c.Path, c.Secure, c.SameSite = "/", v.engine.Secure, http.SameSiteLaxMode
	http.SetCookie(v.gin.Writer, &c)
}

// SetHeader sets a header of the response.
func (v *Visit) SetHeader(name, value string) { v.gin.Header(name, value) }
