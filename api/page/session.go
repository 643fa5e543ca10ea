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

// recentTime is for how long after signing in a session may do what one that was left open must not.
const recentTime = 15 * time.Minute

// maxGrants is how many conversations a visitor may have opened by links; the oldest is forgotten first.
const maxGrants = 20

// Session is what a browser's cookie stands for. Nothing is kept until something is put into it.
type Session struct {
	visit *Visit
	used  *grant // by which this visit was let in; nil: by none
}

func (s *Session) manager() *scs.SessionManager { return s.visit.engine.sessions }

// token is what the cookie holds.
func (s *Session) token() string {
	cookie, err := s.visit.gin.Request.Cookie(s.manager().Cookie.Name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// load reads the session that the cookie names.
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

// SignIn makes the session theirs, under a new token: one that was known before is worth nothing. since is when they
// proved who they are; zero: not of late.
func (s *Session) SignIn(p desk.Person, epoch int64, since time.Time) error {
	ctx := s.visit.Context()
	if err := s.manager().RenewToken(ctx); err != nil {
		return fmt.Errorf("renew the session: %w", err)
	}
	s.manager().Put(ctx, keyPerson, string(p.ID))
	s.manager().Put(ctx, keyEpoch, epoch)
	s.manager().Put(ctx, keySince, max(since.Unix(), 0))
	s.manager().Remove(ctx, keyGrants) // a visitor's conversations are not this person's
	s.visit.Person, s.visit.info.Person = p, p
	return nil
}

// Renew keeps the session theirs, in a new epoch and under a new token, without counting as having signed in again.
func (s *Session) Renew(p desk.Person, epoch int64) error {
	return s.SignIn(p, epoch, time.Unix(s.manager().GetInt64(s.visit.Context(), keySince), 0))
}

// Recent reports whether the session's person signed in a short while ago.
func (s *Session) Recent() bool {
	since := s.manager().GetInt64(s.visit.Context(), keySince)
	return since > 0 && time.Since(time.Unix(since, 0)) < recentTime
}

// SignOut ends the session with everything in it, and drops what was typed in this browser. Nothing else does: who is
// signed out elsewhere, or by a new password or role, finds the words again after signing in.
func (s *Session) SignOut() error {
	person := s.visit.Person.ID
	s.visit.dropForms(person, func(browser []byte) error {
		return s.visit.engine.Keeper.ForgetForms(s.visit.Context(), browser, person)
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

// check looks again whether the session that this visit began with still lets in whom it did: an Unauthenticated fault
// when it doesn't. ctx is not the visit's own.
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

// Put keeps a value from one request to the next.
func (s *Session) Put(key, value string) { s.manager().Put(s.visit.Context(), key, value) }

// Get returns a value, empty when there is none.
func (s *Session) Get(key string) string { return s.manager().GetString(s.visit.Context(), key) }

// Pop returns a value and forgets it.
func (s *Session) Pop(key string) string { return s.manager().PopString(s.visit.Context(), key) }

// grant is one conversation that a link from a mail opened.
type grant struct {
	Number ticket.Number   `json:"n"`
	Person ticket.PersonID `json:"p"`
	Epoch  int64           `json:"e"`
	Until  time.Time       `json:"u"`
}

// Grant lets this browser read and answer one ticket as its requester until an instant, or until that person's
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

// Granted returns whom a link from a mail lets this browser act as on a ticket; an Unauthenticated fault when none does.
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
		_ = json.Unmarshal([]byte(text), &grants) // only Grant writes it; unreadable is none
	}
	return grants
}

// save writes the session and its cookie, if anything in it changed. It must run before the answer's first byte.
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

// forgetDrafts has the browser delete every draft in it, with a cookie that the script of the next page reads.
func (s *Session) forgetDrafts() {
	s.visit.cookie(http.Cookie{Name: "forget", Value: "drafts", MaxAge: 365 * 24 * 60 * 60})
}
