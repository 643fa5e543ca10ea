package imap_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/imap"
)

// certificate writes a certificate for 127.0.0.1 and its key to a folder, and returns what trusts it.
func certificate(t *testing.T, dir string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	err = firstOf(os.WriteFile(filepath.Join(dir, "cert.pem"), public, 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(public)
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

func TestReader_encrypts(t *testing.T) {
	dir := t.TempDir()
	trusting := certificate(t, dir)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure := listener.Addr().(*net.TCPAddr)
	listener.Close()
	d := startDovecot(t, fmt.Sprintf(`
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
service imap-login {
  inet_listener imaps {
    port = %[2]d
    ssl = yes
  }
}
`, dir, secure.Port))
	d.deliver(letters(1, 1)...)
	for security, address := range map[imap.Security]string{imap.TLS: secure.String(), imap.StartTLS: d.address} {
		o := open(t)
		m := d.mailbox()
		m.Server, m.Security = address, security
		stop := o.read(m) // which does not trust the certificate
		o.eventually("the certificate is refused", func() bool {
			all, err := o.MailboxStatuses(t.Context())
			return err == nil && len(all) == 1 && strings.Contains(all[0].Error, "certificate")
		})
		stop()
		o.read(m, func(o *imap.Options) { o.TLS = trusting })
		o.awaitStored(1)
	}
}

func TestReader_refusesAServerWithoutEncryption(t *testing.T) {
	d := startDovecot(t, "")
	o := open(t)
	m := d.mailbox()
	m.Security = imap.StartTLS
	o.read(m)
	o.eventually("the failure is shown", func() bool {
		all, err := o.MailboxStatuses(t.Context())
		return err == nil && len(all) == 1 && strings.Contains(all[0].Error, "connect:")
	})
	if log, err := os.ReadFile(filepath.Join(d.dir, "log")); err != nil || strings.Contains(string(log), "Login: ") {
		t.Errorf("it signed in: %s, %v", log, err)
	}
}

func TestReader_signsInWithATokenThatChanges(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != "second" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"active": true, "email": %q}`, user)
	}))
	defer provider.Close()
	d := startDovecot(t, "")
	d.deliver(letters(1, 1)...)
	d.write("oauth2.conf", "tokeninfo_url = "+provider.URL+"/?token=\nusername_attribute = email\nactive_attribute = active\nactive_value = true\n")
	d.kill()
	d.extra = "auth_mechanisms = plain xoauth2\npassdb {\n  driver = oauth2\n  mechanisms = xoauth2\n  args = " + filepath.Join(d.dir, "oauth2.conf") + "\n}\n"
	d.start()
	m := d.mailbox()
	m.Password, m.TokenFile = "", filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(m.TokenFile, []byte("first\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := open(t)
	o.read(m)
	o.eventually("the failure is shown", func() bool {
		all, err := o.MailboxStatuses(t.Context())
		return err == nil && len(all) == 1 && strings.Contains(all[0].Error, "sign in:")
	})
	if err := os.WriteFile(m.TokenFile, []byte("second\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.awaitStored(1)
	if strings.Contains(o.log.String(), "first") {
		t.Error("the token is in the log")
	}
}
