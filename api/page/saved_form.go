package page

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Hidden fields that stamp adds to each form: the signed ID of the person to whom it was shown, and the address of its
// page. form-drafts.js adds the name of its draft. They are removed before a handler reads the form.
const (
	fieldWriter = "written-by"
	fieldPage   = "written-on"
	fieldDraft  = "draft"
)

var errOtherWriter = fault.New(fault.Forbidden,
	"you are signed in with a different account from the one this was written with, so it was not sent")

// reader returns the person to whom the page is shown: who has signed in, or the requester whose link was opened.
func (v *Visit) reader() ticket.PersonID {
	if v.Session != nil && v.Session.used != nil {
		return v.Session.used.Person
	}
	return v.Person.ID
}

// sealLifetime is how long after it was shown a form may be stored until its writer has signed in. It is the maximum
// lifetime of a session.
const sealLifetime = lifetime

// seal returns a form's writer and the day, in days since 1970, with an HMAC over both.
func (v *Visit) seal(person ticket.PersonID, day int64) string {
	secret, err := v.engine.Forms.Secret(v.Context(), writerSecret)
	if err != nil {
		v.engine.Log.WarnContext(v.Context(), "page without its reader's seal", "error", err)
		return ""
	}
	name := string(person) + "." + strconv.FormatInt(day, 10)
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(name)) // a hash never fails
	return name + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const secondsADay = 24 * 60 * 60

func today() int64 { return time.Now().Unix() / secondsADay }

// unseal returns the person to whom a form was shown, or "" if sealed is missing or not valid, and whether it is fresh
// enough for the form to be stored.
func (v *Visit) unseal(sealed string) (person ticket.PersonID, fresh bool) {
	parts := strings.Split(sealed, ".")
	if len(parts) != 3 || v.engine.Forms == nil {
		return "", false
	}
	day, err := strconv.ParseInt(parts[1], 10, 64)
	person = ticket.PersonID(parts[0])
	if err != nil || !hmac.Equal([]byte(v.seal(person, day)), []byte(sealed)) {
		return "", false
	}
	return person, day >= today()-int64(sealLifetime/(secondsADay*time.Second))
}

// unstamp removes the fields that stamp added from a form, and records them in the visit.
func (v *Visit) unstamp(form url.Values) {
	v.writer, v.maySave = v.unseal(form.Get(fieldWriter))
	v.writtenOn = Local(form.Get(fieldPage))
	v.draft = form.Get(fieldDraft)
	form.Del(fieldWriter)
	form.Del(fieldPage)
	form.Del(fieldDraft)
}

// formBegins matches the start tag of a form as templates write it. A quoted value may contain a >. User input is
// escaped, so it never matches.
var formBegins = regexp.MustCompile(`<form\b(?:[^>"]|"[^"]*")*?\smethod="post"(?:[^>"]|"[^"]*")*>`)

// stamp adds the hidden fields with the reader and the page's address to each form of a page.
func (v *Visit) stamp(page []byte) []byte {
	reader := v.reader()
	if v.engine.Forms == nil || reader == "" || !formBegins.Match(page) {
		return page
	}
	sealed := v.seal(reader, today())
	if sealed == "" {
		return page
	}
	address := v.writtenOn
	if v.gin.Request.Method == http.MethodGet || v.Partial() {
		address = v.pageAddress()
	}
	fields := []byte(hidden(fieldWriter, sealed) + hidden(fieldPage, address))
	return formBegins.ReplaceAllFunc(page, func(form []byte) []byte { return slices.Concat(form, fields) })
}

// sameWriter rejects a form that was shown to one person and is sent by another, who has signed in since.
func (v *Visit) sameWriter() error {
	if v.gin.Request.Method != http.MethodPost || v.engine.Forms == nil {
		return nil
	}
	if _, err := v.Form(); err != nil {
		return nil //nolint:nilerr // the handler reads the form, too, and reports it; Upload looks for the writer itself
	}
	return v.checkWriter()
}

// checkWriter returns a fault unless the writer of the form that was read is the visit's person, or the requester whose
// link opened the ticket.
func (v *Visit) checkWriter() error {
	if v.writer == "" || v.writer == v.Person.ID {
		return nil
	}
	if n, err := v.Number(); err == nil && slices.ContainsFunc(v.Session.grants(), func(g grant) bool { return g.Number == n && g.Person == v.writer }) {
		return nil
	}
	if !v.SignedIn() {
		return errSignIn
	}
	return errOtherWriter
}

// formStore stores forms whose writer has to sign in before they can be sent.
type formStore interface {
	Secret(ctx context.Context, name string) ([]byte, error)
	SaveForm(ctx context.Context, browser []byte, f desk.SavedForm) error
	SavedForms(ctx context.Context, browser []byte, person ticket.PersonID, page string) ([]desk.SavedForm, error)
	ForgetForm(ctx context.Context, browser []byte, person ticket.PersonID, action, page string) error
	ForgetForms(ctx context.Context, browser []byte, person ticket.PersonID) error
}

const (
	writerSecret  = "writers"    // name of the secret in the store
	formCookie    = "saved-form" // its token identifies the browser whose forms are stored
	formCookieAge = 24 * time.Hour
	sentCookie    = "sent"  // names the draft that was accepted, for form-drafts.js
	sentAge       = 60      // in seconds: until the next page has been read
	maxDraft      = 200     // of a draft's name, in bytes
	maxUpload     = 1 << 20 // of a form with a file, whose other fields are stored
)

// secrets are the names of fields that are never stored.
var secrets = []string{"password", "current"}

// saveForm stores the posted form until its writer has signed in. It reports whether it did and the form has input.
func (v *Visit) saveForm() bool {
	form, err := v.readForm()
	if err != nil || !v.maySave || v.writtenOn == "" || v.engine.Forms == nil {
		return false
	}
	fields := url.Values{}
	for name, values := range form {
		if !slices.Contains(secrets, name) {
			fields[name] = values
		}
	}
	token := v.formToken()
	if token == "" {
		token = rand.Text()
	}
	err = v.engine.Forms.SaveForm(v.Context(), browserOf(token), desk.SavedForm{
		Person: v.writer, Page: v.writtenOn, Action: v.Path(), Fields: fields,
	})
	if err != nil {
		v.engine.Log.WarnContext(v.Context(), "form is not saved until its writer has signed in", "error", err)
		return false
	}
	v.SetCookie(formCookie, token, formCookieAge)
	return hasInput(fields)
}

// askToSignIn stores a form that was posted without a session, and redirects the browser to sign in and from there back
// to the form's page. It reports whether it has responded.
func (v *Visit) askToSignIn() bool {
	if v.engine.Forms == nil || v.Partial() {
		return false
	}
	saved := v.saveForm()
	if v.writer == "" || v.writtenOn == "" {
		return false
	}
	v.Flash("Your session has ended, so nothing was done. Please sign in again.")
	if saved {
		v.Flash("Your session has ended, so nothing was sent. What you typed is saved: it is back in its form once you have signed in again in this browser.")
	}
	return v.redirect("/sign-in?next="+url.QueryEscape(v.writtenOn)) == nil
}

// Accepted drops the stored copy of a form that was accepted, and its draft in the browser. Redirect, and ShowStatus
// with 200, call it.
func (v *Visit) Accepted() {
	if v.writer == "" {
		return
	}
	if strings.HasPrefix(v.draft, string(v.writer)+"/") && len(v.draft) <= maxDraft {
		v.cookie(http.Cookie{Name: sentCookie, Value: url.QueryEscape(v.draft), MaxAge: sentAge})
	}
	v.dropForms(v.writer, func(browser []byte) error {
		return v.engine.Forms.ForgetForm(v.Context(), browser, v.writer, v.Path(), v.writtenOn)
	})
}

// dropForms calls drop with the ID of this browser, if forms may be stored for it and the person.
func (v *Visit) dropForms(person ticket.PersonID, drop func(browser []byte) error) {
	token := v.formToken()
	if token == "" || person == "" || v.engine.Forms == nil {
		return
	}
	if err := drop(browserOf(token)); err != nil {
		v.engine.Log.WarnContext(v.Context(), "a saved form stays for a day", "error", err)
	}
}

// formToken returns the token of this browser's stored forms, or "" if there are none.
func (v *Visit) formToken() string {
	if token := v.Cookie(formCookie); len(token) == len(rand.Text()) {
		return token
	}
	return ""
}

// browserOf returns the ID by which the store knows a browser: a hash, so that the store never contains the token.
func browserOf(token string) []byte {
	hash := sha256.Sum256([]byte(token))
	return hash[:]
}

// SignInAgain stores the posted form, and redirects to sign in again and from there back to the form's page, or to the
// given page if the form does not name its own. The form is not processed.
func (v *Visit) SignInAgain(page string) error {
	if _, err := v.readForm(); err != nil {
		return err
	}
	if v.writer == "" {
		v.writer, v.maySave = v.Person.ID, true
	}
	if v.writtenOn == "" {
		v.writtenOn = page
	}
	v.saveForm()
	return v.redirect("/sign-in/again?next=" + url.QueryEscape(v.writtenOn))
}
