package panel

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// line is an entry of the timeline: words that somebody wrote, or something that happened.
type line struct {
	N      int
	At     time.Time
	Who    string
	From   string // requester, staff, note, refused: for whose eyes it is
	Label  string
	Body   string
	Parts  []part // the body, with its addresses as links
	After  string // what became of it besides
	Text   string // without words: what happened
	Bad    bool
	Resend int        // number of a mail that can be sent again; 0: none
	Own    bool       // it was the requester's
	Mine   bool       // the viewer's
	Cause  page.Cause // of what an emergency did
}

// part is a piece of a text; with a Link it leads there.
type part struct{ Text, Link string }

// address finds what may be made a link: nothing but the web, without the punctuation of a sentence at its end.
var webAddress = regexp.MustCompile(`https?://[^\s<>"']*[^\s<>"'.,;:!?)\]}]`)

func parts(text string) []part {
	var all []part
	from := 0
	for _, at := range webAddress.FindAllStringIndex(text, -1) {
		if at[0] > from {
			all = append(all, part{Text: text[from:at[0]]})
		}
		all = append(all, part{Text: text[at[0]:at[1]], Link: text[at[0]:at[1]]})
		from = at[1]
	}
	if from < len(text) {
		all = append(all, part{Text: text[from:]})
	}
	return all
}

func lines(entries []desk.Entry, shared common, causes page.Causes) []line {
	all := make([]line, 0, len(entries))
	for _, e := range entries {
		l := line{N: e.N, At: e.At, Who: who(e.By.Role, e.Author), Body: e.Body, Text: happening(e, shared), Bad: bad(e.Kind), Cause: causes.Of(e.Emergency)}
		l.From, l.Label = voice(e)
		if l.Body != "" {
			l.Parts = parts(e.Body)
		}
		if e.Bounce != nil && !e.Bounce.Resent {
			l.Resend, l.Own = e.Mail, e.Bounce.To.Role == ticket.RoleCustomer
		}
		if e.Kind == ticket.EventRefused && e.Body != "" {
			l.After = "It was refused (" + spoken(e.Code) + "): the requester did not get it."
		}
		all = append(all, l)
	}
	return all
}

// who names whoever acted.
func who(role ticket.Role, author desk.Ref) string {
	switch {
	case author.Name != "":
		return author.Name
	case role == ticket.RoleOperator:
		return "A hand in Temporal UI"
	default:
		return "The desk"
	}
}

// voice says for whose eyes words are, and what kind they are.
func voice(e desk.Entry) (from, label string) {
	from = "staff"
	if e.By.Role == ticket.RoleCustomer {
		from = "requester"
	}
	switch e.Kind {
	case ticket.EventNoted:
		return "note", "Internal note"
	case ticket.EventAcknowledged:
		return "note", "Escalation acknowledged, internal"
	case ticket.EventRefused:
		return "refused", "Refused: " + spoken(string(e.Verb))
	case ticket.EventSubmitted:
		return from, "Request"
	case ticket.EventInformationRequested:
		return from, "Request for information"
	case ticket.EventProgressUpdated:
		return from, "Progress update"
	case ticket.EventResolved:
		return from, "Resolution"
	default:
		return from, "Reply"
	}
}

func bad(k ticket.EventKind) bool {
	switch k {
	case ticket.EventBreached, ticket.EventEscalated, ticket.EventNoAgentAvailable, ticket.EventMailBounced, ticket.EventHandedBack, ticket.EventWebhookFailed, ticket.EventRefused:
		return true
	default:
		return false
	}
}

// happening tells an event that has no words in one sentence.
func happening(e desk.Entry, shared common) string { //nolint:funlen // a table
	actor := who(e.By.Role, e.Author)
	switch e.Kind {
	case ticket.EventNoAgentAvailable:
		if e.Promise != "" {
			return "Nobody else of the group " + e.Group + " is there to take the ticket over"
		}
		return "Nobody of the group " + e.Group + " is there to be given the ticket"
	case ticket.EventAssigned:
		if e.Group != "" {
			return fmt.Sprintf("%s gave the ticket to %s of the group %s%s", actor, shared.name(e.Handle), e.Group, broken(e.Promise))
		}
		if e.Assignee == e.By.ID {
			return actor + " took the ticket"
		}
		return actor + " gave the ticket to " + shared.name(e.Handle)
	case ticket.EventReclassified:
		return actor + " changed " + changes(e)
	case ticket.EventResolved:
		return actor + " resolved the ticket" + because(e.Cause)
	case ticket.EventClosed:
		return actor + " closed the ticket" + because(e.Cause)
	case ticket.EventReopened:
		return actor + " reopened the ticket"
	case ticket.EventReminded:
		return "Reminder: the " + promise(e.Promise) + " falls due soon"
	case ticket.EventBreached:
		return "The " + promise(e.Promise) + " is overdue: the promise is broken"
	case ticket.EventEscalated:
		return fmt.Sprintf("Escalated for the %s, rung %d%s", promise(e.Promise), e.EscalationStep, raised(e))
	case ticket.EventAcknowledged:
		return actor + " acknowledged the escalation"
	case ticket.EventNudged:
		return "The requester was reminded that the ticket waits for them"
	case ticket.EventPaused:
		return "An emergency stopped both clocks"
	case ticket.EventExtended:
		return "An emergency lengthened both promises"
	case ticket.EventResumed:
		return "The emergency is over: the clocks run again"
	case ticket.EventPolicyAdopted:
		return fmt.Sprintf("%s moved the ticket from version %d to version %d of the policy", actor, e.Was, e.Policy)
	case ticket.EventMailBounced:
		return bounced(e)
	case ticket.EventQuestionDelivered:
		return "Our mail reached the requester's mail server: their silence counts from then"
	case ticket.EventHandedBack:
		return "The requester could not be asked by mail: the ticket is open again"
	case ticket.EventMailResent:
		return actor + " sent the mail again" + sentAgain(e.Status)
	case ticket.EventWebhookFailed:
		return "The webhook " + e.Webhook + " could not be told"
	case ticket.EventSnoozed:
		return actor + " snoozed the ticket until " + e.Until.In(shared.zone).Format("Mon 2 Jan 2006, 15:04 MST")
	case ticket.EventWoke:
		return "The ticket woke, and is back in its queues"
	case ticket.EventRefused:
		return fmt.Sprintf("Refused: %s by %s (%s)", spoken(string(e.Verb)), actor, spoken(e.Code))
	default:
		return actor + ": " + spoken(string(e.Kind))
	}
}

// coming tells what happens next by itself, unless something else happens before.
func coming(next ticket.DueEvent) string {
	switch next.Kind {
	case ticket.DueReminder:
		return "reminder of the " + promise(next.Clock)
	case ticket.DueBreach:
		return "the " + promise(next.Clock) + " falls due"
	case ticket.DueEscalation:
		return fmt.Sprintf("escalation for the broken %s, rung %d", promise(next.Clock), next.EscalationStep)
	case ticket.DueNudge:
		return "the requester is reminded that the ticket waits for them"
	case ticket.DueResolve:
		return "the ticket is resolved, as the requester did not answer"
	case ticket.DueClose:
		return "the ticket closes for good"
	case ticket.DueWake:
		return "the ticket wakes"
	default:
		return spoken(string(next.Kind))
	}
}

func changes(e desk.Entry) string {
	var changed []string
	if e.Priority != "" {
		changed = append(changed, "the priority to "+string(e.Priority))
	}
	if e.Category != "" {
		changed = append(changed, "the category to "+e.Category)
	}
	return strings.Join(changed, " and ")
}

func because(c ticket.Cause) string {
	switch c {
	case ticket.CauseRequester:
		return ": the resolution is confirmed"
	case ticket.CauseWithdrawn:
		return ": withdrawn"
	case ticket.CauseSilence:
		return ": the requester did not answer"
	default:
		return ""
	}
}

// broken is the breach for which a rule gave the ticket away.
func broken(name policy.ClockName) string {
	if name == "" {
		return ""
	}
	return ", because the " + promise(name) + " is broken"
}

func raised(e desk.Entry) string {
	if e.Priority == "" {
		return ""
	}
	return ": priority raised to " + string(e.Priority)
}

// sentAgain is what a ticket is again since the mail that asks was.
func sentAgain(s ticket.Status) string {
	switch s {
	case ticket.StatusWaiting:
		return ": the ticket waits for the requester again"
	case ticket.StatusResolved:
		return ": the ticket is resolved again"
	default:
		return ""
	}
}

func bounced(e desk.Entry) string {
	if e.Bounce == nil {
		return "A mail could not be delivered"
	}
	return fmt.Sprintf("The mail about the %s to %s could not be delivered", spoken(string(e.Bounce.Kind)), e.Bounce.To.Name)
}

func promise(name policy.ClockName) string { return spoken(string(name)) }

// spoken turns a stable word into one that people say.
func spoken(word string) string { return strings.NewReplacer("-", " ", "_", " ").Replace(word) }
