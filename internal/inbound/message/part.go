package message

import (
	"net/textproto"
	"strings"

	"github.com/holesalemart/supportdesk/internal/text"
)

// part is what the header of a part, or of the mail, says about its body.
type part struct {
	media       string // type/subtype, in lower case
	declared    bool   // the media type is the sender's and well formed
	params      map[string]string
	encoding    string // of transfer; see transferEncoding
	disposition string // inline, attachment or empty
	name        string
	id          string // Content-ID
	location    string
	description string
	parent      string // the media type of the multipart around it
	outlook     bool   // a winmail.dat that is passed on whole
}

// newPart reads the fields of a part's header, which may be missing and malformed.
func (r *reader) newPart(h textproto.MIMEHeader, parent string) part {
	p := part{parent: parent}
	field := first(h, "Content-Type")
	p.media, p.params = parameters(field, r.hint)
	p.media = strings.Trim(p.media, `"' `)
	p.declared = validMedia(p.media)
	if !p.declared {
		if field != "" {
			r.problem("The type of a part is malformed.")
		}
		p.media = defaultMedia(p.media, parent)
	}
	p.encoding = transferEncoding(decodeHeader(first(h, "Content-Transfer-Encoding"), r.hint))
	disposition, params := parameters(first(h, "Content-Disposition"), r.hint)
	switch disposition {
	case "", "inline":
		p.disposition = disposition
	default: // RFC 2183: what is not known is an attachment
		p.disposition = "attachment"
	}
	for _, name := range []string{params["filename"], p.params["name"], p.params["filename"], params["name"]} {
		if p.name == "" {
			p.name = text.Line(name)
		}
	}
	p.id = strings.Trim(text.Line(strings.ToValidUTF8(first(h, "Content-Id"), "")), "<> ")
	p.location = strings.TrimSpace(first(h, "Content-Location"))
	p.description = text.Truncate(text.Line(decodeHeader(first(h, "Content-Description"), r.hint)), maxDescription)
	return p
}

func validMedia(media string) bool {
	kind, sub, is := strings.Cut(media, "/")
	bad := func(c rune) bool { return c <= ' ' || c >= 0x7f }
	return is && kind != "" && sub != "" && len(media) <= 255 && !strings.ContainsAny(media, "()<>@,;:\\\"[]?=") &&
		!strings.ContainsFunc(media, bad)
}

// defaultMedia is the type of a part that says none, or a malformed one.
func defaultMedia(media, parent string) string {
	kind, _, _ := strings.Cut(media, "/")
	switch {
	case kind == "html":
		return "text/html"
	case parent == "multipart/digest" && media == "":
		return "message/rfc822"
	case media == "" || kind == "text" || kind == "plain" || kind == "txt":
		return "text/plain"
	case kind == "multipart":
		return "multipart/mixed"
	}
	return "application/octet-stream"
}

func (p part) kind() string {
	kind, _, _ := strings.Cut(p.media, "/")
	return kind
}

// isWords reports whether a part is to be read with the mail, and is not a file.
func (p part) isWords() bool {
	if p.kind() != "text" || p.disposition == "attachment" {
		return false
	}
	switch p.media {
	case "text/plain", "text/html":
		return p.name == "" || p.parent == "" || p.parent == "multipart/alternative"
	case "text/x-amp-html", "text/watch-html":
		return true
	case "text/calendar", "text/rfc822-headers", "text/csv", "text/vcard", "text/x-vcard", "text/directory", "text/css", "text/xml",
		"text/javascript", "text/rtf", "text/tab-separated-values":
		return false
	}
	return p.name == ""
}

// isForPrograms reports whether a part is HTML for certain programs: AMP, and what watches show.
func (p part) isForPrograms() bool {
	return p.media == "text/x-amp-html" || p.media == "text/watch-html"
}

// isSpare reports whether text says in another form what other parts say. It counts only if they don't.
func (p part) isSpare() bool {
	switch p.media {
	case "text/plain", "text/html", "text/enriched", "text/richtext":
		return false
	}
	return p.parent == "multipart/alternative" || p.isForPrograms()
}

func (p part) isEnriched() bool { return p.media == "text/enriched" || p.media == "text/richtext" }

// isNamedWords reports whether a part may be words or a file.
func (p part) isNamedWords() bool {
	return (p.media == "text/plain" || p.media == "text/html") && p.disposition == "" && p.name != ""
}

// isReport reports whether a machine wrote the part for machines.
func (p part) isReport() bool {
	switch p.media {
	case "message/delivery-status", "message/feedback-report", "message/disposition-notification", "message/tracking-status",
		"message/global-delivery-status", "message/global-disposition-notification", "text/rfc822-headers", "message/global-headers":
		return true
	}
	return false
}

// isSMIME reports whether a part is a mail within S/MIME, and not a signature beside one.
func (p part) isSMIME() bool {
	switch p.media {
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return p.params["smime-type"] != "certs-only"
	}
	return p.media == "application/octet-stream" && strings.EqualFold(p.name, "smime.p7m")
}

func (p part) isMail() bool {
	return p.media == "message/rfc822" || p.media == "message/global" || p.media == "message/news"
}
