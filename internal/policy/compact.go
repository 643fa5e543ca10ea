package policy

import (
	"slices"
	"time"
)

// MaxLedger bounds the length of a ledger, which repeated pauses or changes of priority would otherwise extend without
// limit. When it is exceeded, all but the last keepEntries entries are compacted. The ticket's timeline keeps all of
// them.
const (
	MaxLedger   = 64
	keepEntries = 32
)

// compact replaces the first n entries by a summary: the start and the pauses in effect keep their instants, and the
// rest is summed up at the instant of the nth entry. The clock's usage, pauses and deadline don't change.
func (c Clock) compact(n int) Clock {
	before := c.asOf(n)
	sum := before.last()
	sum.Reason, sum.By, sum.Counts, sum.Was = "", 0, "", ""
	start := c.Ledger[0]
	start.Due = time.Time{} // it was replaced by later deadlines and must not count as missed
	if missed, late := before.missed(sum.At); late {
		start.Due = missed
	}
	ledger := []LedgerEntry{start}
	for _, r := range before.Reasons() {
		ledger = append(ledger, before.pausedSince(r))
	}
	slices.SortStableFunc(ledger, func(a, b LedgerEntry) int { return a.At.Compare(b.At) })
	add := func(act EntryKind) *LedgerEntry {
		sum.Kind = act
		ledger = append(ledger, sum)
		return &ledger[len(ledger)-1]
	}
	if was := c.asOf(1).Counts; was != before.Counts {
		e := add(EntryAdopted)
		e.By, e.Was, e.Counts = before.target(), was, before.Counts
	} else if before.target() != c.Ledger[0].By {
		add(EntryRetargeted).By = before.target()
	}
	if by := before.Extension(); by != 0 {
		add(EntryExtended).By = by
	}
	if before.Met() {
		add(EntryStopped)
	}
	add(EntryCompacted)
	c.Compacted += n - len(ledger)
	c.Ledger = append(ledger, c.Ledger[n:]...)
	return c
}

// pausedSince returns the entry that started a pause in effect.
func (c Clock) pausedSince(r Reason) LedgerEntry {
	for i, e := range slices.Backward(c.Ledger) {
		if e.Kind == EntryResumed && e.Reason == r {
			break
		}
		if e.Kind == EntryPaused && e.Reason == r && !slices.Contains(Clock{Ledger: c.Ledger[:i]}.Reasons(), r) {
			return e
		}
	}
	return c.last()
}
