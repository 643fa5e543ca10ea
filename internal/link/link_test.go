package link_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
)

var (
	secret  = []byte(strings.Repeat("k", 32))
	expires = time.Date(2026, time.December, 23, 10, 0, 0, 0, time.UTC)
	grant   = link.Grant{Number: "HM-7Q2K9XM4TD", Person: "P-0123456789", Expires: expires}
)

func TestRead_givesWhatWasMadeUntilItExpires(t *testing.T) {
	token := link.New(secret, grant)
	if g, err := link.Verify(secret, token, expires.Add(-time.Second)); g != grant || err != nil {
		t.Errorf("got %+v, %v", g, err)
	}
	for _, now := range []time.Time{expires, expires.AddDate(10, 0, 0)} {
		g, err := link.Verify(secret, token, now)
		if g.Number != grant.Number || !link.Expired(err) || fault.KindOf(err) != fault.Forbidden {
			t.Errorf("at %s: %+v, %v", now, g, err)
		}
	}
	if again := link.New(secret, grant); again != token {
		t.Error("the same grant gives another token")
	}
}

func TestMake_isFitForAnAddressAndAMail(t *testing.T) {
	token := link.New(secret, grant)
	if len(token) > 120 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("the token is %q", token)
	}
}

func TestRead_refusesEveryChangeOfOneBit(t *testing.T) {
	data, err := base64.RawURLEncoding.DecodeString(link.New(secret, grant))
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(data) * 8 {
		forged := append([]byte{}, data...)
		forged[i/8] ^= 1 << (i % 8)
		refused(t, secret, base64.RawURLEncoding.EncodeToString(forged))
	}
}

func TestRead_refusesWhatItDidNotMake(t *testing.T) {
	token := link.New(secret, grant)
	refused(t, []byte(strings.Repeat("j", 32)), token)
	for _, forged := range []string{
		"", "x", token[1:], token[:len(token)-1], token + "A", token + "=", token + token, " " + token, strings.ToLower(token),
		strings.Repeat("A", 60), strings.Repeat("A", 1<<20), "../" + token, "\x00", "é" + token,
	} {
		refused(t, secret, forged)
	}
	last := token[len(token)-1]
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if byte(c) != last {
			refused(t, secret, token[:len(token)-1]+string(c))
		}
	}
}

// A link to a file opens no conversation, and so on.
func TestRead_holdsPurposesApart(t *testing.T) {
	kinds := []struct {
		name   string
		sign   func([]byte, link.Grant) string
		verify func([]byte, string, time.Time) (link.Grant, error)
	}{{"a conversation", link.New, link.Verify}, {"an escalation", link.NewEscalation, link.VerifyEscalation}, {"a file", link.NewFile, link.VerifyFile}}
	for _, made := range kinds {
		token := made.sign(secret, grant)
		for _, asked := range kinds {
			g, err := asked.verify(secret, token, expires.Add(-time.Second))
			if made.name == asked.name && (g != grant || err != nil) || made.name != asked.name && (g != link.Grant{} || fault.KindOf(err) != fault.NotFound || err == nil) {
				t.Errorf("a link to %s as one to %s: %+v, %v", made.name, asked.name, g, err)
			}
		}
		if g, err := made.verify(secret, token, expires); !link.Expired(err) || g != grant {
			t.Errorf("a link to %s that has expired: %+v, %v", made.name, g, err)
		}
	}
}

func TestRead_holdsNumberAndPersonApart(t *testing.T) {
	moved := grant
	moved.Number, moved.Person = grant.Number+"P", grant.Person[1:]
	if link.New(secret, moved) == link.New(secret, grant) {
		t.Error("a character that moves from the person to the number makes the same token")
	}
}

func refused(t *testing.T, secret []byte, token string) {
	t.Helper()
	g, err := link.Verify(secret, token, expires.Add(-time.Hour))
	if g != (link.Grant{}) || fault.KindOf(err) != fault.NotFound || err == nil {
		t.Errorf("%.80q gives %+v, %v", token, g, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(link.New(secret, grant))
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		g, err := link.Verify(secret, token, expires.Add(-time.Hour))
		if err == nil && link.New(secret, g) != token {
			t.Errorf("%q reads as %+v, which has another token", token, g)
		}
	})
}
