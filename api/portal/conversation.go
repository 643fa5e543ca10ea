package portal

import (
	"fmt"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// bubble is one message of a conversation.
type bubble struct {
	N     int
	Mine  bool
	Who   string
	Label string // what it is, where that is not plain: "asks you for something"
	At    time.Time
	Body  string
	State string // pending: kept and not decided yet; refused: not taken; crossed: not sent, as words of ours came first; else empty
}

// replyKey is the key of the reply form. It stays the same until the desk says something: when the browser goes back and
// the same words are sent again, they are taken once.
func replyKey(bubbles []bubble) string {
	key := "reply"
	for _, b := range bubbles {
		if !b.Mine || b.State == "refused" {
			key = fmt.Sprintf("reply-%d-%d", b.N, b.At.Unix())
		}
	}
	return key
}

var bubbleLabels = map[ticket.EventKind]string{
	ticket.EventInformationRequested: "needs something from you",
	ticket.EventProgressUpdated:      "tells you how far things are",
	ticket.EventResolved:             "has resolved your ticket",
}

// conversation gives everything that was said, oldest first, with what the desk has not taken yet at its end.
func conversation(entries []desk.Entry, undecided []desk.PendingCommand, viewer desk.Person) []bubble {
	var bubbles []bubble
	for _, e := range entries {
		if e.Body == "" {
			continue
		}
		b := bubble{N: e.N, Mine: e.By.ID == viewer.ID, Who: nameOf(e), Label: bubbleLabels[e.Kind], At: e.At, Body: e.Body}
		switch {
		case e.Code == ticket.CodeUnseen:
			b.State = "crossed"
		case e.Kind == ticket.EventRefused:
			b.State = "refused"
		}
		bubbles = append(bubbles, b)
	}
	for _, u := range undecided {
		if u.Body != "" {
			bubbles = append(bubbles, bubble{Mine: true, Who: viewer.Name, At: u.At, Body: u.Body, State: "pending"})
		}
	}
	return bubbles
}

// nameOf is whoever did something, as the requester may know them.
func nameOf(e desk.Entry) string {
	if e.Author.Name != "" {
		return e.Author.Name
	}
	return "The desk"
}

// timelineItem is one line of the plain timeline.
type timelineItem struct {
	At    time.Time
	Words string
	Class string // good, warn, bad, or empty
	Cause page.Cause
}

// timeline tells what happened to a ticket. What its promises say is part of it: the requester is told of one that was
// broken, though the event itself is staff's.
func timeline(v desk.View, entries []desk.Entry, causes page.Causes) []timelineItem {
	var lines []timelineItem
	for _, e := range entries {
		if words := eventText(v, e); words != "" {
			lines = append(lines, timelineItem{e.At, words, eventClasses[e.Kind], causes.Of(e.Emergency)})
		}
	}
	promised := v.Promised().ForRequester()
	for _, name := range policy.ClockNames() {
		if at := promised.Promise(name).BreachedAt; !at.IsZero() {
			lines = append(lines, timelineItem{At: at, Words: promiseLabels[name] + ": the promised time passed without it.", Class: "bad"})
		}
	}
	slices.SortStableFunc(lines, func(a, b timelineItem) int { return a.At.Compare(b.At) })
	return lines
}

var eventClasses = map[ticket.EventKind]string{
	ticket.EventInformationRequested: "warn", ticket.EventNudged: "warn", ticket.EventHandedBack: "warn", ticket.EventResolved: "good", ticket.EventClosed: "good",
	ticket.EventPaused: "warn", ticket.EventExtended: "warn", ticket.EventRefused: "bad",
}

// eventText is an event in a sentence to the requester.
func eventText(v desk.View, e desk.Entry) string {
	who := nameOf(e)
	switch e.Kind {
	case ticket.EventSubmitted:
		return "You sent your request."
	case ticket.EventAssigned:
		return assignedText(v, e)
	case ticket.EventCustomerReplied:
		return "You wrote to us."
	case ticket.EventAgentReplied:
		return who + " answered."
	case ticket.EventInformationRequested:
		return who + " asked you for something."
	case ticket.EventProgressUpdated:
		return who + " told you how far things are."
	case ticket.EventResolved:
		return endedText("resolved", e, who)
	case ticket.EventClosed:
		return endedText("closed", e, who)
	case ticket.EventReopened:
		return "The ticket was opened again."
	case ticket.EventHandedBack:
		return "Our mail could not be delivered to your address, so the ticket is with us again. Nothing is held against you."
	case ticket.EventNudged:
		return "We reminded you that we need your answer."
	case ticket.EventPaused:
		return pausedText(e)
	case ticket.EventExtended:
		return "An emergency delays our answers: the promised times are later now."
	case ticket.EventResumed:
		return "The emergency is over: the promised times run again."
	case ticket.EventPolicyAdopted:
		return fmt.Sprintf("Your ticket was moved from version %d to version %d of our policy.", e.Was, e.Policy)
	case ticket.EventRefused:
		return refusalTexts[e.Code]
	default:
		return ""
	}
}

func pausedText(e desk.Entry) string {
	if !ticket.EmergencyID(e.Emergency).Valid() {
		return "An emergency: the promised times stand still."
	}
	return "An emergency closed our desk: the promised times stand still."
}

// assignedText names whoever the ticket went to, where that is known: an event holds their ID only.
func assignedText(v desk.View, e desk.Entry) string {
	switch {
	case e.By.ID == e.Assignee && e.Author.Name != "":
		return e.Author.Name + " is looking after your ticket."
	case v.Assignee != nil && v.Assignee.ID == e.Assignee:
		return v.Assignee.Name + " is looking after your ticket."
	default:
		return "One of our agents is looking after your ticket."
	}
}

func endedText(how string, e desk.Entry, who string) string {
	switch e.Cause {
	case ticket.CauseRequester:
		return "You confirmed that it is settled. The ticket is closed."
	case ticket.CauseWithdrawn:
		return "You took the ticket back. It is closed."
	case ticket.CauseSilence:
		return "We heard nothing from you, so the ticket counts as " + how + "."
	default:
		return who + " " + how + " the ticket."
	}
}

// refusalTexts say why something that the requester asked for was not done.
var refusalTexts = map[string]string{
	ticket.CodeClosed:      "What you asked for came after the ticket was closed, and was not done.",
	ticket.CodeNotResolved: "You confirmed a resolution, but the ticket was not resolved any more.",
	ticket.CodeStatus:      "What you asked for could not be done at that time.",
	ticket.CodeNothing:     "What you asked for was done already.",
	ticket.CodeUnseen:      "What you asked for crossed a message of ours, and was not done.",
}
