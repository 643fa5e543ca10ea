// Package automatic distinguishes mails that machines wrote from those of people: automatic replies, delivery reports, complaints,
// mailing lists and our own mails that came back. It also decides whether a mail may be answered automatically.
//
// It is pure: it reads what was read of a mail and knows nothing of tickets, people and stored mails. Everything that it
// returns was written by the mail's sender and may be forged: a bounce or a complaint counts only where the caller finds
// one of its OriginalMessageIDs among the mails that were sent to that recipient.
package automatic

import (
	"strings"

	"github.com/holesalemart/supportdesk/internal/inbound/message"
	"github.com/holesalemart/supportdesk/internal/text"
)

// Kind classifies a mail by who or what wrote it.
type Kind string

// A mail is a person's unless something in it says otherwise: a machine that is taken for a person costs an agent a moment,
// a person who is taken for a machine gets no answer.
const (
	Person    Kind = "person"
	AutoReply Kind = "auto-reply" // out of office, receipts, calendar replies and other mails that a program sent by itself
	Bounce    Kind = "bounce"     // a delivery report; each recipient's Action says whether the mail failed
	Complaint Kind = "complaint"  // a recipient marked our mail as spam or asked their mail program to unsubscribe
	List      Kind = "list"       // mailing lists, newsletters and other mass mail
	Loop      Kind = "loop"       // our own mail came back
)

// Bounds of what is read of one mail and of what is returned.
const (
	maxText       = 256 << 10 // bytes of the words and of each report
	maxRecipients = 50
	maxIDs        = 50
	maxID         = 998 // bytes, a line of RFC 5322
	maxDiagnostic = 1000
	maxReason     = 200
)

// Mail is a mail with what the envelope says.
type Mail struct {
	message.Message

	// ReturnPath is the envelope's sender without angle brackets. Empty: it is not known, or EnvelopeEmpty says that it was empty.
	ReturnPath    string
	EnvelopeEmpty bool

	// Ours are the addresses that the desk receives mail at and sends from. A mailing list that delivers to the desk at
	// one of them, such as a Google group, makes no list of the mails of people who write to it.
	Ours []string

	// Forms are the addresses from which forms on websites send what visitors enter, with the visitor in Reply-To.
	Forms []string
}

// Verdict is what a mail was found to be.
type Verdict struct {
	Kind   Kind
	Reason string // which header or words decided, for staff; empty for a person's mail without anything to note

	// NoAnswer says that nothing automatic may be sent in answer. It is true for everything but people's mails, and for
	// people's mails that ask for it or might be a machine's.
	NoAnswer bool

	// Writer is the address of the person who wrote the mail: From, or another one where From is ours, behind a list of ours or
	// a form. That is no more certain than From is. Empty where there is none.
	Writer string

	// Form is the address in From, one of Forms, if a form sent the mail for Writer. Visitors can enter any address in it.
	Form string

	Bounces  []BouncedRecipient // of a Bounce; may be empty where the report names none
	Feedback string             // of a Complaint: abuse, fraud, opt-out, …

	// OriginalMessageIDs are the Message-IDs of the mails that it is about, without angle brackets, most certain first:
	// of the returned mail, then In-Reply-To and References. Nil for a person's mail.
	OriginalMessageIDs []string
	// OriginalTo are the addresses that the returned mail was sent to, as its headers say.
	OriginalTo []string
}

// Classify returns who or what wrote a mail. It never fails; a mail that it can't read is a person's.
func Classify(m Mail) Verdict {
	if len(m.Text) > maxText {
		m.Text = strings.ToValidUTF8(m.Text[:maxText], "")
	}
	m.Text = strings.ReplaceAll(m.Text, "\r\n", "\n")
	v := m.classify()
	v.NoAnswer = v.NoAnswer || v.Kind != Person
	v.Reason = text.Truncate(text.Line(v.Reason), maxReason)
	if v.Kind == Person {
		v.Writer = m.writer()
	} else {
		v.OriginalMessageIDs = m.originalIDs(v)
		v.OriginalTo = unique(append(v.OriginalTo, m.originalTo()...))
	}
	if v.Kind == Bounce {
		v.Bounces = complete(v.Bounces, v.OriginalTo)
	}
	return v
}

// classify applies the rules in the order of their certainty: first what a machine wrote in a form for machines.
func (m Mail) classify() Verdict {
	rules := []func(Mail) (Verdict, bool){
		Mail.deliveryReport, Mail.complaint, Mail.receipt, Mail.own, Mail.notification, Mail.freeForm,
		Mail.automaticHeaders, Mail.calendarReply, Mail.list, Mail.emptyEnvelope, Mail.subject, Mail.noAnswer,
	}
	for _, rule := range rules {
		if v, decided := rule(m); decided {
			return v
		}
	}
	return Verdict{Kind: Person}
}

// header returns a header's first value in one line, bounded.
func (m Mail) header(name string) string {
	return text.Truncate(text.Line(m.Header.Get(name)), maxID)
}

// has reports whether a mail has a header, even an empty one.
func (m Mail) has(name string) bool { return len(m.Header.Values(name)) > 0 }
