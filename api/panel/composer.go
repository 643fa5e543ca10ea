package panel

import (
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// composerView is the composer. Each kind of message has its own form and text field, so that a note can't be sent as
// a reply by mistake.
type composerView struct {
	page.Layout
	Number      ticket.Number
	Status      ticket.Status
	Modes       []modeView // empty: no message can be written
	Recipients  recipientsView
	Canned      []desk.CannedReply
	Seen        int    // number of the last timeline entry that the page shows
	Unavailable string // why no message can be written
	Swap        bool
	Live        bool // a live update, which leaves typed text alone
}

type modeView struct {
	mode
	Action         string
	IdempotencyKey string // idempotency key of the form
	Body           string
	Alone          bool // for the requester alone
	Attach         page.AttachField
	Composer       page.Composer
	Mistake        string
	Unseen         []line // entries because of which the message was refused
	Chosen         bool
}

// messageKind is a kind of message, such as a reply or a note. The zero value is none.
type messageKind string

// kindNote is an internal note, which only staff read.
const kindNote messageKind = "note"

// parseKind parses a kind from an address. Unknown kinds are an error, so that a note is never sent as a reply.
func parseKind(word string) (messageKind, error) {
	kind := messageKind(word)
	if word != "" && !slices.ContainsFunc(modes, func(m mode) bool { return m.Key == kind }) {
		return "", fault.New(fault.Invalid, "there is no such kind of message")
	}
	return kind, nil
}

// Public reports whether the requester receives messages of this kind.
func (k messageKind) Public() bool {
	return !slices.ContainsFunc(modes, func(m mode) bool { return m.Key == k && m.verb.Internal() })
}

// mode is the composer's presentation of a verb that takes a message.
type mode struct {
	Key      messageKind
	Shortcut string
	verb     ticket.Verb
	Reads    string // who receives the message, and its effect
	Hint     string
	Send     string // label of the button
	Sending  string // shown while sending can be undone
}

// Name returns the label of the mode.
func (m mode) Name() string { return m.verb.Definition().Label }

func (m mode) path() string { return m.verb.Definition().For(ticket.RoleAgent)[0].Path }

// modes lists the composer's modes in the order of their tabs. Verbs of the registry that take a message and are not
// listed here follow with their labels.
var modes = withOtherVerbs([]mode{
	{
		Key: "reply", Shortcut: "r", verb: ticket.VerbAgentReply,
		Reads: "The requester gets this by email.", Hint: "Write to the requester", Send: "Send reply", Sending: "Sending reply",
	},
	{
		Key: "resolve", Shortcut: "e", verb: ticket.VerbResolve,
		Reads: "The requester gets this by email, and the ticket is resolved.", Hint: "Explain how it was resolved",
		Send: "Send and resolve", Sending: "Sending and resolving",
	},
	{
		Key: "request", Shortcut: "i", verb: ticket.VerbRequestInformation,
		Reads: "The requester gets this by email, and the ticket waits for their reply.", Hint: "Ask for what is missing",
		Send: "Send request", Sending: "Sending request",
	},
	{
		Key: "progress", Shortcut: "p", verb: ticket.VerbProgressUpdate,
		Reads: "The requester gets this by email. It does not count towards any target.", Hint: "Describe the progress so far",
		Send: "Send update", Sending: "Sending update",
	},
	{
		Key: kindNote, Shortcut: "n", verb: ticket.VerbNote,
		Reads: "Only staff can see this.", Hint: "Write to your colleagues", Send: "Save note", Sending: "Saving note",
	},
})

func withOtherVerbs(known []mode) []mode {
	for _, d := range ticket.Definitions() {
		had := slices.ContainsFunc(known, func(m mode) bool { return m.verb == d.Verb })
		if !had && d.InWords() && len(d.For(ticket.RoleAgent)) > 0 {
			known = append(known, mode{Key: messageKind(d.Verb), verb: d.Verb, Reads: d.Label, Hint: d.Label, Send: d.Label, Sending: d.Label})
		}
	}
	return known
}

// modeOf returns the mode of a verb. It panics if agents can't send the verb with a message.
func modeOf(verb ticket.Verb) mode {
	return modes[slices.IndexFunc(modes, func(m mode) bool { return m.verb == verb })]
}

func newComposer(view ticketView, record desk.View, canned []desk.CannedReply, d draft, limits desk.FileLimits) composerView {
	status := record.Ticket.Status
	c := composerView{Layout: view.Layout, Number: view.Number, Status: status, Canned: canned, Seen: view.Seen, Recipients: newRecipients(record)}
	if record.Ticket.Closed() {
		c.Unavailable = "This ticket is closed permanently. The requester can open a follow-up ticket that is linked to it."
	}
	for _, m := range modes {
		typed := d.kind == m.Key
		if !m.verb.Fits(status) && !(typed && (d.body != "" || len(d.files) > 0)) {
			continue // a draft is shown again even if the verb does not fit the status any more
		}
		mv := modeView{
			mode: m, Action: view.Post(m.path()), IdempotencyKey: view.IdempotencyKey(), Chosen: typed || d.kind == "" && len(c.Modes) == 0,
			Attach: page.AttachField{ID: "attach-" + string(m.Key), Upload: "/files", Limits: limits},
		}
		if len(c.Recipients.Cc) > 0 {
			mv.Reads = strings.Replace(mv.Reads, "The requester gets this", "They get this", 1)
		}
		if typed {
			mv.Attach.Attached = d.files
			mv.Composer = view.NewComposer(d.preview, d.body)
			mv.Body, mv.Alone, mv.Mistake, mv.Unseen = d.body, d.alone, d.mistake, view.Unseen
			if d.idempotencyKey != "" {
				mv.IdempotencyKey = d.idempotencyKey
			}
		}
		c.Modes = append(c.Modes, mv)
	}
	if d.kind != "" && d.kind.Public() && !c.chosen() && len(c.Modes) > 0 {
		c.Modes[0].Chosen = true
	}
	return c
}

// Placeholders returns the names of the placeholders of canned replies, separated by spaces.
func (c composerView) Placeholders() string { return strings.Join(desk.Placeholders(), " ") }

// Mistaken reports whether an error is shown beside the draft and need not be shown elsewhere.
func (c composerView) Mistaken() bool {
	return slices.ContainsFunc(c.Modes, func(m modeView) bool { return m.Mistake != "" })
}

func (c composerView) chosen() bool {
	return slices.ContainsFunc(c.Modes, func(m modeView) bool { return m.Chosen })
}
