package trust_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound/trust"
)

const received = "Received: from mail.evil.example (mail.evil.example [198.51.100.66])\r\n\tby mx.shop.example (Postfix) with ESMTPS id 1\r\n\tfor <support@shop.example>; Mon, 23 Nov 2026 10:00:01 +0000\r\n"

// read returns what is read of results that stand above a mail.
func read(t testing.TB, opts trust.Options, raw string) trust.Result {
	t.Helper()
	if opts.AuthServID == "" {
		opts.AuthServID = "mx.shop.example"
	}
	r, err := trust.New(opts).Results(t.Context(), trust.Mail{Raw: strings.NewReader(raw)})
	if err != nil {
		t.Fatal(err)
	}
	if r.By != opts.AuthServID || r.Reason == "" || r.Retry {
		t.Errorf("the result is %+v", r)
	}
	return r
}

func results(text string) string {
	return "Authentication-Results: mx.shop.example;\r\n\t" + text + "\r\n"
}

func TestResults_readTheBorders(t *testing.T) {
	for text, want := range map[string]outcomes{
		"none": {trust.Unknown, "none", "none", "none"},
		"dmarc=pass (p=reject dis=none) header.from=bank.example":                                                     {trust.Authentic, "none", "none", "pass"},
		"dmarc=PASS header.from=Bank.Example.":                                                                        {trust.Authentic, "none", "none", "pass"},
		"spf=pass smtp.mailfrom=a@evil.example; dkim=fail header.d=bank.example; dmarc=pass header.from=bank.example": {trust.Authentic, "pass", "fail", "pass"},
		"dmarc=fail (p=none) header.from=bank.example; spf=pass smtp.mailfrom=bank.example":                           {trust.Forged, "pass", "none", "fail"},
		"dmarc=fail header.from=bank.example; dmarc=pass header.from=bank.example":                                    {trust.Forged, "none", "none", "fail"},
		"dmarc=pass header.from=evil.example":                                                                         {trust.Unknown, "none", "none", "none"},
		"dmarc=pass":                                                                                                  {trust.Unknown, "none", "none", "none"},
		"dmarc=bestguesspass header.from=bank.example":                                                                {trust.Unknown, "none", "none", "none"},
		"dmarc=temperror header.from=bank.example":                                                                    {trust.Unknown, "none", "none", "temperror"},
		"dkim=pass (2048-bit key; unprotected) header.d=bank.example header.i=@bank.example header.b=abc":             {trust.Authentic, "none", "pass", "none"},
		"dkim=pass header.i=@news.bank.example":                                                                       {trust.Authentic, "none", "pass", "none"},
		"dkim=pass header.d=evil.example; dkim=fail header.d=bank.example":                                            {trust.Forged, "none", "fail", "none"},
		"dkim=pass header.d=evil.example":                                                                             {trust.Unknown, "none", "pass", "none"},
		"dkim=pass header.d=example":                                                                                  {trust.Unknown, "none", "pass", "none"},
		"dkim=pass":                                                                                                   {trust.Unknown, "none", "pass", "none"},
		"spf=pass (x: domain of a@bank.example designates 1 as sender) smtp.mailfrom=a@bank.example":                  {trust.Authentic, "pass", "none", "none"},
		"spf=pass smtp.helo=mail.bank.example":                                                                        {trust.Authentic, "pass", "none", "none"},
		"spf=pass smtp.mailfrom=a@evil.example smtp.helo=mail.bank.example":                                           {trust.Unknown, "pass", "none", "none"},
		"spf=hardfail smtp.mailfrom=a@bank.example":                                                                   {trust.Forged, "fail", "none", "none"},
		"spf=softfail smtp.mailfrom=a@bank.example":                                                                   {trust.Unknown, "softfail", "none", "none"},
		"spf=fail smtp.mailfrom=a@evil.example":                                                                       {trust.Unknown, "fail", "none", "none"},
		"iprev=pass policy.iprev=192.0.2.1; auth=pass smtp.auth=bank.example; x=pass":                                 {trust.Unknown, "none", "none", "none"},
		`spf=pass smtp.mailfrom="a;dmarc=pass header.from=bank.example x"@evil.example`:                               {trust.Unknown, "pass", "none", "none"},
		`spf=pass smtp.mailfrom="a\";dmarc=pass header.from=bank.example x"@evil.example`:                             {trust.Unknown, "pass", "none", "none"},
		`spf=pass smtp.mailfrom="a\;dmarc=pass\ header.from=bank.example\ x"@evil.example`:                            {trust.Unknown, "pass", "none", "none"},
		"spf=fail (domain of a;dmarc=pass header.from=bank.example) smtp.mailfrom=a@evil.example":                     {trust.Unknown, "fail", "none", "none"},
		`spf=fail (a \); (b) ;dmarc=pass header.from=bank.example) smtp.mailfrom=a@evil.example`:                      {trust.Unknown, "fail", "none", "none"},
		"spf=pass (never closed; dmarc=pass header.from=bank.example":                                                 {trust.Unknown, "pass", "none", "none"},
		"dmarc=pass header.from=bank.example; malformed":                                                              {trust.Unknown, "none", "none", "none"},
		"=;;;==": {trust.Unknown, "none", "none", "none"},
	} {
		if r := read(t, trust.Options{}, results(text)+received+letter(bank, "")); of(r) != want {
			t.Errorf("%s: %+v, want %v", text, r, want)
		}
	}
}

const pass = "dmarc=pass header.from=bank.example"

// A sender can write everything that stands below the border's Received field.
func TestResults_areTheBordersOnly(t *testing.T) {
	mail := letter(bank, "")
	fail := results("dmarc=fail header.from=bank.example")
	dovecot := "Received: from mx.shop.example by imap.internal (Dovecot) with LMTP id a; today\r\n"
	cyrus := "Received: from mx.shop.example ([203.0.113.9]) by imap.internal (Cyrus 3) with LMTPA; today\r\n"
	relayed := "Received: from mx.shop.example (mx.shop.example [10.0.0.2])\r\n\tby filter.internal (Postfix) with ESMTP id b; today\r\n"
	unnamed := "Received: from mx.shop.example by filter.internal with ESMTP; today\r\n"
	claimed := "Received: from mx.shop.example (mail.evil.example [198.51.100.66]) by filter.internal with ESMTP; today\r\n"
	forged := "Received: from x by mx.shop.example; today\r\n"
	inside := trust.Options{Internal: hosts(t, "imap.internal", "filter.internal")}
	all := trust.Options{Internal: hosts(t, ".internal", "mx.shop.example")}
	for name, c := range map[string]struct {
		opts trust.Options
		raw  string
		want trust.Verdict
	}{
		"above":                           {trust.Options{}, results(pass) + received + mail, trust.Authentic},
		"above, the border listed":        {all, results(pass) + received + mail, trust.Authentic},
		"above, with others":              {trust.Options{}, "Return-Path: <a@b>\r\nX-Spam: no\r\n" + results("none") + results(pass) + received + mail, trust.Authentic},
		"the border's name in capitals":   {trust.Options{AuthServID: "MX.Shop.Example"}, results(pass) + received + mail, trust.Authentic},
		"with a version":                  {trust.Options{}, strings.Replace(results(pass), "mx.shop.example", "mx.shop.example 1", 1) + received + mail, trust.Authentic},
		"behind a host of ours":           {inside, dovecot + results(pass) + received + mail, trust.Authentic},
		"behind a host of ours, failing":  {inside, dovecot + fail + received + mail, trust.Forged},
		"behind a delivery by LMTP":       {inside, cyrus + results(pass) + received + mail, trust.Authentic},
		"behind a private address":        {inside, relayed + results(pass) + received + mail, trust.Authentic},
		"behind several":                  {inside, dovecot + relayed + results(pass) + received + mail, trust.Authentic},
		"behind two fields of one host":   {all, strings.ReplaceAll(dovecot, "imap.internal", "mx.shop.example") + results(pass) + received + mail, trust.Authentic},
		"behind a listed name":            {all, unnamed + results(pass) + received + mail, trust.Authentic},
		"behind a name that isn't listed": {inside, unnamed + results(pass) + forged + mail, trust.Unknown},
		"behind a claimed name":           {trust.Options{Internal: hosts(t, "filter.internal")}, claimed + results(pass) + results(pass) + forged + mail, trust.Unknown},
		"behind an unknown host":          {trust.Options{}, dovecot + results(pass) + received + mail, trust.Unknown},
		"written by the sender":           {inside, received + results(pass) + mail, trust.Unknown},
		"as from a second hop":            {inside, received + results(pass) + forged + mail, trust.Unknown},
		"as from a host of ours":          {inside, received + dovecot + results(pass) + forged + mail, trust.Unknown},
		"at the end of the header":        {inside, received + letter(bank, results(pass)), trust.Unknown},
		"without any Received":            {all, results(pass) + mail, trust.Unknown},
		"without one of the border":       {all, dovecot + results(pass) + mail, trust.Unknown},
		"of another border":               {all, strings.Replace(results(pass), "mx.shop", "mx.evil", 1) + received + mail, trust.Unknown},
		"of a longer name":                {trust.Options{}, strings.Replace(results(pass), "mx.shop.example", "mx.shop.example.evil.example", 1) + received + mail, trust.Unknown},
		"of a version to come":            {trust.Options{}, strings.Replace(results(pass), "mx.shop.example", "mx.shop.example 2", 1) + received + mail, trust.Unknown},
		"too long":                        {trust.Options{}, results(pass+"; x="+strings.Repeat("y", 17<<10)) + received + mail, trust.Unknown},
		"a server called by":              {all, "Received: from by ([127.0.0.1]) by imap.internal; today\r\n" + results(pass) + received + mail, trust.Authentic},
		"a comment with a name":           {all, "Received: (by imap.internal) from x by mx.other.example; today\r\n" + results(pass) + forged + mail, trust.Unknown},
		"a comment that does not end":     {all, "Received: from x (y by imap.internal; today\r\n" + results(pass) + received + mail, trust.Unknown},

		"below":                          {all, dovecot + received + results(pass) + mail, trust.Authentic},
		"below, by a host of the name":   {trust.Options{AuthServID: "shop.example", Internal: hosts(t, ".shop.example")}, received + strings.Replace(results(pass), "mx.", "", 1) + mail, trust.Authentic},
		"below, by another host":         {trust.Options{Internal: hosts(t, ".shop.example")}, strings.Replace(received, "by mx.", "by filter.", 1) + results(pass) + mail, trust.Unknown},
		"below, the first one":           {all, received + fail + results(pass) + mail, trust.Forged},
		"below, without a result":        {all, received + results("none") + results(pass) + mail, trust.Unknown},
		"below, too long":                {all, received + results(pass+"; x="+strings.Repeat("y", 17<<10)) + results(pass) + mail, trust.Unknown},
		"below, past another hop":        {all, received + forged + results(pass) + mail, trust.Unknown},
		"below, past a hop of ours":      {all, received + dovecot + results(pass) + mail, trust.Unknown},
		"below those above":              {all, results("none") + received + results(pass) + mail, trust.Unknown},
		"below, after another's results": {all, received + "Authentication-Results: other.example; " + pass + "\r\n" + results(pass) + mail, trust.Authentic},
	} {
		if r := read(t, c.opts, c.raw); r.Verdict != c.want {
			t.Errorf("%s: %+v, want %s", name, r, c.want)
		}
	}
}

func TestResults_ofTheBorderSaveNoAmbiguousAuthor(t *testing.T) {
	above := results(pass) + received
	for name, raw := range map[string]string{"two fields": "From: " + evil + "\r\n" + letter(bank, ""), "two addresses": letter(bank+", "+evil, "")} {
		if r := read(t, trust.Options{}, above+raw); r.Verdict != trust.Ambiguous {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
