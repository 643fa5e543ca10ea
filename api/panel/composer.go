package panel

import (
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// composerView is where people write. Each kind of message has a form and a field of its own, so that a note can't
// become a reply by a slip.
type composerView struct {
	page.Layout
	Number      ticket.Number
	Status      ticket.Status
	Modes       []modeView // empty: nothing can be written
	Canned      []desk.CannedReply
	Seen        int    // the last entry of the timeline that the page shows
	Unavailable string // why there is nothing to write; empty when there is
	Swap        bool
	Live        bool // a live update: what is typed is left alone
}

type modeView struct {
	mode
	Action         string
	IdempotencyKey string // key of the form
	Body           string
	Mistake        string
	Unseen         []line // what had not been seen when it was refused for that
	Chosen         bool
}

// messageKind is what a message is to its ticket. The zero kind is none.
type messageKind string

// kindNote is the kind that only staff read.
const kindNote messageKind = "note"

// parseKind reads a kind from an address. A word that is none is refused: what was meant as a note must never become a
// reply.
func parseKind(word string) (messageKind, error) {
	if word == "" {
		return "", nil
	}
	for _, m := range modes {
		if string(m.Key) == word {
			return m.Key, nil
		}
	}
	return "", fault.New(fault.Invalid, "there is no such kind of message")
}

// Public reports whether the requester reads messages of this kind.
func (k messageKind) Public() bool {
	return !slices.ContainsFunc(modes, func(m mode) bool { return m.Key == k && m.verb.Internal() })
}

// mode is how the composer offers a verb that is asked for in words.
type mode struct {
	Key      messageKind
	Shortcut string
	verb     ticket.Verb
	Reads    string // who reads it, and what it does
	Hint     string
	Send     string // what the button says
	Sending  string // what is said while it can be taken back
}

// Name is what the kind of message is called.
func (m mode) Name() string { return m.verb.Definition().Label }

func (m mode) path() string { return m.verb.Definition().For(ticket.RoleAgent)[0].Path }

// modes are the composer's, in the order of their tabs: first those with words and a key of their own, then every other
// verb of the registry that agents ask for in words.
var modes = withOtherVerbs([]mode{
	{
		Key: "reply", Shortcut: "r", verb: ticket.VerbAgentReply,
		Reads: "The requester gets this by mail.", Hint: "Write to the requester", Send: "Send reply", Sending: "Sending reply",
	},
	{
		Key: "resolve", Shortcut: "e", verb: ticket.VerbResolve,
		Reads: "The requester gets this by mail, and the ticket is resolved.", Hint: "Say how it was solved",
		Send: "Send and resolve", Sending: "Sending and resolving",
	},
	{
		Key: "request", Shortcut: "i", verb: ticket.VerbRequestInformation,
		Reads: "The requester gets this by mail, and the ticket waits for their answer.", Hint: "Ask for what is missing",
		Send: "Send request", Sending: "Sending request",
	},
	{
		Key: "progress", Shortcut: "p", verb: ticket.VerbProgressUpdate,
		Reads: "The requester gets this by mail. It keeps no promise.", Hint: "Tell how far things are",
		Send: "Send update", Sending: "Sending update",
	},
	{
		Key: kindNote, Shortcut: "n", verb: ticket.VerbNote,
		Reads: "Only staff read this.", Hint: "Write for your colleagues", Send: "Save note", Sending: "Saving note",
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

// modeOf is the mode of a verb that agents ask for in words.
func modeOf(verb ticket.Verb) mode {
	return modes[slices.IndexFunc(modes, func(m mode) bool { return m.verb == verb })]
}

func newComposer(view ticketView, record desk.View, canned []desk.CannedReply, d draft) composerView {
	status := record.Ticket.Status
	c := composerView{Layout: view.Layout, Number: view.Number, Status: status, Canned: canned, Seen: view.Seen}
	if record.Ticket.Closed() {
		c.Unavailable = "This ticket is closed for good. The requester can open a follow-up ticket that is linked to it."
	}
	for _, m := range modes {
		typed := d.kind == m.Key
		if !m.verb.Fits(status) && !(typed && d.body != "") {
			continue // but what was typed is given back, whatever has happened to the ticket
		}
		mv := modeView{
			mode: m, Action: view.Post(m.path()), IdempotencyKey: view.IdempotencyKey(), Chosen: typed || d.kind == "" && len(c.Modes) == 0,
		}
		if typed {
			mv.Body, mv.Mistake, mv.Unseen = d.body, d.mistake, view.Unseen
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

// Placeholders are the names of what a canned reply leaves to be filled in.
func (c composerView) Placeholders() string { return strings.Join(desk.Placeholders(), " ") }

// Mistaken reports whether a mistake stands beside what was typed, so that it need not be told elsewhere.
func (c composerView) Mistaken() bool {
	return slices.ContainsFunc(c.Modes, func(m modeView) bool { return m.Mistake != "" })
}

func (c composerView) chosen() bool {
	return slices.ContainsFunc(c.Modes, func(m modeView) bool { return m.Chosen })
}
