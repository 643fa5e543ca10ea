package portal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
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
func (p *Pages) reply(v *page.Visit, a access) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	var f input.Fields
	typed := form.Get("body")
	r := input.Command(&f, ticket.VerbCustomerReply, form)
	if err := f.Err(); err != nil {
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusUnprocessableEntity, problem: errorSentence("Your reply", err)})
	}
	r.IdempotencyKey = contentKey(v, r.Body)
	outcome, err := p.command(v, a, r)
	if err != nil {
		return p.replyError(v, a, typed, err)
	}
	switch {
	case outcome.unseen:
		return p.showReplyError(v, a, typed, replyFailure{
			status: http.StatusConflict, unseen: true,
			problem: "We wrote to you while you were writing, so your message has not been sent. Please read ours first; you can then change yours or send it as it is.",
		})
	case outcome.refused != nil:
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusConflict, problem: errorSentence("Your reply was not accepted:", outcome.refused)})
	}
	switch {
	case outcome.duplicate:
		v.Flash("You have already sent this message. We have it once.")
	case outcome.decided:
		v.Flash("Your reply has been sent.")
	}
	return v.Redirect(ticketAddress(a.number) + "#latest")
}

// replyError shows the reply again for errors that the requester can do something about, and returns all others.
func (p *Pages) replyError(v *page.Visit, a access, typed string, err error) error {
	switch fault.KindOf(err) {
	case fault.Conflict:
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusConflict, problem: errorSentence("Your reply was not accepted:", err)})
	case fault.Limited:
		v.RetryAfter(err)
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusTooManyRequests, problem: errorSentence("Your reply was not accepted:", err) + " What you wrote is still here."})
	case fault.Unavailable:
		return p.showReplyError(v, a, typed, replyFailure{
			status: http.StatusServiceUnavailable, sameKey: true,
			problem: "We can't accept your reply at the moment. What you wrote is still here: please try again later.",
		})
	case fault.Invalid:
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusUnprocessableEntity, problem: errorSentence("Your reply", err)})
	default:
		return err
	}
}

// replyFailure describes why and how a reply is shown again.
type replyFailure struct {
	status  int
	problem string
	sameKey bool // it may have been accepted: the form keeps its key, so that sending it again has no second effect
	unseen  bool // refused because of messages that the requester had not seen
}

// showReplyError shows the ticket with the reply in its form, or only the form if the ticket can't be loaded.
func (p *Pages) showReplyError(v *page.Visit, a access, typed string, how replyFailure) error {
	view, err := p.view(v, a)
	page := "ticket"
	if fault.KindOf(err) == fault.Unavailable {
		page, err = "reply", nil
		view = ticketView{Layout: v.Layout("Your reply", "/tickets")}
		view.Number, view.Writer, view.Reply.Key = a.number, a.draftOwner(v), view.IdempotencyKey()
	}
	if err != nil {
		return err
	}
	view.Reply.Body, view.Reply.Error, view.Reply.Again, view.Reply.Anyway = typed, how.problem, how.sameKey, how.unseen
	if how.status == http.StatusConflict { // decided under its key: a new key lets the same text be accepted later
		view.Reply.Key = view.IdempotencyKey()
	}
	if form, err := v.Form(); err == nil && how.sameKey && form.Get("once") != "" {
		view.Reply.Key = form.Get("once")
	}
	return v.ShowStatus(how.status, page, view)
}

// act handles forms without a message, such as confirming or withdrawing a ticket. done is the confirmation.
func (p *Pages) act(v *page.Visit, a access, verb ticket.Verb, done string) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	var f input.Fields
	r := input.Command(&f, verb, form)
	r.IdempotencyKey = v.IdempotencyKey()
	if err := f.Err(); err != nil {
		return err
	}
	outcome, err := p.command(v, a, r)
	switch kind := fault.KindOf(err); {
	case err != nil && (kind == fault.Conflict || kind == fault.Limited):
		v.Flash("%s", errorSentence("That was not possible:", err))
		return v.Refuse(ticketAddress(a.number))
	case err != nil:
		return err
	case outcome.unseen:
		v.Flash("We wrote to you in the meantime, so nothing was done. Please read our message first; you can then try again.")
		return v.Refuse(ticketAddress(a.number) + "#latest")
	case outcome.refused != nil:
		v.Flash("%s", errorSentence("That was not possible:", outcome.refused))
		return v.Refuse(ticketAddress(a.number))
	case outcome.decided:
		v.Flash("%s", done)
	}
	return v.Redirect(ticketAddress(a.number))
}

// outcome is the outcome of a command.
type outcome struct {
	duplicate bool // the command had been sent before
	decided   bool
	refused   error
	unseen    bool // refused because of messages that the requester had not seen
}

// command sends a command. An accepted command is stored, so if its outcome is not known in time, the page says that
// it is pending. Reporting an error would invite sending it twice.
func (p *Pages) command(v *page.Visit, a access, r desk.Request) (outcome, error) {
	r.Number = a.number
	answer := request.Ask(v.Context(), p.desk, a.requester, r)
	for tries := 0; answer.Err == nil && answer.Accepted.Again && time.Since(answer.Accepted.At) > repeatedFor && tries < maxRepeats; tries++ {
		r.IdempotencyKey = repeatKey(r.IdempotencyKey, answer.Accepted.At)
		answer = request.Ask(v.Context(), p.desk, a.requester, r)
	}
	o := answer.Outcome
	switch answer.State {
	case request.Failed:
		return outcome{}, answer.Err
	case request.Pending:
		v.Flash(pendingText)
		return outcome{}, nil
	case request.Refused:
		return outcome{duplicate: answer.Accepted.Again, decided: true, refused: fault.NewConflict(o.Code, "%s", o.Reason), unseen: o.Code == ticket.CodeUnseen}, nil
	default:
		return outcome{duplicate: answer.Accepted.Again, decided: true}, nil
	}
}

const (
	// repeatedFor is how long sending the same text again counts as a repetition by mistake.
	repeatedFor = time.Hour
	maxRepeats  = 10
)

// contentKey returns an idempotency key from the form's key and its text: the same text is accepted once, another text
// beside it.
func contentKey(v *page.Visit, words string) desk.IdempotencyKey {
	key := v.IdempotencyKey()
	if key.Key == "" {
		return key
	}
	key = request.OnceOf("", []byte(v.Path()), []byte(key.Key), []byte(words))
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
