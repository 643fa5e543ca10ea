package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// past is a ticket that is being imported, as a step would hold it, with what only an import writes.
type past struct {
	locked
	chronicle desk.Chronicle
	commands  []ticket.Command
	letters   []letterPast
	addressed int // how many of mails are among the letters
	dials     []callPast
	dialled   int // how many of calls are among the dials
	owed      int // mails and calls
}

// callPast is a webhook that counts as called.
type callPast struct {
	ticket.Call
	n  int
	at time.Time
}

// letterPast is a mail that counts as settled.
type letterPast struct {
	addressed
	n      int
	at     time.Time
	reason string // of its bounce; empty: it was sent
	told   int    // the event that tells of the bounce
}

// tell plays a chronicle up to now.
func (im *importing) tell(ctx context.Context, c desk.Chronicle) error {
	version := c.Policy
	if version == 0 {
		version = im.inForce
	}
	p, err := im.store.policy(ctx, im.tx, version)
	if err == nil {
		err = checkChronicle(c, p, im.now)
	}
	if err != nil {
		return err
	}
	t := &past{chronicle: c}
	// Nothing is mailed about the past, so silence counts from what asked: whatever came of a mail, came of it then.
	t.desk = ticket.Desk{Policy: p, Gate: im.gate, Unmailed: true}
	t.state.Ticket = ticket.Draft(c.Number, c.Deeds[0].By.ID, version, p)
	for i, d := range c.Deeds {
		if err := im.take(ctx, t, int64(i+1), d); err != nil {
			return err
		}
	}
	if err := im.advance(ctx, t, im.now); err != nil {
		return err
	}
	if err := t.checkRating(im.now); err != nil {
		return err
	}
	t.last, t.now, t.gateAt = t.state.Command, t.events[len(t.events)-1].At, im.now
	t.state = ticket.Keep(t.state.Ticket, p, t.state.Command, t.owed, im.now)
	im.tickets = append(im.tickets, t)
	return nil
}

func (im *importing) take(ctx context.Context, t *past, seq int64, d desk.Deed) error {
	if err := im.advance(ctx, t, d.At); err != nil {
		return err
	}
	c := ticket.Command{
		Seq: seq, Verb: d.Verb, By: d.By.Actor(), At: d.At.UTC(), Message: im.word(d), Handle: d.By.Handle,
		Priority: d.Priority, Category: d.Category,
	}
	if d.Verb == ticket.VerbAssign {
		agent := d.Agent
		if agent.ID == "" {
			agent = d.By
		}
		c.Assignee, c.Handle = agent.ID, agent.Handle
	}
	result, err := ticket.Take(t.state.Ticket, t.desk, c)
	if err != nil {
		return err
	}
	t.commands = append(t.commands, c)
	t.decisions = append(t.decisions, decision{seq, result.Outcome})
	t.state.Command = seq
	return im.happened(ctx, t, result)
}

// advance fires one moment at a time, so that what a mail's bounce adds stands beside the event that owed it.
func (im *importing) advance(ctx context.Context, t *past, until time.Time) error {
	for {
		next, ok := ticket.Next(t.state.Ticket, t.desk.Policy)
		to := until
		if ok && next.Due.Before(until) {
			to = next.Due
		}
		result, err := ticket.Advance(t.state.Ticket, t.desk, to)
		if err == nil {
			err = im.happened(ctx, t, result)
		}
		if err != nil || len(result.Events) == 0 {
			return err
		}
	}
}

// happened adds what a step made of the ticket, and settles the mails and calls that it owes.
func (im *importing) happened(ctx context.Context, t *past, result ticket.Result) error {
	t.add(result)
	for ; t.addressed < len(t.mails); t.addressed++ {
		mail := t.mails[t.addressed]
		if err := im.know(ctx, mail.Named); err != nil {
			return err
		}
		for _, m := range im.directory.address(mail) {
			if t.owes(m.Event, m.Person) {
				continue
			}
			if err := t.settle(m); err != nil {
				return err
			}
		}
	}
	for ; t.dialled < len(t.calls); t.dialled++ {
		call := t.calls[t.dialled]
		t.owed++
		t.dials = append(t.dials, callPast{call, t.owed, t.events[call.Event-1].At})
	}
	return nil
}

// know looks a handle up, the first time that a rung names it.
func (im *importing) know(ctx context.Context, handle string) error {
	if _, known := im.directory.handles[strings.ToLower(handle)]; known || handle == "" {
		return nil
	}
	seen := im.directory.handles
	if err := im.directory.look(ctx, im.tx, []string{handle}); err != nil {
		return err
	}
	maps.Copy(im.directory.handles, seen)
	return nil
}

// owes reports whether an event owes somebody a mail already: it owes nobody two.
func (t *past) owes(event int, person ticket.PersonID) bool {
	return slices.ContainsFunc(t.letters, func(l letterPast) bool { return l.Event == event && l.Person == person })
}

func (t *past) settle(mail addressed) error {
	t.owed++
	letter := letterPast{addressed: mail, n: t.owed, at: t.events[mail.Event-1].At, reason: t.chronicle.Undeliverable[mail.Person]}
	if letter.reason != "" {
		result, err := ticket.Bounce(t.state.Ticket, t.desk, letter.n, 0, letter.at)
		if err != nil {
			return err
		}
		t.add(result)
		letter.told = t.state.Ticket.Events
	}
	t.letters = append(t.letters, letter)
	return nil
}

// checkRating refuses an opinion that Rate would have refused, or that comes from the future.
func (t *past) checkRating(now time.Time) error {
	r := t.chronicle.Rating
	if r == nil {
		return nil
	}
	latest := now
	if closed := t.events[len(t.events)-1].At.Add(desk.RatingTime); t.state.Ticket.Closed() && closed.Before(now) {
		latest = closed
	}
	switch {
	case t.state.Ticket.Status != ticket.StatusResolved && !t.state.Ticket.Closed():
		return unimportable(t.chronicle, "it is rated and not resolved")
	case r.Score < desk.MinScore, r.Score > desk.MaxScore, utf8.RuneCountInString(r.Comment) > desk.MaxComment:
		return unimportable(t.chronicle, "its rating is out of bounds")
	case r.At.After(latest):
		return unimportable(t.chronicle, "its rating comes too late")
	}
	return nil
}

func unimportable(c desk.Chronicle, format string, args ...any) error {
	return fault.New(fault.Invalid, "ticket %q can't be imported: %s", string(c.Number), fmt.Sprintf(format, args...))
}

// checkChronicle refuses what nobody could have asked of this desk. What could be asked and was refused is fine.
func checkChronicle(c desk.Chronicle, p *policy.Policy, now time.Time) error {
	wrong := func(format string, args ...any) error { return unimportable(c, format, args...) }
	if n, err := ticket.ParseNumber(string(c.Number)); err != nil || n != c.Number {
		return wrong("that is no ticket's number")
	}
	if len(c.Deeds) == 0 || c.Deeds[0].Verb != ticket.VerbSubmit {
		return wrong("it doesn't begin with its submission")
	}
	first := c.Deeds[0]
	if !slices.Contains(p.Categories, first.Category) || !first.Priority.Valid() {
		return wrong("its policy has no category %q or priority %q", first.Category, string(first.Priority))
	}
	if length := utf8.RuneCountInString(first.Subject); length == 0 || length > desk.MaxSubject || first.Body == "" {
		return wrong("a submission has a subject of 1 to %d characters and a message", desk.MaxSubject)
	}
	var before time.Time
	for i, d := range c.Deeds {
		switch {
		case !ticket.MayAsk(d.By.Role, d.Verb), i > 0 && d.Verb == ticket.VerbSubmit:
			return wrong("%s may not ask for deed %d, %q", d.By.Role, i+1, string(d.Verb))
		case !d.At.Equal(d.At.Truncate(time.Second)), d.At.Before(before), d.At.After(now):
			return wrong("deed %d is not at a whole second, or before the one ahead of it, or in the future", i+1)
		case len(d.Body) > desk.MaxBody, i > 0 && d.Subject != "":
			return wrong("the words of deed %d are too long, or have a subject of their own", i+1)
		case d.Priority != "" && !d.Priority.Valid(), d.Agent.ID != "" && !d.Agent.Role.Staff():
			return wrong("deed %d names no priority, or nobody who works here", i+1)
		}
		before = d.At
	}
	return nil
}
