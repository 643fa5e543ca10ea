package automatic

import (
	"regexp"
	"strings"

	"github.com/holesalemart/supportdesk/internal/text"
)

// complaint reads the feedback of mail providers: ARF (RFC 5965), Microsoft's, which is a returned mail with headers of its
// own, and the mail that Apple Mail sends to unsubscribe. Reports of authentication (RFC 6591) complain of nothing.
func (m Mail) complaint() (Verdict, bool) {
	for _, part := range m.Reports {
		body := string(bounded(part.Body))
		switch {
		case part.Type == "message/feedback-report" && m.isReport():
			return feedback(body), true
		case part.Type == "message/rfc822" && feedbackHeader.MatchString(body) && complains.MatchString(m.Subject):
			return Verdict{Kind: Complaint, Feedback: "abuse", Reason: "feedback of Microsoft, " + m.Subject}, true
		}
	}
	if strings.EqualFold(m.header("X-Apple-Unsubscribe"), "true") {
		return Verdict{Kind: Complaint, Feedback: "opt-out", Reason: "X-Apple-Unsubscribe: true"}, true
	}
	return Verdict{}, false
}

var (
	feedbackHeader = regexp.MustCompile(`(?im)^X-HmXmrOriginalRecipient:`)
	complains      = regexp.MustCompile(`(?i)^\s*complaint about message from`)
)

func feedback(report string) Verdict {
	kind := ""
	for _, block := range blocks(report) {
		if kind == "" {
			kind = strings.ToLower(text.Truncate(text.Line(block["feedback-type"]), 40))
		}
	}
	v := Verdict{Kind: Complaint, Feedback: kind, Reason: "Feedback-Type: " + kind}
	switch kind {
	case "auth-failure", "dmarc", "not-spam":
		v.Kind, v.Feedback = AutoReply, ""
	}
	return v
}
