// Package incoming serves the pages on which staff see incoming mails and decide about those that did not become a ticket or a
// message. It decides nothing; app.IncomingReview does.
package incoming

import (
	"context"
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

//go:embed all:templates
var templates embed.FS

// Pages serves these pages.
type Pages struct{ mails request.IncomingMails }

// New returns the pages.
func New(m request.IncomingMails) *Pages { return &Pages{m} }

// Area returns the area of these pages.
func (p *Pages) Area() page.Area { return page.NewArea("incoming", templates, p.routes()) }

const listPath, blockedPath = "/desk/mail", "/desk/mail/blocked"

func (p *Pages) routes() []page.Route {
	return []page.Route{
		page.Get(listPath, page.Staff, p.index),
		page.Get(blockedPath, page.Supervisors, p.blocked),
		page.Post(blockedPath, page.Supervisors, page.Form(p.block)),
		page.Get("/desk/mail/:id", page.Staff, p.mail),
		page.Get("/desk/mail/:id/raw", page.Supervisors, p.raw),
		page.Post("/desk/mail/:id/release", page.Staff, p.release),
		page.Post("/desk/mail/:id/deletion", page.Supervisors, p.delete),
	}
}

// pageSize is the number of mails on a page of the list.
const pageSize = 50

type listView struct {
	page.Layout
	Statuses []statusLink
	Status   desk.IncomingStatus
	Mails    []desk.IncomingMail
	More     string // address of the next page; empty: there is none
	First    string // address of the first page; empty: this is it
}

type statusLink struct {
	Address, Name string
	Here          bool
}

// statusNames are the statuses as pages name them.
var statusNames = map[desk.IncomingStatus]string{
	desk.IncomingQuarantined: "Quarantine", desk.IncomingRecorded: "Recorded only", desk.IncomingAccepted: "Accepted",
	desk.IncomingReceived: "Being processed", desk.IncomingDuplicate: "Duplicates", desk.IncomingDeleted: "Deleted",
}

// reasons are why a mail is in quarantine or only recorded, as pages name it.
var reasons = map[string]string{
	desk.ReasonThreat: "Threat found", desk.ReasonNoSender: "No valid sender", desk.ReasonForged: "Sender not authenticated",
	desk.ReasonAmbiguous: "Sender not clear", desk.ReasonBlocked: "Sender blocked", desk.ReasonOwn: "Sent from this desk",
	desk.ReasonEmpty: "Empty", desk.ReasonRefused: "Not accepted", desk.ReasonUnreadable: "Unreadable", desk.ReasonCrashed: "Processing failed",
	desk.ReasonUnconfirmed: "Sender not confirmed", desk.ReasonNotStaff: "Answer to staff",
	desk.ReasonStaff: "From staff", desk.ReasonStaffUnproven: "From staff", desk.ReasonStaffOther: "From staff", desk.ReasonStaffClosed: "From staff",
	desk.ReasonStaffNoCustomer: "From staff", desk.ReasonStaffQuotation: "From staff", desk.ReasonStaffNote: "Note not accepted",
	desk.ReasonSeveral: "To several tickets",
	"auto-reply":       "Automatic reply", "bounce": "Delivery report", "complaint": "Spam complaint", "list": "Mailing list", "loop": "Mail loop",
}

func statusAddress(s desk.IncomingStatus) string { return listPath + "?status=" + string(s) }

// index lists the mails of a status, by default those in quarantine.
func (p *Pages) index(v *page.Visit) error {
	view := listView{Layout: v.Layout("Incoming email", "/desk"), Status: desk.IncomingQuarantined}
	if status := desk.IncomingStatus(v.Query("status")); statusNames[status] != "" {
		view.Status = status
	}
	for _, s := range desk.IncomingStatuses() {
		view.Statuses = append(view.Statuses, statusLink{statusAddress(s), statusNames[s], s == view.Status})
	}
	before, err := strconv.ParseInt(v.Query("before"), 10, 64)
	if err != nil || before < 1 {
		before = 0
	}
	var more bool
	if view.Mails, more, err = p.mails.List(v.Context(), v.Person, desk.IncomingFilter{Status: view.Status, Before: before, Limit: pageSize}); err != nil {
		return err
	}
	if more {
		view.More = fmt.Sprintf("%s&before=%d", statusAddress(view.Status), view.Mails[len(view.Mails)-1].ID)
	}
	if before > 0 {
		view.First = statusAddress(view.Status)
	}
	return v.Show("mails", view)
}

// StatusName returns the name of a mail's status.
func (listView) StatusName(s desk.IncomingStatus) string { return statusNames[s] }

const noSubject = "(no subject)"

// SubjectOf returns a mail's subject, or words in its place.
func (listView) SubjectOf(m desk.IncomingMail) string {
	switch {
	case desk.Visible(m.Subject):
		return m.Subject
	case m.Status == desk.IncomingReceived && m.Sender == "":
		return "(not read yet)"
	}
	return noSubject
}

// ReasonName returns the name of the reason for which a mail is in quarantine or only recorded.
func (listView) ReasonName(reason string) string { return reasonName(reason) }

func reasonName(reason string) string {
	if name, known := reasons[reason]; known {
		return name
	}
	return reason
}

// Supervises reports whether the reader may delete mails and block senders.
func (v listView) Supervises() bool { return v.Person.Role.Commands() }

type mailView struct {
	page.Layout
	Mail     desk.IncomingMail
	Contents desk.MailContents
	Shown    page.MailMessage
	Back     string // address of the list
}

func (p *Pages) mail(v *page.Visit) error {
	id, err := mailID(v)
	if err != nil {
		return err
	}
	view := mailView{}
	if view.Mail, view.Contents, err = p.mails.Mail(v.Context(), v.Person, id); err != nil {
		return err
	}
	view.Layout, view.Back = v.Layout(view.Subject(), "/desk"), statusAddress(view.Mail.Status)
	mails := v.MailView(mailAddress(id))
	if view.Contents.HTML != "" {
		view.Shown = mails.HTML(view.Contents.HTML, nil, 1)
	} else {
		view.Shown = mails.MailMessage(desk.Entry{Channel: desk.ChannelEmail, Body: view.Contents.Text, Forward: view.Contents.Forward})
	}
	return v.Show("mail", view)
}

// Subject returns the mail's subject, or words in its place. Before it is processed only its content has one.
func (v mailView) Subject() string {
	for _, subject := range []string{v.Mail.Subject, v.Contents.Subject} {
		if desk.Visible(subject) {
			return subject
		}
	}
	return noSubject
}

// Waits reports whether the mail is not processed yet.
func (v mailView) Waits() bool { return v.Mail.Status == desk.IncomingReceived }

// StatusName returns the name of the mail's status.
func (v mailView) StatusName() string { return statusNames[v.Mail.Status] }

// ReasonName returns the name of the reason for which the mail is in quarantine or only recorded.
func (v mailView) ReasonName() string { return reasonName(v.Mail.Reason) }

// trustTexts say whether the sender of a mail is believed.
var trustTexts = map[desk.Trust]string{
	desk.TrustPass: "The sender’s domain confirms this email.", desk.TrustFail: "The sender’s domain does not confirm this email, although it says how its emails are confirmed: the sender may be forged.",
	desk.TrustUnknown: "Nothing confirms the sender.", desk.TrustAmbiguous: "It isn’t clear who the sender is.", "": "Not checked.",
}

// TrustText says whether the sender is believed.
func (v mailView) TrustText() string { return trustTexts[v.Mail.Trust] }

// MayRelease reports whether the reader may release the mail.
func (v mailView) MayRelease() bool {
	return v.Mail.MayRelease(v.Person)
}

// ForSupervisors reports whether only supervisors, of whom the reader is none, may release the mail.
func (v mailView) ForSupervisors() bool {
	return v.Mail.Decidable() && v.Mail.Final() == "" && !v.MayRelease()
}

// Final says why the mail can't be released; empty: it may be released, or there is nothing to decide.
func (v mailView) Final() string {
	if !v.Mail.Decidable() {
		return ""
	}
	return v.Mail.Final()
}

// MayDelete reports whether the reader may delete the mail.
func (v mailView) MayDelete() bool { return v.Mail.MayDelete() && v.Supervises() }

// Supervises reports whether the reader may block senders.
func (v mailView) Supervises() bool { return v.Person.Role.Commands() }

// Size returns a size in words.
func (mailView) Size(bytes int64) string { return page.Size(bytes) }

func (p *Pages) raw(v *page.Visit) error {
	id, err := mailID(v)
	if err != nil {
		return err
	}
	return v.Send(false, func() (desk.FileContent, error) { return p.mails.Raw(v.Context(), v.Person, id) })
}

func (p *Pages) release(v *page.Visit) error {
	return p.decide(v, p.mails.Release, "The email was released. It becomes a ticket or a reply in a moment.")
}

func (p *Pages) delete(v *page.Visit) error {
	return p.decide(v, p.mails.Delete, "The email was deleted.")
}

func (p *Pages) decide(v *page.Visit, decide func(context.Context, desk.Person, int64) error, done string) error {
	id, err := mailID(v)
	if err != nil {
		return err
	}
	if err := decide(v.Context(), v.Person, id); err != nil {
		return err
	}
	v.Flash("%s", done)
	return v.Redirect(mailAddress(id))
}

type blockedView struct {
	page.Layout
	Blocked  []desk.BlockedSender
	Sender   string            // as typed
	Mistakes map[string]string // by field
}

func (p *Pages) blocked(v *page.Visit) error { return p.showBlocked(v, http.StatusOK, "", nil) }

func (p *Pages) showBlocked(v *page.Visit, status int, typed string, wrong error) error {
	view := blockedView{Layout: v.Layout("Blocked senders", "/desk"), Sender: typed, Mistakes: page.FieldSentences(wrong, "this ")}
	var err error
	if view.Blocked, err = p.mails.Blocked(v.Context(), v.Person); err != nil {
		return err
	}
	return v.ShowStatus(status, "blocked", view)
}

// block blocks a sender, or with unblock=1 removes it from the list.
func (p *Pages) block(v *page.Visit, form url.Values) error {
	sender, change, done := form.Get("sender"), p.mails.Block, "Further emails from this sender are recorded only."
	if form.Get("unblock") != "" {
		change, done = p.mails.Unblock, "The sender is no longer blocked."
	}
	err := change(v.Context(), v.Person, sender)
	if fault.KindOf(err) == fault.Invalid && err != nil {
		return p.showBlocked(v, http.StatusUnprocessableEntity, sender, err)
	}
	if err != nil {
		return err
	}
	v.Flash("%s", done)
	return v.Redirect(blockedPath)
}

func mailID(v *page.Visit) (int64, error) {
	id, err := strconv.ParseInt(v.Param("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, fault.New(fault.NotFound, "there is no such incoming email")
	}
	return id, nil
}

func mailAddress(id int64) string { return fmt.Sprintf("%s/%d", listPath, id) }
