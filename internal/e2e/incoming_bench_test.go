package e2e_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// BenchmarkMailToPage measures the time from the answer 250 to a customer's email until an agent reads it on the ticket's open
// page, in Chromium, at a desk that does nothing else. An operation is 20 emails.
func BenchmarkMailToPage(b *testing.B) {
	browsertest.Require(b)
	s := start(b, "")
	m := s.addMailroom()
	number, receipt := m.open(newLetter("client@client.example", 100))
	page := s.window("agent@demo.example", browsertest.Look{})
	page.Goto("/desk/tickets/" + number)
	var took []time.Duration
	for b.Loop() {
		for range 20 { // at least, for the percentiles
			l := newLetter("client@client.example", 100).inReplyTo(receipt)
			s.agent.awaitStatus(number, "new")
			page.Settle()
			browsertest.Value[bool](page, noteArrival(l.token))
			m.deliver(l)
			accepted := time.Now()
			arrived := browsertest.Value[float64](page, "window.arrived") // by the clock of this machine, as accepted
			took = append(took, time.UnixMicro(int64(arrived*1000)).Sub(accepted))
		}
	}
	slices.Sort(took)
	for name, part := range map[string]int{"p50-ms": 50, "p95-ms": 95} {
		b.ReportMetric(float64(took[(len(took)-1)*part/100].Microseconds())/1000, name)
	}
}

// noteArrival returns an expression after which window.arrived is a promise of the time, in milliseconds since 1970, at which
// the conversation contained a text.
func noteArrival(text string) string {
	return `window.arrived = new Promise(arrived => {
		const changes = new MutationObserver(() => {
			if (document.querySelector("#conversation")?.innerText.includes("` + text + `")) {
				changes.disconnect();
				arrived(performance.timeOrigin + performance.now());
			}
		});
		changes.observe(document.body, {childList: true, subtree: true, characterData: true});
	}), true`
}
