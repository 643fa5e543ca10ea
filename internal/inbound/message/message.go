// Package message reads a raw mail: headers, addresses, words in UTF-8 and files, whatever its encodings. It knows nothing
// of tickets and people, and decides nothing about the mail.
package message

import (
	"net/mail"
	"net/textproto"
	"time"
)

// Message is a mail that was read. Everything in it was written by its sender and may be false.
type Message struct {
	Header textproto.MIMEHeader // of the mail itself, unfolded, not decoded and perhaps not in UTF-8; see DecodeHeader

	MessageID  string   // without angle brackets; empty: none
	InReplyTo  []string // without angle brackets
	References []string // likewise, oldest first
	Subject    string   // decoded, in one line
	Date       time.Time
	From       []mail.Address // with decoded names; the others likewise
	Sender     *mail.Address
	ReplyTo    []mail.Address
	To, Cc     []mail.Address

	Text string // the words as plain text: of the text parts, or made from HTML where there are none
	HTML string // of the HTML parts, not sanitized; empty: none
	// Files are the files in the order of the mail. Their contents were passed to the sink. Name, Type, ContentID and Inline
	// may be known better than they were then.
	Files []File
	// Reports are the parts that machines write for machines: message/delivery-status, message/feedback-report,
	// text/rfc822-headers, and the headers of an attached message/rfc822. They are bounded in number and size.
	Reports []Report

	Encrypted bool     // S/MIME or PGP: the words can't be read
	Signed    bool     // S/MIME or PGP: there is a signature, which was not verified
	Damaged   bool     // a winmail.dat can't be read to its end; ReadWhole passes it on as it came
	Calendar  string   // what its calendar asks for, such as REQUEST or CANCEL; empty: it has none, or that asks for nothing
	Problems  []string // what was malformed and how it was read, for staff
}

// File is a file or an inline image of a mail.
type File struct {
	N           int    // from 0, in the order of the mail
	Name        string // as the sender wrote it, decoded; not safe as a file's name; empty: none
	Type        string // as the sender declared it, in lower case, without parameters
	ContentID   string // without angle brackets; empty: none
	Inline      bool   // the HTML refers to it, or its disposition is inline
	Description string
	Outlook     bool // a winmail.dat as it came
}

// Report is a part that a machine wrote for machines.
type Report struct {
	Type string // such as message/delivery-status
	Body []byte // decoded, truncated
}
