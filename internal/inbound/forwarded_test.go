package inbound_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

// What a customer forwards with Outlook is what they have to say, also if they write something above it. In an answer, the same header
// begins what the desk has read before.
func TestIncomingMails_whatACustomerForwardsIsNotFolded(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	const above, header, below = "Please see below.", "From: Shipper <ship@parcels.example>\nSent: Monday, 23 November 2026 10:00\nTo: Carla Customer <carla@client.example>\nSubject: Your parcel", "It was delivered to your neighbour."
	text := letter{body: above + "\n\n" + header + "\n\n" + below + "\n"}
	page := letter{headers: htmlHeader, body: "<p>" + above + `</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p><b>From:</b> Shipper &lt;ship@parcels.example&gt;<br><b>Sent:</b> Monday<br>` +
		"<b>To:</b> Carla<br><b>Subject:</b> Your parcel</p></div><p>" + below + "</p>"}
	for subject, forward := range map[string]bool{"Fw: Your parcel": true, "WG: Ihr Paket": true, "[EXTERNAL] TR: votre colis": true, "Re: Your parcel": false, "AW: Ihr Paket": false} {
		for name, l := range map[string]letter{"text": text, "HTML": page} {
			l.from, l.to, l.subject = carla, c.to, subject
			if r := c.process(l); r.Status != desk.IncomingAccepted || r.Ticket != c.n {
				t.Errorf("%s, %s: %+v", subject, name, r)
				continue
			}
			if e := c.last(); e.Forward != forward || strings.Contains(e.HTML, quote.ShowQuoted) != (!forward && name == "HTML") {
				t.Errorf("%s, %s: forwards %t, HTML %q", subject, name, e.Forward, e.HTML)
			}
		}
	}
	text.from, text.subject = "New Customer <new@client.example>", "Fw: Your parcel"
	r := c.process(text)
	if entries, err := c.Timeline(t.Context(), c.agent, r.Ticket); err != nil || !entries[0].Forward {
		t.Errorf("%+v, %+v, %v", r, entries, err)
	}
}
