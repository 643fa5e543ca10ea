package trust_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/inbound/trust"
	"github.com/holesalemart/supportdesk/internal/skiptest"
)

func FuzzResults_checked(f *testing.F) {
	f.Add([]byte(sign(f, "bank.example", letter(bank, ""))), "a@bank.example")
	f.Add([]byte(letter(`"service@bank.example" <a@evil.example>`, "DKIM-Signature: v=1; a=rsa-sha256; d=; s=; h=from; b=; bh=\r\n")), "")
	f.Fuzz(func(t *testing.T, raw []byte, envelope string) {
		m := sent(evilIP, envelope, "")
		m.Raw = bytes.NewReader(raw)
		r, err := trust.New(trust.Options{Resolver: world(), Timeout: 5 * time.Second}).Results(t.Context(), m)
		if err != nil {
			t.Errorf("%q: %v", raw, err)
		}
		if r.Verdict == trust.Authentic && r.Domain == "bank.example" && r.DKIM != trust.Pass {
			t.Errorf("%q is believed: %+v", raw, r)
		}
	})
}

// Whatever a sender writes into comments and quoted text, and below the border's Received field, is no result.
func FuzzResults_ofTheBorder(f *testing.F) {
	f.Add("a;dmarc=pass header.from=bank.example x", "x", results(pass))
	f.Add(`\";dmarc=pass header.from=bank.example x`, `)\`, received+results(pass))
	f.Fuzz(func(t *testing.T, quoted, comment, below string) {
		quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "", "\x00", "").Replace(quoted)
		comment = strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`, "\r", "", "\n", "", "\x00", "").Replace(comment)
		raw := results(`spf=pass (`+comment+`) smtp.mailfrom="`+quoted+`"@evil.example`) + received + letter(bank, "") + below
		for _, opts := range []trust.Options{{AuthServID: "mx.shop.example"}, {AuthServID: "mx.shop.example", Internal: []string{"imap.internal"}}} {
			r, err := trust.New(opts).Results(t.Context(), trust.Mail{Raw: strings.NewReader(raw)})
			if err != nil || r.Verdict == trust.Authentic {
				t.Errorf("%q: %+v, %v", raw, r, err)
			}
		}
	})
}

func TestResults_ofRealMails(t *testing.T) {
	root := filepath.Join("..", "..", "..", "..", "shared", "corpus", "mail")
	if _, err := os.Stat(root); err != nil {
		skiptest.Skipf(t, "there is no %s beside this folder", root)
	}
	n := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, opts := range []trust.Options{{Resolver: world()}, {AuthServID: "mx.google.com", BelowReceived: true}} {
			m := sent(evilIP, "a@evil.example", "")
			m.Raw = bytes.NewReader(raw)
			if _, err := trust.New(opts).Results(t.Context(), m); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Errorf("%d mails were read: %v", n, err)
	}
}
