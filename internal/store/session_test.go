package store_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

func TestSessions_areKeptUntilTheyExpireOrEnd(t *testing.T) {
	d := open(t)
	s := d.Sessions()
	for hash, expires := range map[string]time.Time{"fresh": time.Now().Add(time.Hour), "stale": time.Now().Add(-time.Second)} {
		if err := s.CommitCtx(t.Context(), hash, []byte(hash), expires); err != nil {
			t.Fatal(err)
		}
	}
	for hash, want := range map[string]bool{"fresh": true, "stale": false, "other": false} {
		if data, found, err := s.FindCtx(t.Context(), hash); found != want || err != nil || found && string(data) != hash {
			t.Errorf("%s: %q %v %v", hash, data, found, err)
		}
	}
	if err := s.CommitCtx(t.Context(), "fresh", []byte("changed"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if data, _, _ := s.FindCtx(t.Context(), "fresh"); string(data) != "changed" {
		t.Errorf("a session that was saved again holds %q", data)
	}
	if err := s.DeleteCtx(t.Context(), "fresh"); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := s.FindCtx(t.Context(), "fresh"); found {
		t.Error("a session that was ended is still there")
	}
	// A request that loaded the session before it ended and commits it now.
	if err := s.CommitCtx(t.Context(), "fresh", []byte("revived"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if data, found, _ := s.FindCtx(t.Context(), "fresh"); found {
		t.Errorf("a session that was ended is back, with %q", data)
	}
	if got := one[int](d, `SELECT count(*)::int FROM sessions WHERE hash = 'fresh' AND data <> ''`); got != 0 {
		t.Error("what an ended session held is still stored")
	}
}

func TestSessions_clearAwayWhatExpired(t *testing.T) {
	d := open(t)
	s := d.Sessions()
	for i := range 30 {
		if err := s.CommitCtx(t.Context(), fmt.Sprint("stale", i), []byte{}, time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		if err := s.CommitCtx(t.Context(), fmt.Sprint("fresh", i), []byte{}, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if got := one[int](d, `SELECT count(*)::int FROM sessions`); got != 5 {
		t.Errorf("%d sessions are stored, not the 5 that live", got)
	}
}

func TestSessions_clearAwayFormsThatAreTooOld(t *testing.T) {
	d := open(t)
	for _, page := range []string{"/old", "/new"} {
		form := desk.SavedForm{Person: d.customer.ID, Page: page, Action: "/tickets", Fields: url.Values{"body": {"words"}}}
		if err := d.SaveForm(t.Context(), make([]byte, 32), form); err != nil {
			t.Fatal(err)
		}
	}
	d.sql(`UPDATE kept_forms SET kept_at = kept_at - interval '25 hours' WHERE page = '/old'`)
	if err := d.Sessions().CommitCtx(t.Context(), "fresh", []byte{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := one[string](d, `SELECT string_agg(page, ' ') FROM kept_forms`); got != "/new" {
		t.Errorf("the forms of %s are stored", got)
	}
}

func TestBySession_endsWithItsEpochAndItsPerson(t *testing.T) {
	d := open(t)
	epoch, err := d.SessionEpoch(t.Context(), d.customer.ID)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := d.BySession(t.Context(), d.customer.ID, epoch); err != nil || p != d.customer {
		t.Fatalf("%+v %v", p, err)
	}
	if err := d.EndSessions(t.Context(), d.customer.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.BySession(t.Context(), d.customer.ID, epoch); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("after its end a session is answered with %v", err)
	}
	if _, err := d.BySession(t.Context(), d.customer.ID, epoch+1); err != nil {
		t.Errorf("a session of the new epoch: %v", err)
	}
	if err := d.DisablePerson(t.Context(), d.customer.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.BySession(t.Context(), d.customer.ID, epoch+1); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("who is disabled is answered with %v", err)
	}
	if _, err := d.SessionEpoch(t.Context(), d.customer.ID); fault.KindOf(err) != fault.NotFound {
		t.Errorf("who is disabled may begin a session: %v", err)
	}
}
