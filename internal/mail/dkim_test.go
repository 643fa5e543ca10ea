package mail_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const selector = "desk2026"

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ed25519Key(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func pkcs8(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// verifyDKIM verifies the only signature of a mail with the key that its domain publishes.
func verifyDKIM(t testing.TB, key crypto.Signer, message []byte) error {
	t.Helper()
	record := "v=DKIM1; "
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		record += "k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	} else {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		record += "k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	}
	all, err := dkim.VerifyWithOptions(bytes.NewReader(message), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if name != selector+"._domainkey.holesalemart.example" {
			t.Errorf("the key was looked up at %s", name)
		}
		return []string{record}, nil
	}})
	if err != nil || len(all) != 1 {
		t.Fatalf("there are %d signatures, %v", len(all), err)
	}
	return all[0].Err
}

// signedMail sends a mail and returns it as the server received it.
func signedMail(t testing.TB, key crypto.Signer, data desk.MailData) []byte {
	t.Helper()
	server := newServer(t, behaviour{unicode: true})
	cfg := server.config()
	cfg.DKIM = mail.DKIM{Domain: "holesalemart.example", Selector: selector, Key: key}
	sender, err := mail.NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sender.Close)
	if err := sender.Send(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	return server.only(t).data
}

func TestSend_signsMailsOfEveryKey(t *testing.T) {
	long := sampleMail(ticket.MailReply)
	long.Subject = strings.Repeat("Päckchen 4711 kam 📦 ", 40)
	long.Body = strings.Repeat("x", 5000) + "\n.\n..\n   \t\n\n\n" + strings.Repeat("größer 📦 ", 3000) + "\nFrom here on\n\n\n\n"
	unicode := sampleMail(ticket.MailReceipt)
	unicode.To.Address = "kundin.größe@demo.example"
	for name, data := range map[string]desk.MailData{"receipt": sampleMail(ticket.MailReceipt), "long": long, "8bit": unicode} {
		for _, key := range []crypto.Signer{rsaKey(t, 2048), ed25519Key(t)} {
			if err := verifyDKIM(t, key, signedMail(t, key, data)); err != nil {
				t.Errorf("%s, %T: %v", name, key, err)
			}
		}
	}
}

// Relays fold lines, change spaces and the ends of lines, and add fields.
func TestSend_signatureSurvivesRelays(t *testing.T) {
	key := ed25519Key(t)
	data := sampleMail(ticket.MailReply)
	data.Body = strings.Repeat("größer 📦 ", 300) + "\n-- \nthe end\n\n"
	message := string(signedMail(t, key, data))
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	folded := regexp.MustCompile(`\r\n[ \t]+`)
	for name, relayed := range map[string]string{
		"unfolded":    folded.ReplaceAllString(head, "   ") + "\r\n\r\n" + body,
		"folded":      folded.ReplaceAllString(head, "\r\n\t\t") + "\r\n\r\n" + body,
		"more fields": "Received: from a by b; today\r\nX-Spam: no\r\n" + head + "\r\n\r\n" + body,
		"names":       strings.Replace(strings.Replace(head, "\r\nSubject:", "\r\nSUBJECT:", 1), "\r\nFrom:", "\r\nfrom :", 1) + "\r\n\r\n" + body,
		"spaces":      head + "\r\n\r\n" + strings.ReplaceAll(body, "\r\n", " \t\r\n") + "\r\n\r\n",
		"newlines":    strings.ReplaceAll(message, "\r\n", "\n"),
	} {
		if err := verifyDKIM(t, key, []byte(relayed)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSend_signatureCoversWhatIsRead(t *testing.T) {
	key := ed25519Key(t)
	message := string(signedMail(t, key, sampleMail(ticket.MailReply)))
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	changed := map[string]string{"the body": head + "\r\n\r\n" + strings.Replace(body, "parcel", "PARCEL", 1), "more body": message + "more\r\n"}
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "MIME-Version", "Content-Type", "Auto-Submitted"} {
		field := regexp.MustCompile(`(?im)^` + name + `: `)
		if !field.MatchString(head) {
			t.Fatalf("the mail has no %s", name)
		}
		changed[name] = field.ReplaceAllString(head, name+": x") + "\r\n\r\n" + body
	}
	for _, name := range []string{"From", "To", "Cc", "Reply-To", "Subject", "Date", "Content-Type", "Content-Transfer-Encoding", "List-Unsubscribe"} {
		changed["another "+name] = name + ": x\r\n" + message
	}
	for name, other := range changed {
		if verifyDKIM(t, key, []byte(other)) == nil {
			t.Errorf("%s can be changed", name)
		}
	}
}

func TestSend_withoutAKeyIsNotSigned(t *testing.T) {
	server := newServer(t, behaviour{})
	if err := newSender(t, server.config()).Send(t.Context(), sampleMail(ticket.MailReply)); err != nil {
		t.Fatal(err)
	}
	if data := server.only(t).data; bytes.Contains(data, []byte("DKIM-Signature")) {
		t.Errorf("the mail is signed:\n%s", data)
	}
}

func TestNewSender_refusesUnusableSignatures(t *testing.T) {
	key := ed25519Key(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]mail.DKIM{
		"no key":                 {Domain: "holesalemart.example", Selector: "a"},
		"no selector":            {Domain: "holesalemart.example", Key: key},
		"no domain":              {Selector: "a", Key: key},
		"another domain":         {Domain: "relay.example", Selector: "a", Key: key},
		"the end of a domain":    {Domain: "mart.example", Selector: "a", Key: key},
		"no domain name":         {Domain: "holesalemart.example;x=y", Selector: "a", Key: key},
		"no selector's name":     {Domain: "holesalemart.example", Selector: "a b", Key: key},
		"a short key":            {Domain: "holesalemart.example", Selector: "a", Key: rsaKey(t, 1024)},
		"a key of another curve": {Domain: "holesalemart.example", Selector: "a", Key: curve},
	} {
		cfg := config()
		cfg.DKIM = d
		if _, err := mail.NewSender(cfg); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, domain := range []string{"holesalemart.example", "mail.Holesalemart.example", "example"} {
		cfg := config()
		cfg.DKIM = mail.DKIM{Domain: domain, Selector: "2026.desk", Key: key}
		if _, err := mail.NewSender(cfg); err != nil {
			t.Errorf("%s: %v", domain, err)
		}
	}
}

func TestParseDKIMKey_readsPEM(t *testing.T) {
	key, short := rsaKey(t, 2048), rsaKey(t, 1024)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	for _, text := range [][]byte{pkcs1, pkcs8(t, key), pkcs8(t, ed25519Key(t)), append([]byte("a comment\n"), pkcs1...)} {
		if got, err := mail.ParseDKIMKey(text); err != nil || got == nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"nothing": nil, "no PEM": []byte("key"), "half of it": pkcs1[:len(pkcs1)/2], "short": pkcs8(t, short), "another curve": pkcs8(t, curve),
		"the public key": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
		"garbage":        pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("garbage")}),
	} {
		if got, err := mail.ParseDKIMKey(text); err == nil || got != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
