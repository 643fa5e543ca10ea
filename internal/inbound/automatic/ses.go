package automatic

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/holesalemart/supportdesk/internal/text"
)

// notice is what Amazon SES says of one mail, where it reports by mail.
type notice struct {
	Message          string // the notice itself, where it is sent with the fields of the notification service around it
	NotificationType string
	Mail             struct {
		Headers       []struct{ Name, Value string }
		CommonHeaders struct{ MessageID string }
	}
	Bounce struct {
		BouncedRecipients []struct{ EmailAddress, Action, Status, DiagnosticCode string }
	}
	Complaint struct {
		ComplainedRecipients  []struct{ EmailAddress string }
		ComplaintFeedbackType string
	}
	Delivery struct {
		Recipients   []string
		SMTPResponse string
	}
}

// brokenLine is where Sendmail breaks a line that is longer than SMTP allows.
var brokenLine = regexp.MustCompile(`!\n `)

// notification reads what Amazon SES reports through its notification service: JSON in the words of a mail.
func (m Mail) notification() (Verdict, bool) {
	if !m.has("X-Amz-Sns-Message-Id") {
		return Verdict{}, false
	}
	var n notice
	if !n.read(brokenLine.ReplaceAllString(m.Text, "")) || n.Message != "" && !n.read(n.Message) {
		return Verdict{}, false
	}
	v := Verdict{Kind: AutoReply, Reason: "notification of Amazon SES: " + n.NotificationType, OriginalMessageIDs: n.messageIDs()}
	switch n.NotificationType {
	case "Bounce":
		v.Kind, v.Bounces = Bounce, n.bounced()
	case "Delivery":
		v.Kind, v.Bounces = Bounce, n.delivered()
	case "Complaint":
		v.Kind, v.Feedback = Complaint, strings.ToLower(text.Truncate(text.Line(n.Complaint.ComplaintFeedbackType), 40))
		for _, r := range n.Complaint.ComplainedRecipients {
			v.OriginalTo = append(v.OriginalTo, bare(r.EmailAddress))
		}
	}
	return v, true
}

func (n *notice) read(text string) bool {
	return json.NewDecoder(strings.NewReader(text)).Decode(n) == nil
}

// messageIDs returns the Message-IDs that the mail had when it was sent. SES counts its mails by IDs of its own as well.
func (n notice) messageIDs() []string {
	ids := []string{n.Mail.CommonHeaders.MessageID}
	for _, h := range n.Mail.Headers {
		if strings.EqualFold(h.Name, "Message-ID") {
			ids = append(ids, h.Value)
		}
	}
	return ids
}

func (n notice) bounced() []BouncedRecipient {
	var all []BouncedRecipient
	for _, r := range n.Bounce.BouncedRecipients[:min(len(n.Bounce.BouncedRecipients), maxRecipients)] {
		all = append(all, judged(BouncedRecipient{
			Address: bare(r.EmailAddress), Action: actionOf(r.Action), Status: statusCode.FindString(r.Status), Diagnostic: r.DiagnosticCode,
		}, ""))
	}
	return all
}

func (n notice) delivered() []BouncedRecipient {
	var all []BouncedRecipient
	for _, address := range n.Delivery.Recipients[:min(len(n.Delivery.Recipients), maxRecipients)] {
		all = append(all, judged(BouncedRecipient{Address: bare(address), Action: Delivered, Diagnostic: n.Delivery.SMTPResponse}, ""))
	}
	return all
}
