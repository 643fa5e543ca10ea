package panel

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// line is an entry of the timeline: a message or an event.
type line struct {
	N     int
	At    time.Time
	Who   string
	From  string // style of the entry: requester, staff, note or refused
	Label string
	page.MessageView
	Channel  string // by which the message came, in words; may be empty
	Original int64  // the incoming mail that it was; 0: none
	Unsure   bool   // nothing confirms that Who sent that mail
	After    string // what else happened to the message
	Text     string // description of an event without a message
	Bad      bool
	Resend   int        // number of a mail that can be sent again; 0: none
	Own      bool       // the bounced mail was addressed to the requester
	Mine     bool       // written by the viewer
	Cause    page.Cause // the emergency that caused the event
}

func lines(entries []desk.Entry, customers []desk.Involved, layout page.Layout, shared shared, causes page.Causes, mails page.MailView) []line {
	viewer := layout.Person
	all := make([]line, 0, len(entries))
	for _, e := range entries {
		l := line{N: e.N, At: e.At, Who: actorName(e.By.Role, e.Author), Text: eventText(e, shared), Bad: slices.Contains(problems, e.Kind), Mine: e.By.ID == viewer.ID, Cause: causes.Of(e.Emergency)}
		l.From, l.Label = audience(e)
		l.Channel, l.Original, l.Unsure = page.ChannelName(e.Channel), e.Incoming, e.Sender == desk.SenderUnconfirmed
		l.MessageView = layout.Message(e, mails)
		if e.Bounce != nil && !e.Bounce.Resent && receives(e.Bounce.To, customers) {
			l.Resend, l.Own = e.Mail, e.Bounce.To.Role == ticket.RoleCustomer
		}
		if e.Kind == ticket.EventRefused && l.Said() {
			l.After = "Refused (" + humanize(e.Code) + "): it was not sent to the requester."
		}
		if e.Quiet {
			l.After = "No receipt was sent: a program may have written it, or its sender received too many automatic emails."
		}
		all = append(all, l)
	}
	return all
}

// receives reports whether emails about a ticket may be sent to a person, given its customers.
func receives(to desk.Ref, customers []desk.Involved) bool {
	return to.Role.Staff() || slices.ContainsFunc(customers, func(p desk.Involved) bool { return p.ID == to.ID && !p.Disabled })
}

// actorName returns the name of who caused an event: a person, a manual command or the desk itself.
func actorName(role ticket.Role, author desk.Ref) string {
	switch {
	case author.Name != "":
		return author.Name
	case role == ticket.RoleOperator:
		return "Temporal UI"
	default:
		return "The desk"
	}
}

// audience returns the style and the label of an entry, which show who can read it.
func audience(e desk.Entry) (from, label string) {
	from = "staff"
	if e.By.Role == ticket.RoleCustomer {
		from = "requester"
	}
	switch e.Kind {
	case ticket.EventNoted, ticket.EventAcknowledged:
		from = "note"
	case ticket.EventRefused:
		return "refused", "Refused: " + humanize(string(e.Verb))
	}
	label = cmp.Or(messageLabels[e.Kind], "Reply")
	switch {
	case e.Only != "" && e.By.Role == ticket.RoleCustomer:
		label += ", to staff alone"
	case e.Only != "":
		label += ", to the requester alone"
	case e.Kind == ticket.EventSubmitted && e.By.Role.Staff():
		label += ", entered for the requester"
	}
	return from, label
}

// messageLabels has the labels of events with a message, except for replies.
var messageLabels = map[ticket.EventKind]string{
	ticket.EventNoted:                "Internal note",
	ticket.EventAcknowledged:         "Escalation acknowledged, internal",
	ticket.EventSubmitted:            "Request",
	ticket.EventInformationRequested: "Request for information",
	ticket.EventProgressUpdated:      "Progress update",
	ticket.EventResolved:             "Resolution",
}

// problems are the events that are shown as something that went wrong.
var problems = []ticket.EventKind{
	ticket.EventBreached, ticket.EventEscalated, ticket.EventNoAgentAvailable, ticket.EventMailBounced, ticket.EventHandedBack,
	ticket.EventWebhookFailed, ticket.EventRefused,
}

// eventTexts describes events whose sentence is always the same.
var eventTexts = map[ticket.EventKind]string{
	ticket.EventNudged:            "The requester was reminded that the ticket is waiting for them",
	ticket.EventPaused:            "An emergency paused both clocks",
	ticket.EventExtended:          "An emergency extended both targets",
	ticket.EventResumed:           "The emergency is over",
	ticket.EventQuestionDelivered: "Our email reached the requester's mail server: their time to reply starts here",
	ticket.EventHandedBack:        "The requester could not be asked by email: the ticket is open again",
	ticket.EventWoke:              "The ticket woke up and is back in its queues",
}

// causeTexts says why a ticket was resolved or closed, if a person did not do it for a reason of their own.
var causeTexts = map[ticket.Cause]string{
	ticket.CauseRequester: ": resolution confirmed", ticket.CauseWithdrawn: ": withdrawn", ticket.CauseSilence: ": the requester did not reply",
}

// resentTexts describes the status that a ticket returns to when a bounced email is sent again.
var resentTexts = map[ticket.Status]string{
	ticket.StatusWaiting: ": the ticket is waiting for the requester again", ticket.StatusResolved: ": the ticket is resolved again",
}

// eventText describes an event without a message in one sentence.
func eventText(e desk.Entry, shared shared) string {
	actor := actorName(e.By.Role, e.Author)
	switch e.Kind {
	case ticket.EventNoAgentAvailable:
		if e.Promise != "" {
			return "No one else in the group " + e.Group + " is available to take the ticket over"
		}
		return "No one in the group " + e.Group + " is available to take the ticket"
	case ticket.EventAssigned:
		if e.Group != "" {
			return fmt.Sprintf("%s assigned the ticket to %s of the group %s%s", actor, shared.name(e.Handle), e.Group, breachSuffix(e.Promise))
		}
		if e.Assignee == e.By.ID {
			return actor + " took the ticket"
		}
		return actor + " assigned the ticket to " + shared.name(e.Handle)
	case ticket.EventReclassified:
		return actor + " changed " + changedFields(e)
	case ticket.EventResolved:
		return actor + " resolved the ticket" + causeTexts[e.Cause]
	case ticket.EventClosed:
		return actor + " closed the ticket" + causeTexts[e.Cause]
	case ticket.EventReopened:
		return actor + " reopened the ticket"
	case ticket.EventReminded:
		return "Reminder: the " + clockLabel(e.Promise) + " is due soon"
	case ticket.EventBreached:
		return "The " + clockLabel(e.Promise) + " is overdue: the target is breached"
	case ticket.EventEscalated:
		return fmt.Sprintf("Escalation step %d for the %s%s", e.EscalationStep, clockLabel(e.Promise), prioritySuffix(e))
	case ticket.EventAcknowledged:
		return actor + " acknowledged the escalation"
	case ticket.EventPolicyAdopted:
		return fmt.Sprintf("%s moved the ticket from policy version %d to version %d", actor, e.Was, e.Policy)
	case ticket.EventMailBounced:
		return bounceText(e)
	case ticket.EventMailResent:
		return actor + " sent the email again" + resentTexts[e.Status]
	case ticket.EventWebhookFailed:
		return "The webhook " + e.Webhook + " could not be notified"
	case ticket.EventSnoozed:
		return actor + " snoozed the ticket until " + e.Until.In(shared.zone).Format("Mon 2 Jan 2006, 15:04 MST")
	case ticket.EventParticipantAdded, ticket.EventParticipantRemoved, ticket.EventRequesterChanged:
		return peopleText(e, actor)
	case ticket.EventPersonMerged:
		return "A contact was merged into the account of " + e.Named.Name
	case ticket.EventRefused:
		return fmt.Sprintf("Refused: %s by %s (%s)", humanize(string(e.Verb)), actor, humanize(e.Code))
	default:
		return cmp.Or(eventTexts[e.Kind], actor+": "+humanize(string(e.Kind)))
	}
}

// peopleText says who joined or left the ticket, or became its requester.
func peopleText(e desk.Entry, actor string) string {
	switch {
	case e.Kind == ticket.EventParticipantAdded && e.Person == e.By.ID:
		return actor + " joined the ticket with an email"
	case e.Kind == ticket.EventParticipantAdded:
		return actor + " added " + e.Named.Name + " as a participant"
	case e.Kind == ticket.EventRequesterChanged:
		return actor + " made " + e.Named.Name + " the requester"
	case e.Person == e.By.ID:
		return actor + " left the ticket"
	default:
		return actor + " removed " + e.Named.Name
	}
}

// dueEventText describes the next due event.
func dueEventText(next ticket.DueEvent) string {
	switch next.Kind {
	case ticket.DueReminder:
		return "reminder that the " + clockLabel(next.Clock) + " is due soon"
	case ticket.DueBreach:
		return "the " + clockLabel(next.Clock) + " is due"
	case ticket.DueEscalation:
		return fmt.Sprintf("escalation step %d for the %s", next.EscalationStep, clockLabel(next.Clock))
	default:
		return cmp.Or(dueEventTexts[next.Kind], humanize(string(next.Kind)))
	}
}

// dueEventTexts describes due events whose sentence is always the same.
var dueEventTexts = map[ticket.DueKind]string{
	ticket.DueNudge:   "the requester is reminded that the ticket is waiting for them",
	ticket.DueResolve: "the ticket is resolved, as the requester did not reply",
	ticket.DueClose:   "the ticket closes permanently",
	ticket.DueWake:    "the ticket wakes up",
}

func changedFields(e desk.Entry) string {
	var changed []string
	if e.Priority != "" {
		changed = append(changed, "the priority to "+string(e.Priority))
	}
	if e.Category != "" {
		changed = append(changed, "the category to "+e.Category)
	}
	return strings.Join(changed, " and ")
}

// breachSuffix names the breach because of which an assignment rule reassigned the ticket. It is empty if there is
// none.
func breachSuffix(name policy.ClockName) string {
	if name == "" {
		return ""
	}
	return ", because the " + clockLabel(name) + " is overdue"
}

func prioritySuffix(e desk.Entry) string {
	if e.Priority == "" {
		return ""
	}
	return ": priority raised to " + string(e.Priority)
}

func bounceText(e desk.Entry) string {
	if e.Bounce == nil {
		return "An email could not be delivered"
	}
	return fmt.Sprintf("The email about the %s to %s could not be delivered", humanize(string(e.Bounce.Kind)), e.Bounce.To.Name)
}

func clockLabel(name policy.ClockName) string { return humanize(string(name)) }

// humanize turns an identifier such as "request-information" into words.
func humanize(word string) string { return strings.NewReplacer("-", " ", "_", " ").Replace(word) }
