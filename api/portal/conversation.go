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

// bubble is one message of the conversation.
type bubble struct {
	N     int
	Mine  bool
	Who   string
	Label string // what kind of message it is; empty for plain replies
	At    time.Time
	Body  string
	State string // pending (not decided yet), refused, crossed (refused because of unseen messages) or empty
}

// replyKey returns the key of the reply form. It changes only with a message from staff or a refusal, so that a reply
// that is sent again after the browser's back button is accepted once.
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

// conversation returns all messages, oldest first, followed by those that are not decided yet.
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

// nameOf returns the name of an entry's author as the requester may see it.
func nameOf(e desk.Entry) string {
	if e.Author.Name != "" {
		return e.Author.Name
	}
	return "The desk"
}

// timelineItem is one event of the timeline.
type timelineItem struct {
	At    time.Time
	Words string
	Class string // CSS class: good, warn, bad or empty
	Cause page.Cause
}

// timeline returns what happened to a ticket. The events of breaches are internal, so breaches are added from the
// clocks as far as the requester may see them.
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

// eventText describes an event to the requester. It is empty for events that are not shown.
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

// assignedText names the new assignee if the name is known: the event holds only the ID.
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

// refusalTexts says why a command of the requester was refused, by code.
var refusalTexts = map[string]string{
	ticket.CodeClosed:      "What you asked for came after the ticket was closed, and was not done.",
	ticket.CodeNotResolved: "You confirmed a resolution, but the ticket was not resolved any more.",
	ticket.CodeStatus:      "What you asked for could not be done at that time.",
	ticket.CodeNothing:     "What you asked for was done already.",
	ticket.CodeUnseen:      "What you asked for crossed a message of ours, and was not done.",
}
