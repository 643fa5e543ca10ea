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
	Files []desk.File
	Mail  page.MailMessage // the words of a message that came by email
	State string           // pending (not decided yet), refused, crossed (refused because of unseen messages) or empty
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
	ticket.EventInformationRequested: "asked you for information",
	ticket.EventProgressUpdated:      "sent a progress update",
	ticket.EventResolved:             "resolved your ticket",
}

// conversation returns all messages, oldest first, followed by those that are not decided yet.
func conversation(entries []desk.Entry, undecided []desk.PendingCommand, viewer desk.Person, mails page.MailView) []bubble {
	var bubbles []bubble
	for _, e := range entries {
		if e.Body == "" && e.HTML == "" && len(e.Files) == 0 {
			continue
		}
		b := bubble{N: e.N, Mine: e.By.ID == viewer.ID, Who: nameOf(e), Label: bubbleLabels[e.Kind], At: e.At, Body: e.Body, Files: e.Files, Mail: mails.MailMessage(e)}
		switch {
		case e.Code == ticket.CodeUnseen:
			b.State = "crossed"
		case e.Kind == ticket.EventRefused:
			b.State = "refused"
		}
		bubbles = append(bubbles, b)
	}
	for _, u := range undecided {
		if u.Body != "" || len(u.Files) > 0 {
			bubbles = append(bubbles, bubble{Mine: true, Who: viewer.Name, At: u.At, Body: u.Body, Files: u.Files, State: "pending"})
		}
	}
	return bubbles
}

// nameOf returns the name of an entry's author as the requester may see it.
func nameOf(e desk.Entry) string {
	if e.Author.Name != "" {
		return e.Author.Name
	}
	return "Our support team"
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
			lines = append(lines, timelineItem{At: at, Words: promiseLabels[name] + ": the target was missed.", Class: "bad"})
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
		return "You submitted the ticket."
	case ticket.EventAssigned:
		return assignedText(v, e)
	case ticket.EventCustomerReplied:
		return "You replied."
	case ticket.EventAgentReplied:
		return who + " replied."
	case ticket.EventInformationRequested:
		return who + " asked you for information."
	case ticket.EventProgressUpdated:
		return who + " sent you a progress update."
	case ticket.EventResolved:
		return endedText("resolved", e, who)
	case ticket.EventClosed:
		return endedText("closed", e, who)
	case ticket.EventReopened:
		return "The ticket was reopened."
	case ticket.EventHandedBack:
		return "Our email to you could not be delivered, so we are no longer waiting for your reply."
	case ticket.EventNudged:
		return "We reminded you that we need your reply."
	case ticket.EventPaused:
		return pausedText(e)
	case ticket.EventExtended:
		return "An emergency delays our responses: the dates have moved."
	case ticket.EventResumed:
		return "The emergency is over."
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
		return "An emergency: our response times are paused."
	}
	return "We are closed due to an emergency: our response times are paused."
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
		return "You confirmed that it is resolved. The ticket is closed."
	case ticket.CauseWithdrawn:
		return "You withdrew the ticket. It is closed."
	case ticket.CauseSilence:
		return "We didn’t hear from you, so the ticket was " + how + " automatically."
	default:
		return who + " " + how + " the ticket."
	}
}

// refusalTexts says why a command of the requester was refused, by code.
var refusalTexts = map[string]string{
	ticket.CodeClosed:      "Your action came after the ticket was closed and was not carried out.",
	ticket.CodeNotResolved: "You confirmed the resolution, but the ticket was no longer resolved.",
	ticket.CodeStatus:      "Your action was not possible at that time.",
	ticket.CodeNothing:     "Your action had already been carried out.",
	ticket.CodeUnseen:      "We wrote to you at the same time, so this was not done.",
}
