package desk

import "slices"

// Unseen picks the words that others wrote after the last entry that a person had seen, of a timeline as this person may
// read it.
func Unseen(timeline []Entry, by Person, seen int) []Entry {
	return slices.DeleteFunc(slices.Clone(timeline), func(e Entry) bool {
		return e.N <= seen || !e.Words() || e.By.ID == by.ID
	})
}

// LastEntry is the number of the last entry of a timeline as somebody may read it, for commands that say what their writer
// had seen. The submission stands in every timeline, also before the first step has recorded it.
func LastEntry(timeline []Entry) int {
	if len(timeline) == 0 {
		return 1
	}
	return timeline[len(timeline)-1].N
}
