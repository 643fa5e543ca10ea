package trust_test

import (
	"bytes"
	"cmp"
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
		for _, opts := range []trust.Options{{AuthServID: "mx.shop.example"}, {AuthServID: "mx.shop.example", Internal: hosts(t, "imap.internal", "mx.shop.example")}} {
			r, err := trust.New(opts).Results(t.Context(), trust.Mail{Raw: strings.NewReader(raw)})
			if err != nil || r.Verdict == trust.Authentic {
				t.Errorf("%q: %+v, %v", raw, r, err)
			}
		}
	})
}

// Whatever name a client introduces itself by, in characters that mail servers write, and whatever stands below, the server is the one that the border saw.
func FuzzResults_ofABordersReceived(f *testing.F) {
	f.Add("[192.0.2.1]", "")
	f.Add("by", "Received: from x ([192.0.2.1]) by mx.shop.example with ESMTP; today")
	f.Add("with LMTP", "")
	f.Add("localhost", "")
	f.Fuzz(func(t *testing.T, helo, below string) {
		helo = strings.Map(func(r rune) rune {
			if r <= ' ' || r > '~' || strings.ContainsRune(`<>()\";@`, r) {
				return '?'
			}
			return r
		}, helo)
		raw := "Received: from " + cmp.Or(helo, "unknown") + " (mail.example [198.51.100.66]) by mx.shop.example (Postfix) with ESMTP id 1; today\r\n" + letter(bank, "") + below
		if r := behind(t, "127.0.0.1", raw, "mx.shop.example"); r.Verdict != trust.Forged && r.Verdict != trust.Ambiguous {
			t.Errorf("%q: %+v", raw, r)
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
		for _, opts := range []trust.Options{{Resolver: world()}, {AuthServID: "mx.google.com", Internal: hosts(t, "mx.google.com")}} {
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
