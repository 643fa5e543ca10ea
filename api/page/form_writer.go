package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Each form names whom it was shown to, sealed, and the address of its page, in these hidden fields; form-drafts.js adds
// the name of its draft. No handler sees them.
const (
	fieldWriter = "written-by"
	fieldPage   = "written-on"
	fieldDraft  = "draft"
)

var errOtherWriter = fault.New(fault.Forbidden,
	"this was written as somebody else than the person who is signed in now, so it was not sent")

// reader is whom the page is shown to: the person who signed in, or the requester whose link this browser opened.
func (v *Visit) reader() ticket.PersonID {
	if v.Session != nil && v.Session.used != nil {
		return v.Session.used.Person
	}
	return v.Person.ID
}

// sealLifetime is how long a form's seal lets it be kept: for as long as the session may last that it was shown in.
const sealLifetime = lifetime

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

const secondsADay = 24 * 60 * 60

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
	return person, day >= today()-int64(sealLifetime/(secondsADay*time.Second))
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
		address = v.pageAddress()
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
		return nil //nolint:nilerr // the handler reads the form, too, and reports it; Upload looks for the writer itself
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
	return errOtherWriter
}
