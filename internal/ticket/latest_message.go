package ticket

// LatestMessages locates the latest messages in a ticket's timeline, so that for any reader the latest message of others is
// known. The requester's timeline is numbered separately, from 1 without gaps, since a gap would reveal an internal note.
type LatestMessages struct {
	Last   MessageRef `json:"last,omitzero"`
	Other  MessageRef `json:"other,omitzero"`   // the latest by anyone but the author of Last
	Listed int        `json:"listed,omitempty"` // number of entries of the requester's timeline
	Public int        `json:"public,omitempty"` // the latest of them with a message of staff
}

// MessageRef refers to a message in a timeline.
type MessageRef struct {
	N  int      `json:"n"` // number of its event
	By PersonID `json:"by"`
}

// HasMessage reports whether the event has a message for others to read. A refused command's message goes back to its author.
func (e Event) HasMessage() bool { return e.Message != 0 && e.Kind != EventRefused }

func (t *Ticket) applyMessage(e Event) {
	w := &t.LatestMessages
	if e.ListedFor(t.Requester) {
		w.Listed++
	}
	if !e.HasMessage() {
		return
	}
	if w.Last.By != e.By.ID {
		w.Other = w.Last
	}
	w.Last = MessageRef{N: e.N, By: e.By.ID}
	if e.Kind.Public() && e.By.Role != RoleCustomer {
		w.Public = w.Listed
	}
}

// Unseen returns the number of the latest message that someone else wrote and the actor may read, if it is after the last
// entry seen, and otherwise 0. Both numbers are those of the timeline that the actor reads.
func (w LatestMessages) Unseen(by Actor, seen int) int {
	latest := w.Last.N
	switch {
	case by.Role == RoleCustomer:
		latest = w.Public
	case w.Last.By == by.ID:
		latest = w.Other.N
	}
	if latest <= seen {
		return 0
	}
	return latest
}
