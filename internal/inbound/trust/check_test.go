package trust_test

import (
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/holesalemart/supportdesk/internal/inbound/trust"
)

const (
	bank = "Bank <service@bank.example>"
	evil = "Bank <service@evil.example>"
)

type outcomes struct {
	verdict          trust.Verdict
	spf, dkim, dmarc trust.Outcome
}

func of(r trust.Result) outcomes { return outcomes{r.Verdict, r.SPF, r.DKIM, r.DMARC} }

func TestResults_believeWhatTheDomainAuthenticates(t *testing.T) {
	news := "News <news@news.bank.example>"
	for name, c := range map[string]struct {
		mail trust.Mail
		want outcomes
	}{
		"by server and signature":      {sent(bankIP, "service@bank.example", sign(t, "bank.example", letter(bank, ""))), outcomes{trust.Authentic, "pass", "pass", "pass"}},
		"by its server":                {sent(bankIP, "service@bank.example", letter(bank, "")), outcomes{trust.Authentic, "pass", "none", "pass"}},
		"by its signature, forwarded":  {sent(otherIP, "list@evil.example", sign(t, "bank.example", letter(bank, ""))), outcomes{trust.Authentic, "fail", "pass", "pass"}},
		"fetched from a mailbox":       {sent("", "", sign(t, "bank.example", letter(bank, ""))), outcomes{trust.Authentic, "none", "pass", "pass"}},
		"by the domain above":          {sent(otherIP, "", sign(t, "bank.example", letter(news, ""))), outcomes{trust.Authentic, "fail", "pass", "pass"}},
		"by a domain below":            {sent(newsIP, "b@news.bank.example", letter(bank, "")), outcomes{trust.Authentic, "pass", "none", "pass"}},
		"without a policy":             {sent(evilIP, "a@evil.example", letter(evil, "")), outcomes{trust.Authentic, "pass", "none", "none"}},
		"a notification, by HELO":      {sent(evilIP, "", letter("MAILER-DAEMON@evil.example", "")), outcomes{trust.Authentic, "pass", "none", "none"}},
		"an address in capitals":       {sent(bankIP, "Service@BANK.example", letter("Bank <Service@Bank.EXAMPLE>", "")), outcomes{trust.Authentic, "pass", "none", "pass"}},
		"signed in simple form":        {sent(otherIP, "", sign(t, "bank.example", letter(bank, ""), func(o *dkim.SignOptions) { o.HeaderCanonicalization, o.BodyCanonicalization = "simple", "simple" })), outcomes{trust.Authentic, "fail", "pass", "pass"}},
		"strict, and the domain's own": {sent("192.0.2.4", "a@strict.example", letter("a@strict.example", "")), outcomes{trust.Authentic, "pass", "none", "pass"}},
	} {
		r := check(t, world(), c.mail)
		if of(r) != c.want || r.Retry {
			t.Errorf("%s: %+v, want %v", name, r, c.want)
		}
	}
}

func TestResults_refuseWhatTheDomainDisowns(t *testing.T) {
	signed := sign(t, "bank.example", letter(bank, ""))
	for name, c := range map[string]struct {
		mail trust.Mail
		want outcomes
	}{
		"sent by another":               {sent(evilIP, "a@bank.example", letter(bank, "")), outcomes{trust.Forged, "fail", "none", "fail"}},
		"sent in another's name":        {sent(evilIP, "a@evil.example", letter(bank, "")), outcomes{trust.Forged, "pass", "none", "fail"}},
		"signed by another":             {sent(evilIP, "a@evil.example", sign(t, "evil.example", letter(bank, ""))), outcomes{trust.Forged, "pass", "pass", "fail"}},
		"a changed body":                {sent(evilIP, "a@evil.example", strings.Replace(signed, "100", "100000", 1)), outcomes{trust.Forged, "pass", "fail", "fail"}},
		"a longer body":                 {sent(evilIP, "a@evil.example", signed+"More.\r\n"), outcomes{trust.Forged, "pass", "fail", "fail"}},
		"a changed subject":             {sent(evilIP, "a@evil.example", strings.Replace(signed, "Transfer", "Urgent", 1)), outcomes{trust.Forged, "pass", "fail", "fail"}},
		"another author":                {sent(evilIP, "a@evil.example", strings.Replace(signed, "service@", "boss@", 1)), outcomes{trust.Forged, "pass", "fail", "fail"}},
		"another's signature replayed":  {sent(evilIP, "a@evil.example", strings.Replace(sign(t, "evil.example", letter(evil, "")), "service@evil", "service@bank", 1)), outcomes{trust.Forged, "pass", "fail", "fail"}},
		"a subdomain that publishes no": {sent(evilIP, "a@evil.example", letter("a@no.bank.example", "")), outcomes{trust.Forged, "pass", "none", "fail"}},
		"a policy of none":              {sent(evilIP, "a@evil.example", letter("a@monitored.example", "")), outcomes{trust.Forged, "pass", "none", "fail"}},
		"SPF alone":                     {sent(otherIP, "a@evil.example", letter(evil, "")), outcomes{trust.Forged, "fail", "none", "none"}},
		"strict, from below":            {sent("192.0.2.3", "a@sub.strict.example", letter("a@strict.example", "")), outcomes{trust.Forged, "pass", "none", "fail"}},
		"strict, signed from above": {sent(otherIP, "a@soft.example", sign(t, "bank.example", letter("a@sub.strict.example", ""), func(o *dkim.SignOptions) { o.Domain = "strict.example" })),
			outcomes{trust.Forged, "softfail", "pass", "fail"}},
		"a signature that has expired": {sent(evilIP, "a@evil.example", sign(t, "bank.example", letter(bank, ""), func(o *dkim.SignOptions) { o.Expiration = time.Now().Add(-time.Hour) })),
			outcomes{trust.Forged, "pass", "permerror", "fail"}},
		"a signature by rsa-sha1":    {sent(evilIP, "a@evil.example", strings.Replace(signed, "a=ed25519-sha256", "a=rsa-sha1", 1)), outcomes{trust.Forged, "pass", "permerror", "fail"}},
		"a signature of a part":      {sent(evilIP, "a@evil.example", strings.Replace(signed, "DKIM-Signature: ", "DKIM-Signature: l=24; ", 1)), outcomes{trust.Forged, "pass", "policy", "fail"}},
		"a signature of an unknown":  {sent(evilIP, "a@evil.example", sign(t, "bank.example", letter(bank, ""), func(o *dkim.SignOptions) { o.Selector = "none" })), outcomes{trust.Forged, "pass", "permerror", "fail"}},
		"a signature of a top level": {sent(evilIP, "a@evil.example", sign(t, "evil.example", letter(bank, ""), func(o *dkim.SignOptions) { o.Domain = "example" })), outcomes{trust.Forged, "pass", "permerror", "fail"}},
		"a repeated subject":         {sent(evilIP, "a@evil.example", "Subject: Urgent\r\n"+signed), outcomes{trust.Forged, "pass", "policy", "fail"}},
		"a repeated type":            {sent(evilIP, "a@evil.example", "content-type : text/html\r\n"+signed), outcomes{trust.Forged, "pass", "policy", "fail"}},
		"two at signs":               {sent(evilIP, `"a@bank.example"@evil.example`, letter(evil, "")), outcomes{trust.Unknown, "none", "none", "none"}},
	} {
		r := check(t, world(), c.mail)
		if of(r) != c.want || r.Retry {
			t.Errorf("%s: %+v, want %v", name, r, c.want)
		}
	}
}

func TestResults_knowNothingWhereNothingIsPublished(t *testing.T) {
	z := world()
	z.txt["_dmarc.twice.example"] = []string{"v=DMARC1; p=reject", "v=DMARC1; p=none"}
	z.txt["_dmarc.broken.example"] = []string{"v=DMARC1; p=everything"}
	z.txt["_dmarc.other.example"] = []string{"v=DMARC12; p=reject", "google-site-verification=1"}
	for from, want := range map[string]outcomes{
		"a@nothing.example":      {trust.Unknown, "pass", "none", "none"},
		"a@twice.example":        {trust.Unknown, "pass", "none", "none"},
		"a@broken.example":       {trust.Unknown, "pass", "none", "permerror"},
		"a@other.example":        {trust.Unknown, "pass", "none", "none"},
		"MAILER-DAEMON (Daemon)": {trust.Unknown, "none", "none", "none"},
	} {
		if r := check(t, z, sent(evilIP, "a@evil.example", letter(from, ""))); of(r) != want || r.Retry {
			t.Errorf("%s: %+v, want %v", from, r, want)
		}
	}
	// A mailbox does not say which server sent the mail.
	if r := check(t, z, sent("", "", letter(bank, ""))); of(r) != (outcomes{trust.Unknown, "none", "none", "none"}) || r.Published != "reject" {
		t.Errorf("fetched: %+v", r)
	}
	if r := check(t, z, sent("", "", strings.Replace(sign(t, "bank.example", letter(bank, "")), "100", "900", 1))); r.Verdict != trust.Forged {
		t.Errorf("fetched and changed: %+v", r)
	}
	if r := check(t, z, sent(otherIP, "a@soft.example", letter("a@soft.example", ""))); of(r) != (outcomes{trust.Unknown, "softfail", "none", "none"}) || !strings.Contains(r.Reason, "probably not one of soft.example") {
		t.Errorf("softfail: %+v", r)
	}
}

func TestResults_sayThePolicy(t *testing.T) {
	for from, want := range map[string]string{"a@bank.example": "reject", "a@x.y.bank.example": "quarantine", "a@monitored.example": "none", "a@evil.example": ""} {
		if r := check(t, world(), sent(evilIP, "a@evil.example", letter(from, ""))); r.Published != want {
			t.Errorf("%s: %+v, want %s", from, r, want)
		}
	}
}

// Every look-up that fails temporarily leaves open what a later one may decide.
func TestResults_areOpenWhileDNSIsAway(t *testing.T) {
	for name, z := range map[string]func(*zone){
		"the policy": func(z *zone) { z.fail = []string{"_dmarc.bank.example"} },
		"the key":    func(z *zone) { z.fail = []string{"k._domainkey.bank.example"} },
		"SPF":        func(z *zone) { z.fail = []string{"bank.example"} },
	} {
		w := world()
		z(w)
		r := check(t, w, sent(evilIP, "a@bank.example", strings.Replace(sign(t, "bank.example", letter(bank, "")), "100", "900", 1)))
		if r.Verdict != trust.Unknown || !r.Retry || r.DMARC != trust.TempError {
			t.Errorf("%s: %+v", name, r)
		}
	}
	w := world()
	w.fail = []string{"k._domainkey.evil.example"} // says nothing about the bank
	if r := check(t, w, sent(evilIP, "a@evil.example", sign(t, "evil.example", letter(bank, "")))); r.Verdict != trust.Forged {
		t.Errorf("another's key: %+v", r)
	}
}

// What senders publish about themselves must not keep the policy of another domain from being read.
func TestResults_slowNamesOfASenderHideNoPolicy(t *testing.T) {
	z := world()
	z.txt["evil.example"] = []string{"v=spf1 include:slow.evil.example -all"}
	z.hang = []string{"slow.evil.example", "k._domainkey.evil.example"}
	r, err := trust.New(trust.Options{Resolver: z, Timeout: 50 * time.Millisecond}).
		Results(t.Context(), sent(evilIP, "a@evil.example", sign(t, "evil.example", letter(bank, ""))))
	if err != nil || r.Verdict != trust.Forged || r.Published != "reject" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestResults_askABoundedNumberOfQuestions(t *testing.T) {
	z := world()
	var terms []string
	for i := range 10 {
		domain := fmt.Sprintf("m%d.evil.example", i)
		terms = append(terms, "mx:"+domain)
		for j := range 10 {
			host := fmt.Sprintf("h%d.%s", j, domain)
			z.mx[domain] = append(z.mx[domain], &net.MX{Host: host + "."})
			z.ip[host] = []net.IPAddr{{IP: net.ParseIP("203.0.113.99")}}
		}
	}
	z.txt["evil.example"] = []string{"v=spf1 " + strings.Join(terms, " ") + " -all"}
	mail := letter(evil, "")
	for range 30 {
		mail = sign(t, "evil.example", mail)
	}
	if r := check(t, z, sent(evilIP, "a@evil.example", mail)); r.Verdict != trust.Authentic { // by the first signatures
		t.Errorf("got %+v", r)
	}
	keys := 0
	for _, name := range z.asked {
		if strings.HasPrefix(name, "k._domainkey") {
			keys++
		}
	}
	if len(z.asked) > 70 || keys != 8 {
		t.Errorf("%d questions, %d of them for keys", len(z.asked), keys)
	}
}

func TestResults_askOnlyForNames(t *testing.T) {
	z := world()
	for _, domain := range []string{"a..b.example", "x y.example", strings.Repeat("a.", 150) + "example", strings.Repeat("a", 64) + ".example", "\x00.example", "é.example"} {
		check(t, z, sent(evilIP, "a@"+domain, sign(t, "evil.example", letter(evil, ""), func(o *dkim.SignOptions) { o.Domain = domain })))
	}
	for _, name := range z.asked {
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || len(name) > 253 || strings.Contains(name, "..") {
			t.Errorf("%q was looked up", name)
		}
	}
}

func TestResults_readRSAKeysOfAUsableLength(t *testing.T) {
	for bits, want := range map[int]trust.Outcome{1024: trust.Pass, 2048: trust.Pass} {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		z := world()
		z.txt["rsa._domainkey.bank.example"] = []string{record(key)}
		signed := sign(t, "bank.example", letter(bank, ""), func(o *dkim.SignOptions) { o.Signer, o.Selector = key, "rsa" })
		if r := check(t, z, sent(evilIP, "", signed)); r.DKIM != want {
			t.Errorf("%d bits: %+v", bits, r)
		}
		z.txt["rsa._domainkey.bank.example"] = []string{record(key) + "; n=" + strings.Repeat("x", 5000)}
		if r := check(t, z, sent(evilIP, "", signed)); r.DKIM != trust.PermError {
			t.Errorf("a record of 5,000 bytes: %+v", r)
		}
	}
}
