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

// Undeliverable is a mail that no retry will deliver: the server refused it for good, or its address can't be told
// to any server.
type Undeliverable struct {
	Code     int    // SMTP reply code, 500 to 599; 0 when no server was asked
	Enhanced string // RFC 3463 status such as 5.1.1; may be empty
	Reason   string // one line for an agent, in the server's words; may name people
}

// Error gives the codes and never the reason, which may name people.
func (e *Undeliverable) Error() string {
	if e.Code == 0 {
		return "mail undeliverable: status " + e.Enhanced
	}
	return fmt.Sprintf("mail undeliverable: SMTP reply %d %s", e.Code, e.Enhanced)
}

// Refusal is the whole account for an agent: codes and reason.
func (e *Undeliverable) Refusal() string {
	if e.Code == 0 {
		return e.Reason
	}
	return told(e.Code, e.Enhanced, e.Reason)
}

// Deferral is the answer of a server that was told whom a mail is for and would not take it for now.
type Deferral struct {
	Code     int    // SMTP reply code, 400 to 499
	Enhanced string // RFC 3463 status such as 4.2.2; may be empty
	Reason   string // one line for an agent, in the server's words; may name people
}

// Error gives the codes and never the reason, which may name people.
func (e *Deferral) Error() string {
	return fmt.Sprintf("mail put off: SMTP reply %d %s", e.Code, e.Enhanced)
}

// Deferral is the whole account for an agent: codes and reason.
func (e *Deferral) Deferral() string { return told(e.Code, e.Enhanced, e.Reason) }

func told(code int, enhanced, reason string) string {
	return strings.Join(strings.Fields(fmt.Sprintf("%d %s %s", code, enhanced, reason)), " ")
}

var (
	errAddress = &Undeliverable{Enhanced: "5.1.3", Reason: "The address is not one that a mail can be sent to."}
	errUnicode = &Undeliverable{Enhanced: "5.6.7", Reason: "The address has characters that our mail server cannot handle."}
)

const maxReason = 300 // runes

// aboutUs are permanent replies that speak of the conversation or of our credentials: they would meet every mail
// alike, and a corrected configuration ends them, so no mail bounces for them.
var aboutUs = []int{500, 502, 503, 504, 530, 534, 535, 538}

// codeGone announces that the whole service goes away, not that it has something against a mail.
const codeGone = 421

// enhancedStatus begins each line of a reply, or only the last.
var enhancedStatus = regexp.MustCompile(`(?m)^[245]\.\d{1,3}\.\d{1,3}\b`)

// What the server was told when it failed us: an SMTP command, or what follows DATA.
const (
	stageMail    = "MAIL" // says who we are, and nothing of the recipient
	stageRcpt    = "RCPT"
	stageData    = "DATA"
	stageMessage = "message"
)

// failure is what ended the handing over of one mail.
type failure struct {
	stage   string
	content bool // the server was told the mail itself, so it may have kept it
	cause   error
}

// Error leaves out what the server said: a reply may name the recipient.
func (f *failure) Error() string {
	if reply, ok := f.reply(); ok {
		return fmt.Sprintf("SMTP reply %d %s to %s", reply.Code, enhancedStatus.FindString(reply.Msg), f.stage)
	}
	return f.stage + ": " + f.cause.Error()
}

// Unwrap gives what went wrong on the network, and nothing when the server answered.
func (f *failure) Unwrap() error {
	if _, ok := f.reply(); ok {
		return nil
	}
	return f.cause
}

func (f *failure) reply() (*textproto.Error, bool) { return errors.AsType[*textproto.Error](f.cause) }

// stale reports a failure that an idle connection meets when its server has left it, before the mail was told.
func (f *failure) stale() bool {
	reply, answered := f.reply()
	return !f.content && (!answered || reply.Code == codeGone)
}

// aboutMail reports a reply that speaks of this mail. One to MAIL is about our own address, which every mail has. A
// refusal by policy (5.7.x) of the recipient may come from a relay that doesn't know us, or from a mailbox whose
// owner or provider blocks us, and nothing tells the two apart: it counts as this mail's, because agents see a mail
// that bounced, and nobody sees one that is tried for ever.
func (f *failure) aboutMail() bool {
	reply, ok := f.reply()
	return ok && f.stage != stageMail && !slices.Contains(aboutUs, reply.Code)
}

// verdict is the error for the caller: *Undeliverable for a permanent reply about this mail, Limited for a server
// that asks for a later try, with a *Deferral as its cause if that is about this mail, else Unavailable.
func (f *failure) verdict() error {
	reply, ok := f.reply()
	if !ok || reply.Code < 400 || reply.Code > 599 || reply.Code == codeGone || reply.Code >= 500 && !f.aboutMail() {
		return fault.Wrap(f, fault.Unavailable, "the mail server did not take the mail")
	}
	enhanced := enhancedStatus.FindString(reply.Msg)
	reason := oneLine(enhancedStatus.ReplaceAllString(reply.Msg, ""), maxReason)
	switch {
	case reply.Code >= 500:
		return &Undeliverable{Code: reply.Code, Enhanced: enhanced, Reason: reason}
	case f.aboutMail():
		return fault.Wrap(&Deferral{Code: reply.Code, Enhanced: enhanced, Reason: reason}, fault.Limited, later)
	default:
		return fault.Wrap(f, fault.Limited, later)
	}
}

const later = "the mail server asks to try again later"
