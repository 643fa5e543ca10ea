package portal

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// bubble is one message of the conversation.
type bubble struct {
	page.MessageView // set by show

	N     int
	Mine  bool
	Who   string
	Label string // what kind of message it is; empty for plain replies
	At    time.Time
	Body  string
	State string // pending (not decided yet), refused, crossed (refused because of unseen messages) or empty

	entry desk.Entry
}

// show sets what is shown of the messages.
func show(bubbles []bubble, l page.Layout, mails page.MailView) {
	for i := range bubbles {
		bubbles[i].MessageView = l.Message(bubbles[i].entry, mails)
	}
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

// labelsForParticipants replaces those of bubbleLabels that address the requester.
var labelsForParticipants = map[ticket.EventKind]string{
	ticket.EventInformationRequested: "asked the requester for information",
	ticket.EventResolved:             "resolved the ticket",
}

// conversation returns all messages, oldest first, followed by those that are not decided yet.
func conversation(entries []desk.Entry, undecided []desk.PendingCommand, viewer desk.Person, participant bool) []bubble {
	var bubbles []bubble
	for _, e := range entries {
		if e.Body == "" && e.HTML == "" && len(e.Files) == 0 && len(e.LeftOut) == 0 {
			continue
		}
		b := bubble{N: e.N, Mine: e.By.ID == viewer.ID, Who: nameOf(e), Label: labelOf(e, participant), At: e.At, Body: e.Body, entry: e}
		if e.Only != "" && b.Mine {
			b.Label = "to our support team alone"
		}
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
			bubbles = append(bubbles, bubble{
				Mine: true, Who: viewer.Name, At: u.At, Body: u.Body, State: "pending", entry: desk.Entry{Body: u.Body, Format: u.Format, Files: u.Files},
			})
		}
	}
	return bubbles
}

// labelOf returns what an entry's author did with its message; empty for plain replies.
func labelOf(e desk.Entry, participant bool) string {
	switch label := labelsForParticipants[e.Kind]; {
	case e.Kind == ticket.EventSubmitted && e.By.Role.Staff():
		whom := "you"
		if participant {
			whom = "the requester"
		}
		label = "opened this ticket for " + whom
		if slices.Contains(desk.EnteredChannels(), e.Channel) {
			label += " (" + page.ChannelName(e.Channel) + ")"
		}
		return label
	case participant && label != "":
		return label
	}
	return bubbleLabels[e.Kind]
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
func timeline(v desk.View, entries []desk.Entry, viewer desk.Person, causes page.Causes) []timelineItem {
	var lines []timelineItem
	for _, e := range entries {
		if words := eventText(v, e, viewer); words != "" {
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

// eventText describes an event to the requester or a participant. It is empty for events that are not shown.
func eventText(v desk.View, e desk.Entry, viewer desk.Person) string {
	who, whom := nameOf(e), "you"
	if viewer.ID != v.Requester.ID {
		whom = "the requester"
	}
	switch e.Kind {
	case ticket.EventSubmitted:
		return submittedText(e, viewer, whom)
	case ticket.EventAssigned:
		return assignedText(v, e)
	case ticket.EventCustomerReplied:
		if e.By.ID != viewer.ID {
			return who + " replied."
		}
		return "You replied."
	case ticket.EventAgentReplied:
		return who + " replied."
	case ticket.EventInformationRequested:
		return who + " asked " + whom + " for information."
	case ticket.EventProgressUpdated:
		return who + " sent a progress update."
	case ticket.EventResolved:
		return endedText("resolved", e, who, whom)
	case ticket.EventClosed:
		return endedText("closed", e, who, whom)
	case ticket.EventReopened:
		return "The ticket was reopened."
	case ticket.EventHandedBack:
		return "Our email to " + whom + " could not be delivered, so we are no longer waiting for a reply."
	case ticket.EventNudged:
		return "We reminded " + whom + " that we need a reply."
	case ticket.EventPaused:
		return pausedText(e)
	case ticket.EventExtended:
		return "An emergency delays our responses: the dates have moved."
	case ticket.EventResumed:
		return "The emergency is over."
	case ticket.EventPolicyAdopted:
		return fmt.Sprintf("The ticket was moved from version %d to version %d of our policy.", e.Was, e.Policy)
	case ticket.EventParticipantAdded, ticket.EventParticipantRemoved, ticket.EventRequesterChanged:
		return peopleText(e, viewer)
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

// submittedText says who submitted the ticket: the requester, or a member of staff for them.
func submittedText(e desk.Entry, viewer desk.Person, requester string) string {
	switch {
	case e.By.ID == viewer.ID:
		return "You submitted the ticket."
	case e.By.Role.Staff():
		return nameOf(e) + " opened the ticket for " + requester + "."
	default:
		return nameOf(e) + " submitted the ticket."
	}
}

// peopleText says who joined or left the ticket, or became its requester.
func peopleText(e desk.Entry, viewer desk.Person) string {
	who, whom := nameOf(e), e.Named.Name
	if e.Person == viewer.ID {
		whom = "you"
	}
	switch {
	case e.Kind == ticket.EventParticipantAdded && e.Person == e.By.ID && e.Person == viewer.ID:
		return "You joined the ticket with an email."
	case e.Kind == ticket.EventParticipantAdded && e.Person == e.By.ID:
		return who + " joined the ticket with an email."
	case e.Kind == ticket.EventParticipantAdded:
		return who + " added " + whom + "."
	case e.Kind == ticket.EventRequesterChanged:
		return who + " made " + whom + " the requester."
	case e.Person == e.By.ID:
		return who + " left the ticket."
	default:
		return who + " removed " + whom + "."
	}
}

// endedText says who or what resolved or closed the ticket. requester is how the requester is called.
func endedText(how string, e desk.Entry, who, requester string) string {
	subject := strings.ToUpper(requester[:1]) + requester[1:]
	switch e.Cause {
	case ticket.CauseRequester:
		return subject + " confirmed that it is resolved. The ticket is closed."
	case ticket.CauseWithdrawn:
		return subject + " withdrew the ticket. It is closed."
	case ticket.CauseSilence:
		return "We didn’t hear from " + requester + ", so the ticket was " + how + " automatically."
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
