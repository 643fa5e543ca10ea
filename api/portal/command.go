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

// pendingText is said of what was accepted and not decided in time. It is kept, whatever happens now.
const pendingText = "We have kept that. The desk is catching up at the moment, and this page shows it as soon as it is done."

// reply takes the requester's words. Whatever goes wrong, they come back in their form.
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
			problem: "We wrote to you while you were writing, so this has not been sent. Please read our message first; you can then change yours, or send it as it is.",
		})
	case outcome.refused != nil:
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusConflict, problem: errorSentence("Your reply was not taken:", outcome.refused)})
	}
	switch {
	case outcome.duplicate:
		v.Flash("You sent these words a moment ago: they are with us, once.")
	case outcome.decided:
		v.Flash("Your reply is with us.")
	}
	return v.Redirect(ticketAddress(a.number) + "#latest")
}

// replyError gives the words back after an error that is not theirs to mend.
func (p *Pages) replyError(v *page.Visit, a access, typed string, err error) error {
	switch fault.KindOf(err) {
	case fault.Conflict:
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusConflict, problem: errorSentence("Your reply was not taken:", err)})
	case fault.Limited:
		v.RetryAfter(err)
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusTooManyRequests, problem: errorSentence("Your reply was not taken:", err) + " It is still here."})
	case fault.Unavailable:
		return p.showReplyError(v, a, typed, replyFailure{
			status: http.StatusServiceUnavailable, sameKey: true,
			problem: "We can't take your reply at the moment. It is still here: please send it again in a while.",
		})
	case fault.Invalid:
		return p.showReplyError(v, a, typed, replyFailure{status: http.StatusUnprocessableEntity, problem: errorSentence("Your reply", err)})
	default:
		return err
	}
}

// replyFailure says how a reply that was not taken comes back.
type replyFailure struct {
	status  int
	problem string
	sameKey bool // it may have been taken after all: sent again, it is taken once
	unseen  bool // it crossed words of ours
}

// showReplyError shows the ticket with the reply in its form, and the form alone when the ticket can't be loaded.
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
	if how.status == http.StatusConflict { // decided: the same words may be taken later
		view.Reply.Key = view.IdempotencyKey()
	}
	if form, err := v.Form(); err == nil && how.sameKey && form.Get("once") != "" {
		view.Reply.Key = form.Get("once")
	}
	return v.ShowStatus(how.status, page, view)
}

// act does what a form without words asks for, such as to confirm or to withdraw a ticket.
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
		v.Flash("%s", errorSentence("That was not done:", err))
		return v.Refuse(ticketAddress(a.number))
	case err != nil:
		return err
	case outcome.unseen:
		v.Flash("We wrote to you in the meantime, so that was not done. Please read our message first; you can then do it all the same.")
		return v.Refuse(ticketAddress(a.number) + "#latest")
	case outcome.refused != nil:
		v.Flash("%s", errorSentence("That was not done:", outcome.refused))
		return v.Refuse(ticketAddress(a.number))
	case outcome.decided:
		v.Flash("%s", done)
	}
	return v.Redirect(ticketAddress(a.number))
}

// outcome is what became of a command.
type outcome struct {
	duplicate bool // it had been asked before
	decided   bool
	refused   error
	unseen    bool // refused because of words of ours that the requester had not seen
}

// command asks for something. What was accepted is kept, so whatever fails after that is told as later, and not as a
// failure: that would invite to say it twice.
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
	// repeatedFor is how long the same words count as sent by mistake when they are sent again.
	repeatedFor = time.Hour
	maxRepeats  = 10
)

// contentKey is the key of words that a form sends: the same words are taken once, and other words are taken beside them.
func contentKey(v *page.Visit, words string) desk.IdempotencyKey {
	once := v.IdempotencyKey()
	if once.Key == "" {
		return once
	}
	once = request.OnceOf("", []byte(v.Path()), []byte(once.Key), []byte(words))
	once.Key = "words:" + hex.EncodeToString(once.Fingerprint)
	return once
}

// repeatKey is the key of the same words when they are said again on purpose, long after the first time.
func repeatKey(once desk.IdempotencyKey, first time.Time) desk.IdempotencyKey {
	if once.Key == "" {
		return once
	}
	key, _, _ := strings.Cut(once.Key, "@")
	once.Key = fmt.Sprintf("%s@%d", key, first.Unix())
	return once
}

func ticketAddress(n ticket.Number) string { return "/tickets/" + string(n) }

// errorSentence says what is wrong, in one that a visitor may read.
func errorSentence(subject string, err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return subject + " can't be taken."
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
