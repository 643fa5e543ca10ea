package main

import (
	"context"
	"fmt"
	"time"
)

// breachPolicy has a first response that is due soon, and nothing else that happens soon.
const breachPolicy = `
name: Policy of a measurement
contact: desk@demo.example
time_zone: %s
%sclocks:
  first_response: {target: %s, counts: %s}
  resolution: {target: 10d, counts: calendar, pauses: [waiting, resolved]}
`

// bareTimers names what breaches are measured beside.
const bareTimers = "bare timers"

// breachesAlone measures how late breaches are recorded of tickets that are due one after the other, beside timers of bare
// workflows.
func breachesAlone(b *bench) error {
	s, err := b.startWorking(fmt.Sprintf(breachPolicy, "UTC", "", "5s", "calendar"))
	if err != nil {
		return err
	}
	defer s.stop()
	n := b.scaled(b.settings.Alone)
	if err := oneByOne(b.ctx, n, func(i int) error { return s.submit(b.ctx, i, i) }); err != nil {
		return err
	}
	late, err := s.breached(b.ctx, n)
	if err != nil {
		return err
	}
	bare, err := s.timersAlone(b.ctx, n)
	if err != nil {
		return err
	}
	b.report.add(
		millis("breach recorded after its instant, alone, p50", late.percentile(50), n).beside(inMillis(bare.percentile(50)), bareTimers),
		millis("breach recorded after its instant, alone, p95", late.percentile(95), n).beside(inMillis(bare.percentile(95)), bareTimers))
	return nil
}

// oneByOne calls do n times, more than a second apart, as deadlines are whole seconds.
func oneByOne(ctx context.Context, n int, do func(i int) error) error {
	tick := time.NewTicker(1200 * time.Millisecond)
	defer tick.Stop()
	for i := range n {
		if err := do(i); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// timersAlone returns how late n bare workflows notice their instants, which are apart.
func (s *stack) timersAlone(ctx context.Context, n int) (*samples, error) {
	bare, err := s.startBareWorker(ctx)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	err = oneByOne(ctx, n, func(int) error { return bare.start(ctx, s, 1, time.Now().Add(5*time.Second)) })
	if err != nil {
		return nil, err
	}
	return bare.late(ctx, s, n)
}

// breachesAtOnce measures how late breaches are recorded that happen at one instant, beside timers of bare workflows. The desk
// opens at an instant, so that the targets of all tickets that were submitted before end together.
func breachesAtOnce(b *bench) error {
	n := b.scaled(b.settings.AtOnce)
	// Enough for the tickets to be accepted and started.
	opens := time.Now().UTC().Add(30*time.Second + time.Duration(n)*time.Second/time.Duration(b.settings.AtOncePace)).Truncate(time.Minute).Add(time.Minute)
	due := opens.Add(10 * time.Second)
	zone, local := midday(opens)
	hours := ""
	for _, day := range []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		hours += fmt.Sprintf("  %s: [\"%s-23:00\"]\n", day, local.Format("15:04"))
	}
	s, err := b.startWorking(fmt.Sprintf(breachPolicy, zone, "hours:\n"+hours, "10s", "business_hours"))
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.fill(b.ctx, n); err != nil {
		return err
	}
	if err := readyBefore(due, "tickets"); err != nil {
		return err
	}
	late, err := s.breached(b.ctx, n)
	if err != nil {
		return err
	}
	bare, err := s.timersAtOnce(b, n)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("breach recorded after its instant, %d at once", n)
	b.report.add(
		millis(name+", p50", late.percentile(50), n).beside(inMillis(bare.percentile(50)), bareTimers),
		millis(name+", p95", late.percentile(95), n).beside(inMillis(bare.percentile(95)), bareTimers),
		millis(name+", the last", late.percentile(100), n).beside(inMillis(bare.percentile(100)), bareTimers))
	return nil
}

// readyBefore is an error unless it is early enough before an instant.
func readyBefore(instant time.Time, what string) error {
	if !time.Now().Before(instant.Add(-5 * time.Second)) {
		return fmt.Errorf("the %s were not ready at their common instant: lower --at-once-pace", what)
	}
	return nil
}

// timersAtOnce returns how late n bare workflows notice a common instant.
func (s *stack) timersAtOnce(b *bench, n int) (*samples, error) {
	bare, err := s.startBareWorker(b.ctx)
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	instant := time.Now().Add(10*time.Second + time.Duration(n)*time.Second/time.Duration(b.settings.AtOncePace))
	if err := bare.start(b.ctx, s, n, instant); err != nil {
		return nil, err
	}
	if err := readyBefore(instant, "bare workflows"); err != nil {
		return nil, err
	}
	return bare.late(b.ctx, s, n)
}

// midday returns a time zone in which an instant is between 12:00 and 13:00, so that the desk's day doesn't end soon.
func midday(at time.Time) (zone string, local time.Time) {
	ahead := 12 - at.UTC().Hour() // hours; zones of Etc have the opposite sign
	name := fmt.Sprintf("Etc/GMT%+d", -ahead)
	return name, at.UTC().Add(time.Duration(ahead) * time.Hour)
}

// breached waits for n breaches and returns how late each was recorded.
func (s *stack) breached(ctx context.Context, n int) (*samples, error) {
	if err := s.awaitCount(ctx, n, `SELECT count(*) FROM events WHERE kind = 'breached'`); err != nil {
		return nil, err
	}
	late := &samples{}
	rows, err := s.pool.Query(ctx, `SELECT extract(epoch FROM recorded_at - at)::float8 FROM events WHERE kind = 'breached'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var seconds float64
		if err := rows.Scan(&seconds); err != nil {
			return nil, err
		}
		late.add(time.Duration(seconds * float64(time.Second)))
	}
	return late, rows.Err()
}
