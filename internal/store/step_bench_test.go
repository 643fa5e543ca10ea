package store_test

import (
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// BenchmarkStep decides notes, one a step, on 500 tickets, 16 at once as a worker does. Their acceptance is not counted.
func BenchmarkStep(b *testing.B) {
	const tickets, atOnce = 500, 16
	d := staffed(b, durable(b), string(policy.Holesalemart()))
	var numbers []ticket.Number
	for range tickets {
		n := d.submit(d.customer).Number
		if _, err := d.Step(b.Context(), ticket.StepRequest{Number: n, Command: 1}); err != nil {
			b.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	asked := make(chan ticket.StepRequest, b.N)
	for i := range b.N {
		a, err := d.Command(b.Context(), d.agent, desk.Request{Number: numbers[i%tickets], Verb: ticket.VerbNote, Body: "A note."})
		if err != nil {
			b.Fatal(err)
		}
		asked <- ticket.StepRequest{Number: a.Number, LastDelivery: 1, Command: a.Seq}
	}
	close(asked)
	b.ResetTimer()
	var steps sync.WaitGroup
	for range atOnce {
		steps.Go(func() {
			for r := range asked {
				if _, err := d.Step(b.Context(), r); err != nil {
					b.Error(err)
				}
			}
		})
	}
	steps.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "steps/s")
}
