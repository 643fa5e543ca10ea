package policy

import (
	"slices"
	"time"
)

// MaxLedger bounds a ledger, which a ticket that is paused or reclassified over and over would otherwise lengthen without
// end. A longer one has its oldest entries summed up, all but keptLedger of them. The events of a ticket's timeline hold
// every entry that there ever was.
const (
	MaxLedger  = 64
	keptLedger = 32
)

// fold sums up the first n entries: the start stays, and the pauses that still hold with their own instants; after them
// stands, at the nth entry's instant, what the others amount to. The clock counts, stands still and is due as before.
func (c Clock) fold(n int) Clock {
	before := c.asOf(n)
	sum := before.last()
	sum.Reason, sum.By, sum.Counts, sum.Was = "", 0, "", ""
	start := c.Ledger[0]
	start.Due = time.Time{} // that deadline was replaced by later ones, and must not be taken for one that was missed
	if missed, late := before.missed(sum.At); late {
		start.Due = missed
	}
	ledger := []Entry{start}
	for _, r := range before.Reasons() {
		ledger = append(ledger, before.heldSince(r))
	}
	slices.SortStableFunc(ledger, func(a, b Entry) int { return a.At.Compare(b.At) })
	add := func(act Act) *Entry {
		sum.Act = act
		ledger = append(ledger, sum)
		return &ledger[len(ledger)-1]
	}
	if was := c.asOf(1).Counts; was != before.Counts {
		e := add(ActAdopted)
		e.By, e.Was, e.Counts = before.target(), was, before.Counts
	} else if before.target() != c.Ledger[0].By {
		add(ActRetargeted).By = before.target()
	}
	if by := before.Extension(); by != 0 {
		add(ActExtended).By = by
	}
	if before.Settled() {
		add(ActSettled)
	}
	add(ActFolded)
	c.Folded += n - len(ledger)
	c.Ledger = append(ledger, c.Ledger[n:]...)
	return c
}

// heldSince is the entry by which a pause that still holds began.
func (c Clock) heldSince(r Reason) Entry {
	for i, e := range slices.Backward(c.Ledger) {
		if e.Act == ActResumed && e.Reason == r {
			break
		}
		if e.Act == ActPaused && e.Reason == r && !slices.Contains(Clock{Ledger: c.Ledger[:i]}.Reasons(), r) {
			return e
		}
	}
	return c.last()
}
