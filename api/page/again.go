package page

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	keyHeld = "held" // the form that waits for its sender to have signed in again
	maxHeld = 8 << 10
)

// secretFields are not kept with a form, nor is what makes it be taken once.
var secretFields = []string{"password", "current", fieldOnce}

// Held is a form that was sent when its sender had to sign in again first. Nothing of it was done.
type Held struct {
	Person ticket.PersonID // who sent it
	Path   string          // where to
	Values url.Values      // without secrets
}

// Recently is an access for whom it allows and who have signed in a short while ago. The others are asked to sign in
// again, and are led back to the page of the form then.
func Recently(a Access, form string) Access {
	a.Who, a.form = a.Who+" They must have signed in within the last 15 minutes.", form
	return a
}

// SignInAgain keeps what was posted and leads to where one signs in again; from there it goes on to page.
func (v *Visit) SignInAgain(page string) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	values := url.Values{}
	for name := range form {
		values[name] = form[name]
	}
	for _, name := range secretFields {
		values.Del(name)
	}
	kept, err := json.Marshal(Held{v.Person.ID, v.Path(), values})
	if err != nil {
		return fmt.Errorf("keep a form: %w", err)
	}
	if len(kept) <= maxHeld {
		v.Session.Put(keyHeld, string(kept))
	}
	if from := values.Get("from"); from != "" && Local(from) == from {
		page = from
	}
	return v.leave("/sign-in/again?next=" + url.QueryEscape(page))
}

// Held gives the form that waited, this one time.
func (v *Visit) Held() (h Held, ok bool) {
	text := v.Session.Pop(keyHeld)
	if text == "" || json.Unmarshal([]byte(text), &h) != nil || h.Person != v.Person.ID {
		return Held{}, false
	}
	return h, true
}
