package page

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Keys of a session's values.
const (
	keyPerson = "person"
	keyEpoch  = "epoch"
	keyGrants = "grants"
	keyFlash  = "flash"
	keySince  = "since" // when its person signed in, in seconds since 1970
)

// recentTime is how long after signing in Recent returns true.
const recentTime = 15 * time.Minute

// maxGrants limits the tickets that a session may have opened by links in emails; the oldest is dropped first.
const maxGrants = 20

// Session is the session that a browser's cookie identifies. It is not stored until it has a value.
type Session struct {
	visit *Visit
	used  *grant // that authorised this visit; nil: none
}

func (s *Session) manager() *scs.SessionManager { return s.visit.engine.sessions }

// token returns the session's token from the cookie, or "".
func (s *Session) token() string {
	cookie, err := s.visit.gin.Request.Cookie(s.manager().Cookie.Name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// load loads the session into the request's context.
func (s *Session) load() error {
	ctx, err := s.manager().Load(s.visit.Context(), s.token())
	if err != nil {
		return fmt.Errorf("load the session: %w", err)
	}
	s.visit.gin.Request = s.visit.gin.Request.WithContext(ctx)
	s.visit.loaded = true
	return nil
}

func (s *Session) person() (desk.Person, error) {
	id := s.Get(keyPerson)
	if id == "" {
		return desk.Person{}, nil
	}
	return s.visit.engine.People.BySession(s.visit.Context(), ticket.PersonID(id), s.manager().GetInt64(s.visit.Context(), keyEpoch))
}

// SignIn assigns the session to a person, with a new token to prevent session fixation. since is when they
// authenticated; the zero time means not recently.
func (s *Session) SignIn(p desk.Person, epoch int64, since time.Time) error {
	ctx := s.visit.Context()
	if err := s.manager().RenewToken(ctx); err != nil {
		return fmt.Errorf("renew the session: %w", err)
	}
	s.manager().Put(ctx, keyPerson, string(p.ID))
	s.manager().Put(ctx, keyEpoch, epoch)
	s.manager().Put(ctx, keySince, max(since.Unix(), 0))
	s.manager().Remove(ctx, keyGrants) // the grants were the visitor's, not this person's
	s.visit.Person, s.visit.info.Person = p, p
	return nil
}

// Renew continues a person's session in a new epoch with a new token. It does not count as signing in again.
func (s *Session) Renew(p desk.Person, epoch int64) error {
	return s.SignIn(p, epoch, time.Unix(s.manager().GetInt64(s.visit.Context(), keySince), 0))
}

// Recent reports whether the session's person signed in within the last 15 minutes.
func (s *Session) Recent() bool {
	since := s.manager().GetInt64(s.visit.Context(), keySince)
	return since > 0 && time.Since(time.Unix(since, 0)) < recentTime
}

// SignOut ends the session, and drops stored forms and drafts of this browser. Only SignOut drops them: after a session
// that was ended elsewhere, or by a new password or role, they are restored when the person signs in.
func (s *Session) SignOut() error {
	person := s.visit.Person.ID
	s.visit.dropForms(person, func(browser []byte) error {
		return s.visit.engine.Forms.ForgetForms(s.visit.Context(), browser, person)
	})
	if err := s.end(); err != nil {
		return err
	}
	s.forgetDrafts()
	return nil
}

func (s *Session) end() error {
	s.visit.Person, s.visit.info.Person = desk.Person{}, desk.Person{}
	ctx := s.visit.Context()
	if err := s.manager().Destroy(ctx); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}

// check returns an Unauthenticated fault if the session no longer authorises the visit's person or grant. It loads the
// session again, with ctx instead of the visit's own context, for streams.
func (s *Session) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sessionCheckTimeout)
	defer cancel()
	ctx, err := s.manager().Load(ctx, s.token())
	if err != nil {
		return fmt.Errorf("load the session again: %w", err)
	}
	if who := s.visit.Person.ID; who != "" {
		if s.manager().GetString(ctx, keyPerson) != string(who) {
			return errSignIn
		}
		if _, err := s.visit.engine.People.BySession(ctx, who, s.manager().GetInt64(ctx, keyEpoch)); err != nil {
			return err
		}
	}
	if g := s.used; g != nil {
		if !time.Now().Before(g.Until) || s.manager().GetString(ctx, keyGrants) == "" {
			return errSignIn
		}
		_, err = s.visit.engine.People.BySession(ctx, g.Person, g.Epoch)
	}
	return err
}

// Put sets a value of the session.
func (s *Session) Put(key, value string) { s.manager().Put(s.visit.Context(), key, value) }

// Get returns a value of the session, or "".
func (s *Session) Get(key string) string { return s.manager().GetString(s.visit.Context(), key) }

// Pop returns a value of the session, or "", and removes it.
func (s *Session) Pop(key string) string { return s.manager().PopString(s.visit.Context(), key) }

// grant is the right to read and answer one ticket, from a link in an email.
type grant struct {
	Number ticket.Number   `json:"n"`
	Person ticket.PersonID `json:"p"`
	Epoch  int64           `json:"e"`
	Until  time.Time       `json:"u"`
}

// Grant authorises the session to read and answer one ticket as its requester until an instant, or until that person's
// sessions are ended.
func (s *Session) Grant(n ticket.Number, p ticket.PersonID, epoch int64, until time.Time) error {
	kept := []grant{{n, p, epoch, until}}
	for _, g := range s.grants() {
		if g.Number != n && len(kept) < maxGrants {
			kept = append(kept, g)
		}
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("keep a grant: %w", err)
	}
	s.Put(keyGrants, string(text))
	return nil
}

// Granted returns the requester as whom the session may act on a ticket, or an Unauthenticated fault without a grant.
func (s *Session) Granted(n ticket.Number) (desk.Person, error) {
	for _, g := range s.grants() {
		if g.Number == n && time.Now().Before(g.Until) {
			s.used = &g
			return s.visit.engine.People.BySession(s.visit.Context(), g.Person, g.Epoch)
		}
	}
	return desk.Person{}, errSignIn
}

func (s *Session) grants() []grant {
	var grants []grant
	if text := s.Get(keyGrants); text != "" {
		_ = json.Unmarshal([]byte(text), &grants) // written by Grant only
	}
	return grants
}

// save stores the session and sets its cookie if it has changed. It must be called before the response is written.
func (s *Session) save() error {
	if !s.visit.loaded {
		return nil
	}
	ctx, m := s.visit.Context(), s.manager()
	switch m.Status(ctx) {
	case scs.Modified:
		token, expires, err := m.Commit(ctx)
		if err != nil {
			return fmt.Errorf("keep the session: %w", err)
		}
		m.WriteSessionCookie(ctx, s.visit.gin.Writer, token, expires)
	case scs.Destroyed:
		m.WriteSessionCookie(ctx, s.visit.gin.Writer, "", time.Time{})
	}
	return nil
}

// forgetDrafts sets a cookie that makes the next page's script delete all drafts in the browser.
func (s *Session) forgetDrafts() {
	s.visit.cookie(http.Cookie{Name: "forget", Value: "drafts", MaxAge: 365 * 24 * 60 * 60})
}
