package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
)

func TestLinkFor_signsInTheOwnerOfTheAddress(t *testing.T) {
	h := open(t)
	token := h.linkFor(" customer@DEMO.example ")
	link, err := h.Open(t.Context(), token)
	if err != nil || link.Person != h.customer || link.Purpose != account.SignIn || link.NeedsPassword() {
		t.Errorf("%+v, %v", link, err)
	}
	if left := time.Until(link.Until); left < 55*time.Minute || left > time.Hour {
		t.Errorf("it is valid for %s", left)
	}
	_, err = h.CreateLink(t.Context(), "nobody@demo.example", time.Hour)
	wantKind(t, err, fault.NotFound)
	if err := h.db.DisablePerson(t.Context(), h.customer.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.CreateLink(t.Context(), h.customer.Address, time.Hour)
	wantKind(t, err, fault.NotFound)
	_, err = h.Open(t.Context(), token)
	wantKind(t, err, fault.NotFound)
}

// What is stored of a link must not be enough to use it.
func TestLink_cannotBeReadInTheDatabase(t *testing.T) {
	h := open(t)
	token := h.linkFor(h.agent.Address)
	id := one[string](h, `SELECT id FROM links`)
	if token == id || !strings.HasPrefix(token, id) {
		t.Fatalf("the token %s is not the ID %s followed by a MAC", token, id)
	}
	if n := one[int](h, `SELECT count(*) FROM links l WHERE l::text LIKE '%' || $1 || '%'`, token[len(id):]); n != 0 {
		t.Error("the link's MAC is stored")
	}
}

func TestOpen_rejectsForgedLinks(t *testing.T) {
	h := open(t)
	token := h.linkFor(h.agent.Address)
	other := h.linkFor(h.customer.Address)
	for name, made := range map[string]string{
		"nothing": "", "the ID alone": token[:26], "a longer one": token + "A", "one cut short": token[:len(token)-1],
		"another link's secret": other[:26] + token[26:], "other case": strings.ToLower(token),
		"a NUL": token[:30] + "\x00" + token[31:], "much": strings.Repeat(token, 1000), "not ASCII": token[:26] + "ü" + token[28:],
	} {
		_, err := h.Open(t.Context(), made)
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	h.sql(`UPDATE links SET expires_at = clock_timestamp() WHERE id = $1`, token[:26])
	_, err := h.Open(t.Context(), token)
	wantKind(t, err, fault.NotFound)
}
