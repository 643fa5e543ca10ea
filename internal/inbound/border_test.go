package inbound_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/trust"
)

// A mail server that passes mails on is not the one that sent them.
func TestTrust_theServerIsTheOneBeforeTheBorder(t *testing.T) {
	t.Parallel()
	internal, err := trust.ParseHosts([]string{"mx.desk.example", "203.0.113.7"})
	if err != nil {
		t.Fatal(err)
	}
	const none = ""
	by := func(ip, host string) string {
		return "Received: from mail.example (mail.example [" + ip + "]) by " + host + " (Postfix) with ESMTPS id 1; Mon, 23 Nov 2026 10:00:00 +0000\r\n"
	}
	o := openOfficeWith(t, trust.Options{Resolver: &flaky{}, Internal: internal})
	for name, c := range map[string]struct {
		source           desk.MailSource
		client, received string
		want             desk.Trust
	}{
		"by LMTP":                          {desk.SourceLMTP, "127.0.0.1", none, desk.TrustUnknown},
		"by LMTP, from afar":               {desk.SourceLMTP, "192.0.2.66", none, desk.TrustUnknown},
		"by LMTP, the border unknown":      {desk.SourceLMTP, "127.0.0.1", by("192.0.2.66", "mx.other.example"), desk.TrustUnknown},
		"by LMTP, from the domain":         {desk.SourceLMTP, "127.0.0.1", by("192.0.2.1", "mx.desk.example"), desk.TrustPass},
		"by LMTP, from another":            {desk.SourceLMTP, "127.0.0.1", by("192.0.2.66", "mx.desk.example"), desk.TrustFail},
		"by SMTP, from this machine":       {desk.SourceSMTP, "127.0.0.1", none, desk.TrustUnknown},
		"by SMTP, from a private network":  {desk.SourceSMTP, "10.1.2.3", none, desk.TrustUnknown},
		"by SMTP, from a listed host":      {desk.SourceSMTP, "203.0.113.7", none, desk.TrustUnknown},
		"by SMTP, passed on":               {desk.SourceSMTP, "203.0.113.7", by("192.0.2.66", "mx.desk.example"), desk.TrustFail},
		"by SMTP, from another":            {desk.SourceSMTP, "192.0.2.66", by("192.0.2.1", "mx.desk.example"), desk.TrustFail},
		"by SMTP, from the domain":         {desk.SourceSMTP, "192.0.2.1", none, desk.TrustPass},
		"by IMAP":                          {desk.SourceIMAP, "", none, desk.TrustUnknown},
		"by IMAP, behind the border":       {desk.SourceIMAP, "", by("192.0.2.66", "mx.desk.example"), desk.TrustFail},
		"by a relay, from the domain":      {desk.SourceHTTP, "", by("192.0.2.1", "mx.desk.example"), desk.TrustPass},
		"by a relay, the client it states": {desk.SourceHTTP, "192.0.2.66", none, desk.TrustUnknown},
	} {
		raw := c.received + "From: " + carla + "\r\nTo: support@desk.example\r\nSubject: My parcel\r\n\r\n" + name + "\r\n"
		id, err := o.receiver.Receive(t.Context(), desk.Envelope{
			Source: c.source, Client: c.client, Helo: "mail.example", ReturnPath: "carla@client.example", Recipients: []string{"support@desk.example"},
		}, strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		r, err := o.tryOne(id)
		m, _ := o.Incoming(t.Context(), id)
		if accepted := r.Status == desk.IncomingAccepted; err != nil || m.Trust != c.want || accepted != (c.want != desk.TrustFail) {
			t.Errorf("%s: trust %q, %+v, %v", name, m.Trust, r, err)
		}
	}
}
