package page

import (
	"html/template"
	"slices"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
	"github.com/holesalemart/supportdesk/internal/markup"
)

// MailView is a page on which messages are shown that came by email.
type MailView struct {
	Address string // of the page
	Images  int    // number of the entry whose images of other servers are shown; 0: of none
}

// imagesField is the field of a page's query that names the entry whose images of other servers are shown.
const imagesField = "images"

// remoteImages is contentPolicy with the images of other servers.
var remoteImages = strings.Replace(contentPolicy, "img-src 'self' data:", "img-src 'self' data: https: http:", 1)

// MailView returns the view of the page at an address. If its reader has asked for images of other servers, browsers may load
// them on this page.
func (v *Visit) MailView(address string) MailView {
	n, err := strconv.Atoi(v.Query(imagesField))
	if err != nil || n < 1 {
		return MailView{Address: address}
	}
	v.gin.Header("Content-Security-Policy", remoteImages)
	return MailView{Address: address, Images: n}
}

// MailMessage is a message that came by email, as pages show it.
type MailMessage struct {
	Words  template.HTML // empty: it did not come by email, or has no words
	Images string        // address at which its images of other servers are shown; empty: it has none, or they are
}

// MailMessage returns the message of an entry that came by email: the email's HTML, or its text with what is quoted folded.
// For other entries it is empty.
func (m MailView) MailMessage(e desk.Entry) MailMessage {
	switch {
	case e.Channel != desk.ChannelEmail:
		return MailMessage{}
	case e.HTML == "":
		return MailMessage{Words: foldedText(e.Body)}
	default:
		return m.HTML(e.HTML, e.Files, e.N)
	}
}

// HTML returns the sanitized HTML of an email with its files as entry n of the page.
func (m MailView) HTML(sanitized string, files []desk.File, n int) MailMessage {
	shown := MailMessage{Words: markup.Mail(sanitized, markup.Options{
		RemoteImages: m.Images == n,
		File: func(contentID string) string {
			i := slices.IndexFunc(files, func(f desk.File) bool { return f.ContentID == contentID && f.Previewed() })
			if i < 0 || contentID == "" {
				return ""
			}
			return PreviewAddress(files[i])
		},
	})}
	if m.Images != n && markup.HasRemoteImages(sanitized) {
		shown.Images = MailView{m.Address, n}.Again() + "#line-" + strconv.Itoa(n)
	}
	return shown
}

// Again returns the address of the page with the same images.
func (m MailView) Again() string {
	switch {
	case m.Images == 0:
		return m.Address
	case strings.Contains(m.Address, "?"):
		return m.Address + "&" + imagesField + "=" + strconv.Itoa(m.Images)
	default:
		return m.Address + "?" + imagesField + "=" + strconv.Itoa(m.Images)
	}
}

// foldedText returns the text of an email. Quoted text and signatures are folded.
func foldedText(text string) template.HTML {
	var b strings.Builder
	for _, s := range quote.Fold(text) {
		shown := string(markup.Text(s.Text, markup.Options{}))
		if !s.Folded() {
			b.WriteString(shown)
			continue
		}
		summary := quote.ShowQuoted
		if s.Kind == quote.Signature {
			summary = quote.ShowSignature
		}
		b.WriteString("<details><summary>" + template.HTMLEscapeString(summary) + "</summary>" + shown + "</details>\n")
	}
	return template.HTML(b.String()) //nolint:gosec // what markup returns is safe, and the rest is written here
}

// channelNames are the ways by which messages came, as pages name them. A page is the usual one and is not named.
var channelNames = map[desk.Channel]string{
	desk.ChannelAPI: "by API", desk.ChannelEmail: "by email", desk.ChannelPhone: "by phone", desk.ChannelInPerson: "in person", desk.ChannelPage: "on the website",
}

// ChannelName returns the way by which a message came, in words; empty for messages from before it was recorded.
func ChannelName(c desk.Channel) string { return channelNames[c] }

// Message returns the words of an entry's message, and the address at which its images of other servers are shown, if it has
// such images and they are not.
func (l Layout) Message(e desk.Entry, mails MailView) (words template.HTML, images string) {
	if m := mails.MailMessage(e); m.Words != "" {
		return m.Words, m.Images
	}
	return l.Formatted(e.Body, e.Format), ""
}
