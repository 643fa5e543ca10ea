package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxForm is the longest posted form, in bytes. Percent-encoding may triple what was typed, and a line break counts as
// one byte of a message and is posted as six. A message of twice the limit fits, too, so that it comes back in its form.
const maxForm = 6*desk.MaxBody + 16<<10

var errSignIn = fault.New(fault.Unauthenticated, "sign in to see this page")

// Visit is one request for a page: who asks, what they sent, and the ways to answer.
type Visit struct {
	Person  desk.Person    // zero: nobody has signed in
	Zone    *time.Location // the viewer's, or the policy's until it is known
	Session *Session

	engine *Engine
	set    *set
	gin    *gin.Context
	info   *request.Info
	policy *policy.Policy // in force; nil when the database has never answered
	form   url.Values
	loaded bool // the session

	writer    ticket.PersonID // whom the posted form was shown to; empty: it does not say
	writtenOn string          // the address of its page, likewise
	mayKeep   bool            // the writer's form may be kept until they have signed in
	draft     string          // the name of its draft in the browser, likewise
}

// Context ends with the request, or when it has taken too long.
func (v *Visit) Context() context.Context { return v.gin.Request.Context() }

// SignedIn reports whether the person is known.
func (v *Visit) SignedIn() bool { return v.Person.ID != "" }

// Source is the address that the request came from.
func (v *Visit) Source() string { return v.info.Source }

// Param gives a part of the path.
func (v *Visit) Param(name string) string { return v.gin.Param(name) }

// Query gives a value of the query; empty when it is missing or no text.
func (v *Visit) Query(name string) string {
	if value := v.gin.Query(name); utf8.ValidString(value) {
		return value
	}
	return ""
}

// ReadNumber reads a ticket's number as somebody typed it; an Invalid fault says what is wrong with it.
func (v *Visit) ReadNumber(typed string) (ticket.Number, error) {
	return ticket.ReadNumber(v.engine.Prefix, typed)
}

// Number reads the ticket's number in the path, in any spelling; NotFound for what can't be one.
func (v *Visit) Number() (ticket.Number, error) {
	n, err := v.ReadNumber(v.Param("number"))
	if err != nil {
		return ticket.ParseNumber(v.Param("number"))
	}
	return n, nil
}

// Queries gives the whole query.
func (v *Visit) Queries() url.Values { return v.gin.Request.URL.Query() }

// Tomorrow is when today ends by the policy in force, whatever the viewer's zone; in UTC until the policy is known.
func (v *Visit) Tomorrow() time.Time {
	zone := time.UTC
	if v.policy != nil {
		zone = v.policy.Zone
	}
	return desk.Tomorrow(time.Now(), zone)
}

// Path is the request's own, without its query.
func (v *Visit) Path() string { return v.gin.Request.URL.Path }

// Partial reports whether htmx asks, which wants a fragment and not a page.
func (v *Visit) Partial() bool {
	return v.gin.GetHeader("HX-Request") == "true" && v.gin.GetHeader("HX-History-Restore-Request") != "true"
}

// Header gives a header of the request.
func (v *Visit) Header(name string) string { return v.gin.GetHeader(name) }

// Cookie returns the value of a cookie that SetCookie set; empty when there is none.
func (v *Visit) Cookie(name string) string {
	cookie, err := v.gin.Request.Cookie(v.engine.cookieName(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// SetCookie has the browser keep a value, out of scripts' sight.
func (v *Visit) SetCookie(name, value string, lasts time.Duration) {
	http.SetCookie(v.gin.Writer, &http.Cookie{
		Name: v.engine.cookieName(name), Value: value, Path: "/", MaxAge: int(lasts / time.Second),
		HttpOnly: true, Secure: v.engine.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// SetHeader sets a header of the answer.
func (v *Visit) SetHeader(name, value string) { v.gin.Header(name, value) }

// Form reads what was posted. Values keep their line breaks as the browser sent them.
func (v *Visit) Form() (url.Values, error) {
	if v.form != nil {
		return v.form, nil
	}
	r := v.gin.Request
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || media != "application/x-www-form-urlencoded" {
		return nil, fault.New(fault.Invalid, "that was no form")
	}
	body, err := io.ReadAll(http.MaxBytesReader(v.gin.Writer, r.Body, maxForm))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, fault.New(fault.TooLarge, "that is more than a form can hold")
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the form did not arrive whole; send it again")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "the form can't be read")
	}
	v.unstamp(form)
	v.form = form
	return form, nil
}

// fieldOnce is the hidden field of a form that may be sent once.
const fieldOnce = "once"

// fieldSeen is the hidden field that says what the page had shown of a ticket; a list has one for each, named with its number.
const fieldSeen = "seen"

// fieldFrom is the hidden field that names the list to come back to.
const fieldFrom = "from"

// Once is what makes a form that is sent twice be taken once: the key that it was shown with. A form without one is
// not protected. What the page had shown is no part of what is asked: it may have been brought up to date between the two.
func (v *Visit) Once() desk.Once {
	key := v.form.Get(fieldOnce)
	if key == "" || len(key) > 64 {
		return desk.Once{}
	}
	asked := maps.Clone(v.form)
	maps.DeleteFunc(asked, func(name string, _ []string) bool { return strings.HasPrefix(name, fieldSeen) })
	return request.OnceOf(OnceKey(key), []byte(v.Path()), []byte(asked.Encode()))
}

// FormKey is the key of the form on a page whose address carries it: it is the same one when the browser comes back to
// that address, so that what is sent twice is taken once. When it is empty, the answer is AddFormKey's.
func (v *Visit) FormKey() string {
	if key := v.Query("form"); ValidKey(key) {
		return key
	}
	return ""
}

// AddFormKey leads to the same page under an address with a new key.
func (v *Visit) AddFormKey() error {
	query := v.Queries()
	query.Set("form", rand.Text())
	return v.leave(v.Path() + "?" + query.Encode())
}

// ValidKey reports whether a form's key is one that was drawn here.
func ValidKey(key string) bool {
	return len(key) == len(rand.Text()) && strings.Trim(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") == ""
}

// OnceKey is the key under which what a form with a key asks for is accepted.
func OnceKey(key string) string { return "page:" + key }

// Flash keeps a sentence for the next page that this browser is shown.
func (v *Visit) Flash(format string, args ...any) {
	v.Session.Put(keyFlash, fmt.Sprintf(format, args...))
}

// Show answers with a page.
func (v *Visit) Show(name string, view any) error { return v.ShowStatus(http.StatusOK, name, view) }

// ShowStatus answers with a page under a status, such as 422 for a form that comes back. A form that is answered with
// 200 was taken.
func (v *Visit) ShowStatus(status int, name string, view any) error {
	if status == http.StatusOK && v.gin.Request.Method == http.MethodPost {
		v.Accepted()
	}
	if after := patience[status]; after != "" && v.gin.Writer.Header().Get("Retry-After") == "" {
		v.gin.Header("Retry-After", after)
	}
	return v.render(status, name, "layout", view)
}

// Fragment answers with one block of a page, without the layout.
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

// Local gives an address that a visitor brought along, such as where to go after signing in, if it lies on this site,
// and the start otherwise.
func Local(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(address, "/") ||
		strings.HasPrefix(address, "//") || strings.ContainsAny(address, "\\\t\r\n") {
		return "/"
	}
	return address
}

// Redirect sends the browser on, after a post that was taken or instead of a page.
func (v *Visit) Redirect(to string) error {
	if v.gin.Request.Method == http.MethodPost {
		v.Accepted()
	}
	return v.leave(to)
}

// Refuse sends the browser on after a post that was not taken: what is kept of it stays.
func (v *Visit) Refuse(to string) error { return v.leave(to) }

func (v *Visit) leave(to string) error {
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

// File answers with something to be kept under a name.
func (v *Visit) File(media, name string, body []byte) error {
	v.gin.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return v.write(http.StatusOK, media, body)
}

// Nothing answers that it is done and nothing has to be shown.
func (v *Visit) Nothing() error {
	if err := v.Session.save(); err != nil {
		return err
	}
	v.gin.Status(http.StatusNoContent)
	v.gin.Writer.WriteHeaderNow()
	return nil
}

// smallest is the size from which compressing an answer is worth it, in bytes.
const smallest = 1400

func (v *Visit) write(status int, media string, body []byte) error {
	if err := v.Session.save(); err != nil {
		return err
	}
	h := v.gin.Writer.Header()
	h.Set("Content-Type", media)
	h.Add("Vary", "Accept-Encoding")
	if len(body) >= smallest && strings.Contains(v.gin.GetHeader("Accept-Encoding"), "gzip") {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write(body); err != nil {
			return fmt.Errorf("compress: %w", err)
		}
		if err := w.Close(); err != nil {
			return fmt.Errorf("compress: %w", err)
		}
		h.Set("Content-Encoding", "gzip")
		body = b.Bytes()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.gin.Status(status)
	_, _ = v.gin.Writer.Write(body) // a client that has gone is the only way this fails
	return nil
}
