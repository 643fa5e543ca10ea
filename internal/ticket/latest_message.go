package ticket

// Written is where the latest words of a ticket stand in its timeline: enough to say, for anybody who may read it, what
// others have written last. The requester's timeline has numbers of its own, from 1 without a gap: a gap would say that
// staff had left a note.
type Written struct {
	Last   Words `json:"last,omitzero"`
	Other  Words `json:"other,omitzero"`   // the latest by anybody else than who wrote Last
	Listed int   `json:"listed,omitempty"` // how many entries the requester's timeline has
	Public int   `json:"public,omitempty"` // the latest of them that holds words of staff
}

// Words are one message of a timeline.
type Words struct {
	N  int      `json:"n"` // of its event
	By PersonID `json:"by"`
}

// Words reports whether an event holds words that others are to read. Those of a refused command were given back.
func (e Event) Words() bool { return e.Message != 0 && e.Kind != EventRefused }

func (t *Ticket) applyWords(e Event) {
	w := &t.Written
	if e.ListedFor(t.Requester) {
		w.Listed++
	}
	if !e.Words() {
		return
	}
	if w.Last.By != e.By.ID {
		w.Other = w.Last
	}
	w.Last = Words{N: e.N, By: e.By.ID}
	if e.Kind.Public() && e.By.Role != RoleCustomer {
		w.Public = w.Listed
	}
}

// Unseen is the number of the latest words that somebody else wrote and that an actor may read, if it is higher than what
// they have seen; else 0. Both count as in the timeline that the actor reads.
func (w Written) Unseen(by Actor, seen int) int {
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
