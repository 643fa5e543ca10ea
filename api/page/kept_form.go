package page

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// formStore stores forms whose writer has to sign in before they can be sent.
type formStore interface {
	Secret(ctx context.Context, name string) ([]byte, error)
	KeepForm(ctx context.Context, browser []byte, f desk.KeptForm) error
	KeptForms(ctx context.Context, browser []byte, person ticket.PersonID, page string) ([]desk.KeptForm, error)
	ForgetForm(ctx context.Context, browser []byte, person ticket.PersonID, action, page string) error
	ForgetForms(ctx context.Context, browser []byte, person ticket.PersonID) error
}

const (
	writerSecret  = "writers" // name of the secret in the store
	formCookie    = "kept"    // its token identifies the browser whose forms are stored
	formCookieAge = 24 * time.Hour
	sentCookie    = "sent"  // names the draft that was accepted, for form-drafts.js
	sentAge       = 60      // in seconds: until the next page has been read
	maxDraft      = 200     // of a draft's name, in bytes
	maxUpload     = 1 << 20 // of a form with a file, whose other fields are stored
)

// secrets are the names of fields that are never stored.
var secrets = []string{"password", "current"}

// storeForm stores the posted form until its writer has signed in. It reports whether it did and the form has input.
func (v *Visit) storeForm() bool {
	form, err := v.readForm()
	if err != nil || !v.mayKeep || v.writtenOn == "" || v.engine.Keeper == nil {
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
	err = v.engine.Keeper.KeepForm(v.Context(), browserOf(token), desk.KeptForm{
		Person: v.writer, Page: v.writtenOn, Action: v.Path(), Fields: fields,
	})
	if err != nil {
		v.engine.Log.WarnContext(v.Context(), "form is not kept until its writer has signed in", "error", err)
		return false
	}
	v.SetCookie(formCookie, token, formCookieAge)
	return hasInput(fields)
}

// askToSignIn stores a form that was posted without a session, and redirects the browser to sign in and from there back
// to the form's page. It reports whether it has responded.
func (v *Visit) askToSignIn() bool {
	if v.engine.Keeper == nil || v.Partial() {
		return false
	}
	kept := v.storeForm()
	if v.writer == "" || v.writtenOn == "" {
		return false
	}
	v.Flash("Your session has ended, so nothing was done. Please sign in again.")
	if kept {
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
		return v.engine.Keeper.ForgetForm(v.Context(), browser, v.writer, v.Path(), v.writtenOn)
	})
}

// dropForms calls drop with the ID of this browser, if forms may be stored for it and the person.
func (v *Visit) dropForms(person ticket.PersonID, drop func(browser []byte) error) {
	token := v.formToken()
	if token == "" || person == "" || v.engine.Keeper == nil {
		return
	}
	if err := drop(browserOf(token)); err != nil {
		v.engine.Log.WarnContext(v.Context(), "a kept form stays for a day", "error", err)
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
		v.writer, v.mayKeep = v.Person.ID, true
	}
	if v.writtenOn == "" {
		v.writtenOn = page
	}
	v.storeForm()
	return v.redirect("/sign-in/again?next=" + url.QueryEscape(v.writtenOn))
}
