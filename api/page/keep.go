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

// keeper keeps the forms whose writer has to sign in first.
type keeper interface {
	Secret(ctx context.Context, name string) ([]byte, error)
	KeepForm(ctx context.Context, browser []byte, f desk.KeptForm) error
	KeptForms(ctx context.Context, browser []byte, person ticket.PersonID, page string) ([]desk.KeptForm, error)
	ForgetForm(ctx context.Context, browser []byte, person ticket.PersonID, action, page string) error
	ForgetForms(ctx context.Context, browser []byte, person ticket.PersonID) error
}

// Each form names whom it was shown to, sealed, and the address of its page, in these hidden fields; form-drafts.js adds
// the name of its draft. No handler sees them.
const (
	fieldWriter = "written-by"
	fieldPage   = "written-on"
	fieldDraft  = "draft"
)

const (
	writerSecret = "writers" // of the store
	keptCookie   = "kept"    // names the browser to what is kept for it
	keptAge      = 24 * time.Hour
	sentCookie   = "sent" // names the draft that was accepted, for form-drafts.js
	sentAge      = 60     // in seconds: until the next page has been read
	maxDraft     = 200    // of a draft's name, in bytes
	secondsADay  = 24 * 60 * 60
	maxUpload    = 1 << 20 // of a form with a file, whose other fields are kept
)

var errOther = fault.New(fault.Forbidden,
	"this was written as somebody else than the person who is signed in now, so it was not sent")

// reader is whom the page is shown to: the person who signed in, or the requester whose link this browser opened.
func (v *Visit) reader() ticket.PersonID {
	if v.Session != nil && v.Session.used != nil {
		return v.Session.used.Person
	}
	return v.Person.ID
}

// sealedFor is how long a form's seal lets it be kept: for as long as the session may last that it was shown in.
const sealedFor = lifetime

// seal makes the name of a form's writer and the day, in days since 1970, which only this desk can make.
func (v *Visit) seal(person ticket.PersonID, day int64) string {
	secret, err := v.engine.Keeper.Secret(v.Context(), writerSecret)
	if err != nil {
		v.engine.Log.WarnContext(v.Context(), "page without its reader's seal", "error", err)
		return ""
	}
	name := string(person) + "." + strconv.FormatInt(day, 10)
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(name)) // a hash never fails
	return name + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func today() int64 { return time.Now().Unix() / secondsADay }

// unseal is whom a form was shown to; empty when it does not say so, or not with our seal. Nothing is kept for a seal
// that is old, but the form is still its writer's alone.
func (v *Visit) unseal(sealed string) (person ticket.PersonID, fresh bool) {
	parts := strings.Split(sealed, ".")
	if len(parts) != 3 || v.engine.Keeper == nil {
		return "", false
	}
	day, err := strconv.ParseInt(parts[1], 10, 64)
	person = ticket.PersonID(parts[0])
	if err != nil || !hmac.Equal([]byte(v.seal(person, day)), []byte(sealed)) {
		return "", false
	}
	return person, day >= today()-int64(sealedFor/(secondsADay*time.Second))
}

// unstamp takes the fields that stamp added out of a form.
func (v *Visit) unstamp(form url.Values) {
	v.writer, v.mayKeep = v.unseal(form.Get(fieldWriter))
	if page := form.Get(fieldPage); page == Local(page) {
		v.writtenOn = page
	}
	v.draft = form.Get(fieldDraft)
	form.Del(fieldWriter)
	form.Del(fieldPage)
	form.Del(fieldDraft)
}

// A form's beginning, as templates write it: a value in quotes may hold a >. What people typed is escaped, and so never
// matches.
var formBegins = regexp.MustCompile(`<form\b(?:[^>"]|"[^"]*")*?\smethod="post"(?:[^>"]|"[^"]*")*>`)

// stamp adds to each form of a page whom it is shown to and where.
func (v *Visit) stamp(page []byte) []byte {
	reader := v.reader()
	if v.engine.Keeper == nil || reader == "" || !formBegins.Match(page) {
		return page
	}
	sealed := v.seal(reader, today())
	if sealed == "" {
		return page
	}
	address := v.writtenOn
	if v.gin.Request.Method == http.MethodGet || v.Partial() {
		address = v.whole()
	}
	fields := []byte(hidden(fieldWriter, sealed) + hidden(fieldPage, address))
	return formBegins.ReplaceAllFunc(page, func(form []byte) []byte { return slices.Concat(form, fields) })
}

// sameWriter refuses a form that was shown to one person and is sent as another: the browser has changed hands since.
func (v *Visit) sameWriter() error {
	if v.gin.Request.Method != http.MethodPost || v.engine.Keeper == nil {
		return nil
	}
	if _, err := v.Form(); err != nil {
		return nil //nolint:nilerr // whoever handles the form reads it, too, and reports it; Upload looks for the writer itself
	}
	return v.checkWriter()
}

// checkWriter compares the writer of a form that was read with the person whom it is sent as: on a ticket that a link
// from a mail opened, its requester.
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
	return errOther
}

// secrets are fields that are never kept.
var secrets = []string{"password", "current"}

// keep keeps a form whose writer has to sign in first, and reports whether it is kept and holds anything that was typed.
func (v *Visit) keep() bool {
	form, err := v.typed()
	if err != nil || !v.mayKeep || v.writtenOn == "" || v.engine.Keeper == nil {
		return false
	}
	fields := url.Values{}
	for name, values := range form {
		if !slices.Contains(secrets, name) {
			fields[name] = values
		}
	}
	token := v.keptToken()
	if token == "" {
		token = rand.Text()
	}
	hash := sha256.Sum256([]byte(token))
	err = v.engine.Keeper.KeepForm(v.Context(), hash[:], desk.KeptForm{
		Person: v.writer, Page: v.writtenOn, Action: v.Path(), Fields: fields,
	})
	if err != nil {
		v.engine.Log.WarnContext(v.Context(), "form is not kept until its writer has signed in", "error", err)
		return false
	}
	v.cookie(http.Cookie{Name: v.keptName(), Value: token, MaxAge: int(keptAge.Seconds()), HttpOnly: true})
	return words(fields)
}

// words reports whether a kept form holds anything that was typed or chosen, and not only hidden fields.
func words(fields url.Values) bool {
	for name, values := range fields {
		if typedIn(name) && strings.Join(values, "") != "" {
			return true
		}
	}
	return false
}

// unseen are fields that every form has hidden, beside those named fieldSeen.
var unseen = []string{fieldOnce, fieldFrom, "act", "expected", "follows", "id", "next", "zone"}

// typedIn reports whether a field is one that people see.
func typedIn(name string) bool {
	return !slices.Contains(unseen, name) && !strings.HasPrefix(name, fieldSeen)
}

// typed reads a form with or without a file, and leaves the file out.
func (v *Visit) typed() (url.Values, error) {
	if v.form != nil {
		return v.form, nil
	}
	if strings.HasPrefix(v.gin.GetHeader("Content-Type"), "multipart/") {
		form, _, err := v.Upload("", maxUpload)
		return form, err
	}
	return v.Form()
}

// askToSignIn keeps what was posted without a session, and sends the browser to sign in and from there back to the page.
// It reports whether it has answered.
func (v *Visit) askToSignIn() bool {
	if v.engine.Keeper == nil || v.Partial() {
		return false
	}
	kept := v.keep()
	if v.writer == "" || v.writtenOn == "" {
		return false
	}
	v.Flash("Your session has ended, so that was not done. Please sign in again.")
	if kept {
		v.Flash("Your session has ended, so that was not sent. What you typed is kept: it is back in its form when you have signed in again in this browser.")
	}
	return v.leave("/sign-in?next="+url.QueryEscape(v.writtenOn)) == nil
}

// Accepted drops what was kept of a form, here and in the browser, once it has been taken. Redirect and a page that
// answers with 200 do so themselves.
func (v *Visit) Accepted() {
	if v.writer == "" {
		return
	}
	if strings.HasPrefix(v.draft, string(v.writer)+"/") && len(v.draft) <= maxDraft {
		v.cookie(http.Cookie{Name: sentCookie, Value: url.QueryEscape(v.draft), MaxAge: sentAge})
	}
	v.forget(v.writer, func(browser []byte) error {
		return v.engine.Keeper.ForgetForm(v.Context(), browser, v.writer, v.Path(), v.writtenOn)
	})
}

// forget drops what this browser has kept for a person.
func (v *Visit) forget(person ticket.PersonID, drop func(browser []byte) error) {
	token := v.keptToken()
	if token == "" || person == "" || v.engine.Keeper == nil {
		return
	}
	hash := sha256.Sum256([]byte(token))
	if err := drop(hash[:]); err != nil {
		v.engine.Log.WarnContext(v.Context(), "a kept form stays for a day", "error", err)
	}
}

func (v *Visit) keptName() string {
	if v.engine.Secure {
		return "__Host-" + keptCookie
	}
	return keptCookie
}

// keptToken is what the browser's cookie holds; empty: nothing is kept for it.
func (v *Visit) keptToken() string {
	cookie, err := v.gin.Request.Cookie(v.keptName())
	if err != nil || len(cookie.Value) != len(rand.Text()) {
		return ""
	}
	return cookie.Value
}

func (v *Visit) cookie(c http.Cookie) {
	c.Path, c.Secure, c.SameSite = "/", v.engine.Secure, http.SameSiteLaxMode
	http.SetCookie(v.gin.Writer, &c)
}
