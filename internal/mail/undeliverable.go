package mail

import (
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Undeliverable is the error of a mail that no retry can deliver: the server rejected it for good, or the address is
// invalid.
type Undeliverable struct {
	Code     int    // SMTP reply code, 500 to 599; 0 without a reply
	Enhanced string // RFC 3463 status such as 5.1.1; may be empty
	Reason   string // text of the reply in one line, for agents; may name people
}

// Error returns the codes, but not the reason, which may name people.
func (e *Undeliverable) Error() string {
	if e.Code == 0 {
		return "mail undeliverable: status " + e.Enhanced
	}
	return fmt.Sprintf("mail undeliverable: SMTP reply %d %s", e.Code, e.Enhanced)
}

// Refusal returns codes and reason, for agents.
func (e *Undeliverable) Refusal() string {
	if e.Code == 0 {
		return e.Reason
	}
	return formatReply(e.Code, e.Enhanced, e.Reason)
}

// Deferral is the error of a mail that a server rejected temporarily because of its recipient or content.
type Deferral struct {
	Code     int    // SMTP reply code, 400 to 499
	Enhanced string // RFC 3463 status such as 4.2.2; may be empty
	Reason   string // text of the reply in one line, for agents; may name people
}

// Error returns the codes, but not the reason, which may name people.
func (e *Deferral) Error() string {
	return fmt.Sprintf("mail deferred: SMTP reply %d %s", e.Code, e.Enhanced)
}

// Deferral returns codes and reason, for agents.
func (e *Deferral) Deferral() string { return formatReply(e.Code, e.Enhanced, e.Reason) }

func formatReply(code int, enhanced, reason string) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%d %s %s", code, enhanced, reason)), " ")
}

var (
	errAddress = &Undeliverable{Enhanced: "5.1.3", Reason: "This is not a valid email address."}
	errUnicode = &Undeliverable{Enhanced: "5.6.7", Reason: "The address has characters that our mail server cannot handle."}
)

const maxReason = 300 // runes

// sessionCodes are permanent reply codes about the SMTP session or our credentials. They concern all mails alike, and end
// when the configuration is corrected, so no mail bounces because of them.
var sessionCodes = []int{500, 502, 503, 504, 530, 534, 535, 538}

// codeShuttingDown means that the service closes the connection, not that it rejects a mail.
const codeShuttingDown = 421

// enhancedStatus matches the status at the start of each line of a reply, or only of the last.
var enhancedStatus = regexp.MustCompile(`(?m)^[245]\.\d{1,3}\.\d{1,3}\b`)

// The stage at which sending failed: an SMTP command, or the message after DATA.
const (
	stageMail    = "MAIL" // names the sender only
	stageRcpt    = "RCPT"
	stageData    = "DATA"
	stageMessage = "message"
)

// failure is the error that ended the sending of a mail.
type failure struct {
	stage   string
	content bool // message bytes were sent, so the server may have accepted the mail
	cause   error
}

// Error omits the text of a reply, which may name the recipient.
func (f *failure) Error() string {
	if reply, ok := f.reply(); ok {
		return fmt.Sprintf("SMTP reply %d %s to %s", reply.Code, enhancedStatus.FindString(reply.Msg), f.stage)
	}
	return f.stage + ": " + f.cause.Error()
}

// Unwrap returns the cause if it is a network error, and nil if the server replied.
func (f *failure) Unwrap() error {
	if _, ok := f.reply(); ok {
		return nil
	}
	return f.cause
}

func (f *failure) reply() (*textproto.Error, bool) { return errors.AsType[*textproto.Error](f.cause) }

// stale reports whether the server had closed an idle connection, so that the mail can be sent over a new one.
func (f *failure) stale() bool {
	reply, answered := f.reply()
	return !f.content && (!answered || reply.Code == codeShuttingDown)
}

// concernsMail reports whether the server's reply is about this mail. A reply to MAIL is not: it is about our address,
// which all mails share. A rejection of the recipient by policy (5.7.x) may come from a relay that doesn't know us, or
// from a mailbox whose owner or provider blocks us, and the two can't be distinguished. It counts as about this mail,
// because agents see a mail that bounced, but not one that is retried for ever.
func (f *failure) concernsMail() bool {
	reply, ok := f.reply()
	return ok && f.stage != stageMail && !slices.Contains(sessionCodes, reply.Code)
}

// deliveryError returns the error of Send: nil without a failure, an *Undeliverable for a permanent reply about this mail, a
// Limited fault if the server asks for a later try, with a *Deferral as its cause if that is about this mail, and otherwise an
// Unavailable one.
func (f *failure) deliveryError() error {
	if f == nil {
		return nil
	}
	reply, ok := f.reply()
	if !ok || reply.Code < 400 || reply.Code > 599 || reply.Code == codeShuttingDown || reply.Code >= 500 && !f.concernsMail() {
		return fault.Wrap(f, fault.Unavailable, "the mail server did not accept the email")
	}
	enhanced := enhancedStatus.FindString(reply.Msg)
	reason := oneLine(enhancedStatus.ReplaceAllString(reply.Msg, ""), maxReason)
	switch {
	case reply.Code >= 500:
		return &Undeliverable{Code: reply.Code, Enhanced: enhanced, Reason: reason}
	case f.concernsMail():
		return fault.Wrap(&Deferral{Code: reply.Code, Enhanced: enhanced, Reason: reason}, fault.Limited, retryMessage)
	default:
		return fault.Wrap(f, fault.Limited, retryMessage)
	}
}

const retryMessage = "the mail server asks to try again later"
