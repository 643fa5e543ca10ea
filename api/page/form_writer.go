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

// Hidden fields that stamp adds to each form: the signed ID of the person to whom it was shown, and the address of its
// page. form-drafts.js adds the name of its draft. They are removed before a handler reads the form.
const (
	fieldWriter = "written-by"
	fieldPage   = "written-on"
	fieldDraft  = "draft"
)

var errOtherWriter = fault.New(fault.Forbidden,
	"this was written with another account than the one that is signed in now, so it was not sent")

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

// unseal returns the person to whom a form was shown, or "" if sealed is missing or not valid, and whether it is fresh
// enough for the form to be stored.
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

// unstamp removes the fields that stamp added from a form, and records them in the visit.
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

// formBegins matches the start tag of a form as templates write it. A quoted value may contain a >. User input is
// escaped, so it never matches.
var formBegins = regexp.MustCompile(`<form\b(?:[^>"]|"[^"]*")*?\smethod="post"(?:[^>"]|"[^"]*")*>`)

// stamp adds the hidden fields with the reader and the page's address to each form of a page.
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

// sameWriter rejects a form that was shown to one person and is sent by another, who has signed in since.
func (v *Visit) sameWriter() error {
	if v.gin.Request.Method != http.MethodPost || v.engine.Keeper == nil {
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
