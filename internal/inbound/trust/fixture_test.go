package trust_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/holesalemart/supportdesk/internal/inbound/trust"
)

// zone is a resolver that answers from maps.
type zone struct {
	txt  map[string][]string
	mx   map[string][]*net.MX
	ip   map[string][]net.IPAddr
	ptr  map[string][]string
	fail []string // names that fail temporarily
	hang []string // names that are answered when the context ends

	mu    sync.Mutex
	asked []string
}

func (z *zone) ask(ctx context.Context, name string) (string, error) {
	name, absolute := strings.CutSuffix(strings.ToLower(name), ".")
	z.mu.Lock()
	z.asked = append(z.asked, name)
	z.mu.Unlock()
	switch {
	case !absolute:
		panic("a search domain may be tried for " + name)
	case slices.Contains(z.hang, name):
		<-ctx.Done()
		return name, ctx.Err()
	case slices.Contains(z.fail, name):
		return name, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	return name, nil
}

func answer[T any](z *zone, ctx context.Context, all map[string][]T, name string) ([]T, error) {
	name, err := z.ask(ctx, name)
	if err == nil && all[name] == nil {
		err = &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return all[name], err
}

func (z *zone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return answer(z, ctx, z.txt, name)
}

func (z *zone) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return answer(z, ctx, z.mx, name)
}

func (z *zone) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	return answer(z, ctx, z.ip, name)
}

func (z *zone) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return answer(z, ctx, z.ptr, addr+".")
}

// The keys of two domains, and of one that is below the first.
var keys = map[string]crypto.Signer{"bank.example": newKey(), "evil.example": newKey(), "news.bank.example": newKey()}

func newKey() crypto.Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func record(key crypto.Signer) string {
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(key.Public().(*rsa.PublicKey)))
}

// world is a zone with the bank, which publishes everything, and others.
func world() *zone {
	z := &zone{
		txt: map[string][]string{
			"_dmarc.bank.example":         {"v=DMARC1; p=reject; sp=quarantine"},
			"bank.example":                {"v=spf1 ip4:192.0.2.1 -all"},
			"news.bank.example":           {"v=spf1 ip4:192.0.2.2 -all"},
			"evil.example":                {"v=spf1 ip4:198.51.100.66 -all"},
			"soft.example":                {"v=spf1 ip4:192.0.2.9 ~all"},
			"mail.evil.example":           {"v=spf1 ip4:198.51.100.66 -all"},
			"_dmarc.monitored.example":    {"v=DMARC1; p=none"},
			"_dmarc.strict.example":       {"v=DMARC1; p=quarantine; adkim=s; aspf=s"},
			"sub.strict.example":          {"v=spf1 ip4:192.0.2.3 -all"},
			"strict.example":              {"v=spf1 ip4:192.0.2.4 -all"},
			"k._domainkey.strict.example": {record(keys["bank.example"])},
		},
		mx: map[string][]*net.MX{}, ip: map[string][]net.IPAddr{}, ptr: map[string][]string{},
	}
	for domain, key := range keys {
		z.txt["k._domainkey."+domain] = []string{record(key)}
	}
	return z
}

// letter returns a mail of an author with the header fields, each with its line's end.
func letter(from, fields string) string {
	return "From: " + from + "\r\nTo: support@shop.example\r\nSubject: Transfer\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n" +
		"Message-ID: <1@" + "x.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n" + fields + "\r\nPlease transfer 100.\r\n"
}

// sign signs a mail by a domain.
func sign(t testing.TB, domain, mail string, change ...func(*dkim.SignOptions)) string {
	t.Helper()
	options := &dkim.SignOptions{
		Domain: domain, Selector: "k", Signer: keys[domain], HeaderKeys: []string{"From", "To", "Subject", "Date", "Content-Type"},
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}
	for _, f := range change {
		f(options)
	}
	var signed bytes.Buffer
	if err := dkim.Sign(&signed, strings.NewReader(mail), options); err != nil {
		t.Fatal(err)
	}
	return signed.String()
}

// sent is a mail as a server delivered it.
func sent(ip, envelope, raw string) trust.Mail {
	m := trust.Mail{Raw: strings.NewReader(raw), Helo: "mail.evil.example", EnvelopeFrom: envelope}
	if ip != "" {
		m.ClientIP = netip.MustParseAddr(ip)
	}
	return m
}

func check(t testing.TB, z *zone, m trust.Mail) trust.Result {
	t.Helper()
	r, err := trust.New(trust.Options{Resolver: z, Timeout: 20 * time.Second}).Results(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if r.By != trust.CheckedHere || r.Reason == "" {
		t.Errorf("the result is %+v", r)
	}
	return r
}

const (
	bankIP  = "192.0.2.1"
	newsIP  = "192.0.2.2"
	evilIP  = "198.51.100.66"
	otherIP = "203.0.113.7"
)
