package trust_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/holesalemart/supportdesk/internal/inbound/trust"
)

func hosts(t testing.TB, list ...string) trust.Hosts {
	t.Helper()
	h, err := trust.ParseHosts(list)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestParseHosts_refusesWhatIsNoHost(t *testing.T) {
	for _, entry := range []string{"", ".", "mx..example", "mx example", "*.example", "10.0.0.0/33", "[10.0.0.1]", "mx.example:25", "@mx.example"} {
		if _, err := trust.ParseHosts([]string{"mx.example", entry}); err == nil {
			t.Errorf("%q was accepted", entry)
		}
	}
}

func TestHosts_haveAddresses(t *testing.T) {
	h := hosts(t, "mx.example", "203.0.113.0/28", "2001:db8::7", "::ffff:198.51.100.1")
	for address, want := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.9.8.7": true, "192.168.1.1": true, "172.31.0.1": true, "fd00::1": true, "fe80::1%eth0": true, "::ffff:10.0.0.1": true,
		"203.0.113.15": true, "2001:db8::7": true, "198.51.100.1": true,
		"203.0.113.16": false, "2001:db8::8": false, "192.0.2.1": false, "172.32.0.1": false,
	} {
		if got := h.Address(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}

// What mail servers write about a mail from the bank's server, or another one.
var borders = map[string]string{
	"Postfix":             "from mail.example (HOST [IP])\r\n\tby mx.shop.example (Postfix) with ESMTPS id 1\r\n\tfor <support@shop.example>; today",
	"Postfix, an address": "from [10.0.0.1] (unknown [IP]) by mx.shop.example (Postfix) with SMTP id 1; today",
	"Exim":                "from mail.example ([IP] helo=[10.0.0.1])\r\n\tby mx.shop.example with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384\r\n\t(Exim 4.96) (envelope-from <a@bank.example>) id 1; today",
	"Exim, no name":       "from [IP] (helo=[10.0.0.1]) by mx.shop.example with esmtp (Exim 4.96) id 1; today",
	"Sendmail":            "from mail.example (mail.example [IP] (may be forged)) by mx.shop.example (8.17.1/8.17.1) with ESMTPS id 1; today",
	"qmail":               "from unknown (HELO mail.example) (IP)\r\n  by mx.shop.example with SMTP; today",
	"Gmail":               "from mail.example (mail.example. [IP])\r\n        by mx.google.com with ESMTPS id 1\r\n        for <support@shop.example>\r\n        (version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384 bits=256/256); today",
	"Exchange Online":     "from mail.example (IP) by\r\n DB5EUR01FT062.mail.protection.outlook.com (10.152.4.1) with Microsoft SMTP\r\n Server (version=TLS1_3, cipher=TLS_AES_256_GCM_SHA384) id 15.20.1; today",
}

// inside are what hosts behind those servers write above that.
const inside = "Received: from mx.shop.example ([127.0.0.1])\r\n\tby imap.shop.example with LMTP\r\n\tid 1; today\r\n" +
	"Received: by 2002:a05:6402:1:b0:1:1:1 with SMTP id c1; today\r\n" +
	"Received: from localhost (localhost [IPv6:::1]) by mx.shop.example (Postfix) with ESMTP id 2; today\r\n" +
	"Received: from AM0PR01MB1.eurprd01.prod.outlook.com (2603:10a6:208::23)\r\n by VI1PR01MB2.eurprd01.prod.outlook.com with HTTPS; today\r\n"

var listed = []string{".shop.example", "mx.google.com", "2002:a05::/32", ".outlook.com", "2603:1000::/24"}

// header returns the Received field of a server about a mail from an address.
func header(value, ip string) string {
	return "Received: " + strings.ReplaceAll(strings.ReplaceAll(value, "IP", ip), "HOST", "mail-10.0.0.1-x.example") + "\r\n"
}

func behind(t *testing.T, peer, raw string, list ...string) trust.Result {
	t.Helper()
	m := sent(peer, "a@bank.example", raw)
	r, err := trust.New(trust.Options{Resolver: world(), Timeout: 20 * time.Second, Internal: hosts(t, list...)}).Results(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	proven  = outcomes{trust.Authentic, "pass", "none", "pass"}
	open    = outcomes{trust.Unknown, "none", "none", "none"}
	refused = outcomes{trust.Forged, "fail", "none", "fail"}
)

func TestResults_takeTheServerFromTheBorder(t *testing.T) {
	mail := letter(bank, "")
	for name, value := range borders {
		for _, peer := range []string{"", "127.0.0.1", "10.0.0.7", "::1"} {
			if r := behind(t, peer, inside+header(value, bankIP)+mail, listed...); of(r) != proven {
				t.Errorf("%s by %q, from the bank: %+v", name, peer, r)
			}
			if r := behind(t, peer, inside+header(value, evilIP)+header(value, bankIP)+mail, listed...); of(r) != refused {
				t.Errorf("%s by %q, from another: %+v", name, peer, r)
			}
		}
		if r := behind(t, evilIP, header(value, bankIP)+mail, listed...); of(r) != refused {
			t.Errorf("%s, written by a sender who delivers directly: %+v", name, r)
		}
	}
	if r := behind(t, "203.0.113.7", header(borders["Postfix"], bankIP)+mail, append(listed, "203.0.113.7")...); of(r) != proven {
		t.Errorf("by a listed host with a public address: %+v", r)
	}
	if r := behind(t, "", header(borders["Exchange Online"], "2001:db8::1")+mail, listed...); of(r) != refused {
		t.Errorf("an address of version 6: %+v", r)
	}
}

// A server that nothing proves to be the sender's disowns nothing.
func TestResults_knowNoServerBehindAnUnknownBorder(t *testing.T) {
	mail := letter(bank, "")
	postfix := header(borders["Postfix"], evilIP)
	for name, raw := range map[string]string{
		"no Received":                mail,
		"a border that isn't listed": strings.ReplaceAll(postfix, "mx.shop.example", "mx.other.example") + postfix + mail,
		"one that can't be read":     "Received: (qmail 1 invoked from network); today\r\n" + postfix + mail,
		"no address":                 "Received: from mail.example by mx.shop.example with SMTP; today\r\n" + postfix + mail,
		"a person who signed in":     strings.ReplaceAll(postfix, "ESMTPS", "ESMTPSA") + mail,
		"only hosts of ours":         inside + mail,
	} {
		for _, peer := range []string{"", "127.0.0.1"} {
			if r := behind(t, peer, raw, listed...); of(r) != open || r.Published != "reject" || !strings.Contains(r.Reason, "is not known") {
				t.Errorf("%s, by %q: %+v", name, peer, r)
			}
		}
	}
	if r := behind(t, "127.0.0.1", postfix+mail); of(r) != open {
		t.Errorf("no list: %+v", r)
	}
	if r := behind(t, "127.0.0.1", sign(t, "bank.example", mail)); r.Verdict != trust.Authentic {
		t.Errorf("signed: %+v", r)
	}
	changed := sign(t, "bank.example", mail, func(o *dkim.SignOptions) { o.Selector = "none" })
	if r := behind(t, "127.0.0.1", changed); r.Verdict != trust.Unknown {
		t.Errorf("a signature that can't be checked: %+v", r)
	}
}
