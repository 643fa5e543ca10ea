package account_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// stored is a hash of "correct horse" from before the library was used.
const stored = "$argon2id$v=19$m=19456,t=2,p=1$2T0RyynPmwvQ92U/cahgOw$o6b9N0yEfDyXRT9EF2cvYCZ0f2dMdHZQ/4RDkknsLyQ"

func TestHash_olderHashesMatch(t *testing.T) {
	h := account.NewHasher()
	for password, want := range map[string]bool{"correct horse": true, "wrong horse": false} {
		ok, stale, err := h.Matches(t.Context(), password, stored)
		if err != nil || ok != want || stale {
			t.Errorf("%s: matches %t, stale %t, %v", password, ok, stale, err)
		}
	}
	if ok, _, err := h.Matches(t.Context(), "", ""); ok || err != nil {
		t.Errorf("no hash matches: %t, %v", ok, err)
	}
}

func TestHash_anotherCostIsStale(t *testing.T) {
	_, stale, err := account.NewHasher().Matches(t.Context(), "any", strings.Replace(stored, "t=2", "t=1", 1))
	if err != nil || !stale {
		t.Errorf("stale %t, %v", stale, err)
	}
}

func TestHash_rejectsDangerousParameters(t *testing.T) {
	sum := stored[strings.LastIndex(stored, "$")+1:]
	for name, hash := range map[string]string{
		"no passes":  strings.Replace(stored, "t=2", "t=0", 1),
		"no threads": strings.Replace(stored, "p=1", "p=0", 1),
		"no sum":     strings.TrimSuffix(stored, sum),
		"argon2i":    strings.Replace(stored, "argon2id", "argon2i", 1),
		"no hash":    "plain text",
	} {
		if ok, _, err := account.NewHasher().Matches(t.Context(), "any", hash); ok || fault.KindOf(err) != fault.Internal {
			t.Errorf("%s: matches %t, %v", name, ok, err)
		}
	}
}
