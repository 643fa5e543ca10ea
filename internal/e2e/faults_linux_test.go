package e2e_test

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/holesalemart/supportdesk/internal/faulttest"
)

// Whatever happens to any part at any moment, several things at once: what was acknowledged is there once, what was promised
// happens once, and nothing stops for good. `make faults SEED=… TIME=…` runs it for longer. A seed repeats the schedule, and not
// what exactly it meets.
func TestFaults(t *testing.T) {
	t.Parallel()
	seed, long := faultsOf(t)
	t.Logf("the schedule of faults has the seed %d: make faults SEED=%d", seed, seed)
	d := openFaulty(t)
	d.calm(seed)
	if t.Failed() {
		t.Fatal("it fails without faults")
	}
	for round, began := 0, time.Now(); round == 0 || time.Since(began) < long || len(d.met) < 2 && round < mostRounds; round++ {
		d.faultyRound(seed, round)
		if t.Failed() {
			t.Fatalf("round %d of the seed %d fails: make faults SEED=%d", round, seed, seed)
		}
	}
	if len(d.met) < 2 {
		t.Errorf("kills met the notification of tickets of an emergency only so often: %v", d.met)
	}
	d.seesDamage()
}

// mostRounds is how many rounds there are at most until kills have met tickets being notified of both the start and the end of an
// emergency, if those of the first come too early or too late.
const mostRounds = 3

// calm has the same load and no faults. Nothing excuses an email that is received twice then.
func (d *faultyDesk) calm(seed uint64) {
	var never atomic.Bool
	load := d.load(seed, users, senders, &never)
	load.Go(func() {
		time.Sleep(calmEmergency)
		nothing := make(chan struct{}) // has to be waited for
		close(nothing)
		d.emergency(seed, nothing)
	})
	load.Wait()
	d.t.Log("no faults; the desk comes to rest")
	d.settle()
}

const calmEmergency = 5 * time.Second // after the beginning, when there are some tickets

// faultsOf reads SEED and TIME of `make faults`.
func faultsOf(t *testing.T) (seed uint64, long time.Duration) {
	t.Helper()
	var err error
	seed = mathrand.Uint64N(1_000_000)
	if text := os.Getenv("SUPPORTDESK_FAULTS_SEED"); text != "" {
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("SUPPORTDESK_FAULTS_TIME"); text != "" {
		if long, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	return seed, long
}

// faultyRound has every fault happen once under load, has the desk come to rest, and judges it.
func (d *faultyDesk) faultyRound(seed uint64, round int) {
	schedule := faulttest.Round(seed, round)
	d.came = map[faulttest.Notification]chan struct{}{faulttest.OfStart: make(chan struct{}), faulttest.OfEnd: make(chan struct{})}
	var stop atomic.Bool
	load := d.load(seed+uint64(round), users, senders, &stop)
	load.Go(func() {
		time.Sleep(schedule.Emergency)
		d.emergency(seed+uint64(round), d.came[faulttest.OfStart])
	})
	began := time.Now()
	d.round(schedule.Faults)
	stop.Store(true)
	load.Wait()
	d.t.Logf("round %d: %d faults within %s; the desk comes to rest", round, len(schedule.Faults), time.Since(began).Round(time.Second))
	d.settle()
}

// settle waits until the desk is at rest, and judges it.
func (d *faultyDesk) settle() {
	rested := time.Now()
	d.rest(d.t.Context())
	facts := d.gather(20 * time.Second)
	facts.Canaries = d.canaries()
	d.t.Logf("at rest after %s", time.Since(rested).Round(time.Second))
	d.verdict(faulttest.Judge(d.acknowledged, facts), facts)
}

const users, senders = 7, 4

// maxHistories is how many tickets' histories are kept.
const maxHistories = 5

var ticketNumber = regexp.MustCompile(`HM-[0-9A-Z]{10}`)

// keepHistory writes the history of a ticket's workflow to the folder of logs.
func (d *faultyDesk) keepHistory(number string) {
	d.t.Helper()
	var text strings.Builder
	events := d.temporalClient().GetWorkflowHistory(context.Background(), number, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			_, _ = fmt.Fprintln(&text, err)
			break
		}
		_, _ = fmt.Fprintln(&text, e.GetEventTime().AsTime().Format("15:04:05.000"), e.GetEventId(), e)
	}
	if err := os.WriteFile(filepath.Join(d.logs, number), []byte(text.String()), 0o600); err != nil {
		d.t.Error(err)
	}
}

// verdict shows the tally, and fails for each violation.
func (d *faultyDesk) verdict(r faulttest.Report, f faulttest.Facts) {
	d.t.Helper()
	d.t.Logf("\n%s", r)
	numbers := map[string]bool{r.Latest.Ticket: r.Latest.Ticket != ""}
	for _, v := range r.Violations {
		d.t.Error(v)
		if number := ticketNumber.FindString(v.Detail); number != "" && len(numbers) < maxHistories {
			numbers[number] = true
		}
	}
	for number := range numbers {
		d.keepHistory(number)
	}
	var all string
	for _, fault := range f.Faults {
		all += fmt.Sprintln(fault)
	}
	if err := os.WriteFile(filepath.Join(d.logs, "faults"), []byte(all+"\n"+r.String()), 0o600); err != nil {
		d.t.Error(err)
	}
}
