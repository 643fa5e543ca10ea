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
	N      int           // number of the entry

	within []desk.FileID // files that are shown within the words
}

// MailMessage returns the message of an entry that came by email: the email's HTML, or its text with what is quoted folded.
// For other entries, and for an email that was stored as Markdown, it is empty.
func (m MailView) MailMessage(e desk.Entry) MailMessage {
	switch {
	case e.Channel != desk.ChannelEmail || e.Format == desk.FormatMarkdown:
		return MailMessage{}
	case e.HTML == "":
		return MailMessage{Words: foldedText(e.Body, quote.Options{Forward: e.Forward})}
	default:
		return m.HTML(e.HTML, e.Files, e.N)
	}
}

// HTML returns the sanitized HTML of an email with its files as entry n of the page.
func (m MailView) HTML(sanitized string, files []desk.File, n int) MailMessage {
	shown := MailMessage{N: n}
	shown.Words = markup.Mail(sanitized, markup.Options{
		RemoteImages: m.Images == n,
		File: func(contentID string) string {
			i := slices.IndexFunc(files, func(f desk.File) bool { return f.ContentID == contentID && f.Previewed() })
			if i < 0 || contentID == "" {
				return ""
			}
			shown.within = append(shown.within, files[i].ID)
			return PreviewAddress(files[i])
		},
	})
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
func foldedText(text string, o quote.Options) template.HTML {
	var b strings.Builder
	for _, s := range quote.Fold(text, o) {
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

// MessageView is the message of an entry, as pages show it.
type MessageView struct {
	MailMessage
	Files  FileList
	Within FileList // images that are shown within the words
	Traits []string // what it is besides its words
	Note   string   // why words are missing; empty: none are

	LeftOut []desk.LeftOut // what of its email is not in it
	Kept    string         // where that is
}

// Said reports whether there is a message: words, files, or what was left out.
func (m MessageView) Said() bool {
	return m.Words != "" || len(m.Files.Files)+len(m.Within.Files)+len(m.LeftOut) > 0
}

// Message returns the message of an entry. Each image of an email is shown once: where it stands, or else with the files.
func (l Layout) Message(e desk.Entry, mails MailView) MessageView {
	m := MessageView{MailMessage: mails.MailMessage(e), Traits: traits(e.Traits), LeftOut: e.LeftOut, Kept: "our support has the original email"}
	if l.Person.Role.Staff() {
		m.Kept = "the original email has it"
	}
	switch {
	case !e.Traits.Encrypted:
	case l.Person.Role.Staff():
		m.Note = "This email is encrypted and can’t be read here. What was encrypted is attached."
	default:
		m.Note = "This email is encrypted, so our support can’t read it. Please write without encryption."
	}
	if m.Words == "" {
		m.Words = l.Formatted(e.Body, e.Format)
	}
	m.Files, m.Within = l.FileList(nil), l.FileList(nil)
	m.Within.Bare = true
	for _, f := range e.Files {
		list := &m.Files
		if slices.Contains(m.within, f.ID) {
			list = &m.Within
		}
		list.Files = append(list.Files, f)
	}
	return m
}

// calendarNames are what calendars in emails ask for, as pages name it.
var calendarNames = map[desk.CalendarMethod]string{
	desk.CalendarRequest: "Invitation", desk.CalendarCancel: "Cancelled event", desk.CalendarReply: "Answer to an invitation",
	desk.CalendarCounter: "Proposal of another time",
}

// traits returns what an email is, in words.
func traits(t desk.MailTraits) []string {
	var all []string
	if t.Encrypted {
		all = append(all, "Encrypted")
	}
	if t.Signed {
		all = append(all, "Signed, not verified")
	}
	if name := calendarNames[t.Calendar]; name != "" {
		all = append(all, name)
	}
	return all
}
