package portal

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// pendingText is shown if a command was accepted but not decided in time. The command is stored and will be decided.
const pendingText = "We have received that. There is a backlog at the moment; this page shows it as soon as it is done."

// reply sends the requester's message. If it is not accepted, the form is shown again with its text.
func (p *Pages) reply(v *page.Visit, a access, form url.Values) error {
	var f input.Fields
	err := v.UploadFiles(p.files, a.requester)
	r := input.Command(&f, ticket.VerbCustomerReply, form)
	r.IdempotencyKey = contentKey(v, r.Body)
	var answer request.Answer
	if err == nil && form.Get("preview") != "" {
		return p.previewReply(v, a, form)
	}
	if err == nil {
		err = f.Err()
	}
	if err == nil {
		answer, err = p.command(v, a, r)
	}
	switch {
	case err != nil:
		return p.showReply(v, a, form, err)
	case answer.State == request.Pending:
	case answer.Accepted.Again:
		v.Flash("You have already sent this message. We have it once.")
	default:
		v.Flash("Your reply was sent.")
	}
	return v.Redirect(ticketAddress(a.number) + "#latest")
}

// previewReply shows the ticket with a preview of the reply that is being written, for browsers without scripts.
func (p *Pages) previewReply(v *page.Visit, a access, form url.Values) error {
	view, err := p.view(v, a)
	if err != nil {
		return err
	}
	view.Reply.Body, view.Reply.Attach = form.Get("body"), v.AttachField(ticketAddress(a.number)+"/files", p.files.Limits())
	view.Reply.Composer = view.NewComposer(true, form.Get("body"))
	return v.Show("ticket", view)
}

// showReply shows the ticket with a reply that was not accepted in its form, or only the form if the ticket can't be
// loaded. It returns errors that the requester can do nothing about.
func (p *Pages) showReply(v *page.Visit, a access, form url.Values, wrong error) error {
	view, err := p.view(v, a)
	name := "ticket"
	if fault.KindOf(err) == fault.Unavailable {
		name, err = "reply", nil
		view = ticketView{Layout: v.Layout("Your reply", "/tickets")}
		view.Number, view.Writer, view.Reply.Key = a.number, a.draftOwner(v), view.IdempotencyKey()
	}
	if err != nil {
		return err
	}
	reply := &view.Reply
	reply.Body, reply.Attach = form.Get("body"), v.AttachField(ticketAddress(a.number)+"/files", p.files.Limits())
	if files := page.FieldErrors(wrong)["files"]; files != "" {
		reply.Attach.Error = page.Sentence("the files " + files)
	}
	switch fault.KindOf(wrong) {
	case fault.Invalid, fault.TooLarge:
		if reply.Error = "Please check the files."; reply.Attach.Error == "" {
			reply.Error = errorSentence("Your reply", wrong)
		}
	case fault.Conflict: // decided under its key: a new key lets the same text be accepted later
		reply.Key, reply.Error = view.IdempotencyKey(), errorSentence("Your reply was not accepted:", wrong)
		if reply.Anyway = isUnseen(wrong); reply.Anyway {
			reply.Error = "We wrote to you while you were writing, so your message has not been sent. Please read ours first; you can then change yours or send it as it is."
		}
	case fault.Limited:
		reply.Error = errorSentence("Your reply was not accepted:", wrong) + " What you wrote is still here."
	case fault.Unavailable: // it may have been accepted: with the same key, sending it again has no second effect
		reply.Key, reply.Again = cmp.Or(form.Get("idempotency_key"), reply.Key), true
		reply.Error = "We can't accept your reply at the moment. What you wrote is still here: please try again later."
	default:
		return wrong
	}
	return v.ShowError(wrong, name, view)
}

// act handles forms without a message, such as confirming or withdrawing a ticket. done is the confirmation.
func (p *Pages) act(v *page.Visit, a access, form url.Values, verb ticket.Verb, done string) error {
	var f input.Fields
	r := input.Command(&f, verb, form)
	r.IdempotencyKey = v.IdempotencyKey()
	if err := f.Err(); err != nil {
		return err
	}
	answer, err := p.command(v, a, r)
	switch kind := fault.KindOf(err); {
	case err == nil && answer.State == request.Pending:
		return v.Redirect(ticketAddress(a.number))
	case err == nil && verb == ticket.VerbLeave: // the ticket's page is not theirs any more
		v.Flash("%s", done)
		return v.Redirect("/")
	case err == nil:
		v.Flash("%s", done)
		return v.Redirect(ticketAddress(a.number))
	case isUnseen(err):
		v.Flash("We wrote to you in the meantime, so nothing was done. Please read our message first; you can then try again.")
		return v.Refuse(ticketAddress(a.number) + "#latest")
	case kind == fault.Conflict || kind == fault.Limited:
		v.Flash("%s", errorSentence("That was not possible:", err))
		return v.Refuse(ticketAddress(a.number))
	default:
		return err
	}
}

// command sends a command, and returns a refusal as an error. An accepted command is stored, so if its outcome is not
// known in time, the page says that it is pending. Reporting an error would invite sending it twice.
func (p *Pages) command(v *page.Visit, a access, r desk.Request) (request.Answer, error) {
	r.Number = a.number
	answer := request.Ask(v.Context(), p.desk, a.requester, r)
	for tries := 0; answer.Err == nil && answer.Accepted.Again && time.Since(answer.Accepted.At) > repeatedFor && tries < maxRepeats; tries++ {
		r.IdempotencyKey = repeatKey(r.IdempotencyKey, answer.Accepted.At)
		answer = request.Ask(v.Context(), p.desk, a.requester, r)
	}
	switch answer.State {
	case request.Failed:
		return answer, answer.Err
	case request.Pending:
		v.Flash(pendingText)
	case request.Refused:
		return answer, fault.NewConflict(answer.Outcome.Code, "%s", answer.Outcome.Reason)
	}
	return answer, nil
}

// isUnseen reports whether a command was refused because of messages that the requester had not seen.
func isUnseen(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Code == ticket.CodeUnseen
}

const (
	// repeatedFor is how long sending the same text again counts as a repetition by mistake.
	repeatedFor = time.Hour
	maxRepeats  = 10
)

// contentKey returns an idempotency key from the form's key, its text and its files: the same message is accepted once,
// another one beside it.
func contentKey(v *page.Visit, words string) desk.IdempotencyKey {
	key := v.IdempotencyKey()
	if key.Key == "" {
		return key
	}
	key = request.NewIdempotencyKey("", []byte(v.Path()), []byte(key.Key), []byte(words+v.FilesKey()))
	key.Key = "words:" + hex.EncodeToString(key.Fingerprint)
	return key
}

// repeatKey returns the key for the same text when it is sent again on purpose, after repeatedFor. first is when it
// was accepted first.
func repeatKey(key desk.IdempotencyKey, first time.Time) desk.IdempotencyKey {
	if key.Key == "" {
		return key
	}
	base, _, _ := strings.Cut(key.Key, "@")
	key.Key = fmt.Sprintf("%s@%d", base, first.Unix())
	return key
}

func ticketAddress(n ticket.Number) string { return "/tickets/" + string(n) }

// errorSentence returns subject and the messages of a fault as one sentence. Other errors are not shown.
func errorSentence(subject string, err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return subject + " can't be accepted."
	}
	words := f.Message
	if len(f.Details) > 0 {
		var all []string
		for _, d := range f.Details {
			all = append(all, d.Message)
		}
		words = strings.Join(all, ", and ")
	}
	return subject + " " + words + "."
}
