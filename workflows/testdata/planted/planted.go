// Package planted breaks the rules of workflow code, once a function, so that a test sees workflowcheck find each.
package planted

import (
	crand "crypto/rand"
	"fmt"
	"math/rand"
	randv2 "math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func readsTheClock(workflow.Context) time.Time { return time.Now() }

func loadsAZone(workflow.Context) (*time.Location, error) { return time.LoadLocation("Europe/Berlin") }

func convertsToLocalTime(ctx workflow.Context) time.Time { return workflow.Now(ctx).Local() }

func namesTheLocalZone(ctx workflow.Context) time.Time { return workflow.Now(ctx).In(time.Local) }

func makesALocalTime(workflow.Context) time.Time { return time.Unix(0, 0) }

func readsTheEnvironment(workflow.Context) string { return os.Getenv("HOME") }

func asksForTheHost(workflow.Context) (string, error) { return os.Hostname() }

func printsToStdout(workflow.Context) { fmt.Fprintf(os.Stdout, "here") }

func drawsAnID(workflow.Context) string { return uuid.NewString() }

func drawsANumber(workflow.Context) ticket.Number { return ticket.NewNumber("HM") }

func drawsRandomBytes(workflow.Context) { _, _ = crand.Read(make([]byte, 8)) }

func rollsDice(workflow.Context) int { return rand.Intn(6) }

func rollsNewDice(workflow.Context) int { return randv2.IntN(6) }

func locks(workflow.Context) {
	var mu sync.Mutex
	mu.Lock()
	defer mu.Unlock()
}

func startsAGoroutine(workflow.Context) { go func() {}() }

func rangesOverAMap(_ workflow.Context, m map[string]int) (last string) {
	for last = range m {
	}
	return last
}

func computesADeadline(ctx workflow.Context, p *policy.Policy) (policy.Deadlines, error) {
	return p.DeadlinesFor(workflow.Now(ctx), policy.PriorityNormal)
}

func decidesByItself(_ workflow.Context, t ticket.Ticket, p *policy.Policy, c ticket.Command) (ticket.Result, error) {
	return ticket.Decide(t, ticket.Environment{Policy: p}, c)
}

func looksForWhatIsDue(_ workflow.Context, t ticket.Ticket, p *policy.Policy) bool {
	_, ok := ticket.Next(t, p)
	return ok
}
