package message

import (
	"net/mail"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/text"
)

// fields reads the fields of the mail's header.
func (r *reader) fields() {
	r.From = r.addresses("From")
	r.ReplyTo = r.addresses("Reply-To")
	r.To = r.addresses("To")
	r.Cc = r.addresses("Cc")
	if sender := r.addresses("Sender"); len(sender) > 0 {
		r.Sender = &sender[0]
	}
	if len(r.Header["From"]) == 0 {
		r.problem("The email has no field From.")
	}
	if len(r.From) > 1 {
		r.problem("The email is from %d addresses.", len(r.From))
	}
	subject := text.Truncate(text.Line(decodeHeader(first(r.Header, "Subject"), r.hint)), maxSubject)
	r.Subject = subject
	if len(r.Header["Subject"]) > 1 {
		r.problem("The field Subject is there %d times.", len(r.Header["Subject"]))
	}
	if ids := messageIDs(r.Header["Message-Id"]); len(ids) > 0 {
		r.MessageID = ids[0]
	}
	r.InReplyTo = messageIDs(r.Header["In-Reply-To"])
	r.References = messageIDs(r.Header["References"])
	r.date()
}

func first(h textproto.MIMEHeader, key string) string {
	if values := h[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

var bracketed = regexp.MustCompile(`<[^<>]*>`)

// messageIDs returns the Message-IDs of fields without their brackets, at most maxReferences: the first and the last ones.
func messageIDs(values []string) []string {
	var all []string
	for _, value := range values {
		found := bracketed.FindAllString(value, -1)
		if found == nil && !strings.ContainsAny(value, " \t") {
			found = []string{value}
		}
		for _, id := range found {
			id = strings.Join(strings.Fields(strings.Trim(id, "<>")), "") // folding may split one
			if id != "" && len(id) <= maxMessageID && !slices.Contains(all[max(0, len(all)-10):], id) {
				all = append(all, strings.ToValidUTF8(id, "\ufffd"))
			}
		}
	}
	if extra := len(all) - maxReferences; extra > 0 {
		all = slices.Delete(all, 1, 1+extra) // the first one and the latest ones matter
	}
	return all
}

var layouts = []string{
	"2 Jan 2006 15:04:05 -0700", "2 Jan 2006 15:04:05 MST", "2 Jan 2006 15:04:05", "2 Jan 2006 15:04 -0700", "2 Jan 06 15:04:05 -0700",
	"2 Jan 06 15:04:05 MST", "Jan 2 15:04:05 2006", "Jan 2 15:04:05 2006 -0700", "Jan 2 15:04:05 MST 2006", time.RFC3339,
	"2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2-Jan-2006 15:04:05 -0700", "2 January 2006 15:04:05 -0700", "2 Jan 2006 15:04",
	"2 Jan 2006 03:04:05 PM MST", "2 Jan 2006 03:04:05 PM -0700", "January 2, 2006 3:04 PM", "2-1-2006 15:04", "2.1.2006 15:04",
}

var (
	weekday = regexp.MustCompile(`^\p{L}+\.?(?:,\s*|\s+)(\S)`)
	remark  = regexp.MustCompile(`\s*\(.*$`)
)

func (r *reader) date() {
	value := first(r.Header, "Date")
	if value == "" {
		r.problem("The email has no date.")
		return
	}
	date, err := mail.ParseDate(value)
	if err == nil {
		r.Date = date
		return
	}
	value = remark.ReplaceAllString(text.Line(value), "")
	for _, candidate := range []string{value, weekday.ReplaceAllString(value, "$1"), strings.ReplaceAll(weekday.ReplaceAllString(value, "$1"), ".", ":")} {
		for _, layout := range layouts {
			if date, err := time.Parse(layout, candidate); err == nil {
				r.Date = date
				return
			}
		}
	}
	r.problem("The date can't be read.")
}

var wordCharset = regexp.MustCompile(`=\?([^?*\s]{1,60})[?*]`)

// headerCharset is the charset of the mail's text, or of its subject. Programs that write headers and parts without saying theirs
// use it there, too.
func headerCharset(h textproto.MIMEHeader) string {
	_, params := parameters(first(h, "Content-Type"), "utf-8")
	label := normalLabel(params["charset"])
	if word := wordCharset.FindStringSubmatch(first(h, "Subject")); label == "" && word != nil {
		label = normalLabel(word[1])
	}
	if label == "" || strings.HasPrefix(label, "utf-") { // headers are never in UTF-16 or UTF-7
		return "utf-8"
	}
	return label
}
