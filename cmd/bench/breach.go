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

// breachesAlone measures how late breaches are recorded of tickets that are due one after the other.
func breachesAlone(b *bench) error {
	s, err := b.startWorking(fmt.Sprintf(breachPolicy, "UTC", "", "5s", "calendar"))
	if err != nil {
		return err
	}
	defer s.stop()
	n := b.scaled(b.settings.Alone)
	tick := time.NewTicker(1200 * time.Millisecond) // deadlines are whole seconds
	defer tick.Stop()
	for i := range n {
		if err := s.submit(b.ctx, i, i); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			return b.ctx.Err()
		}
	}
	late, err := s.breached(b.ctx, n)
	if err != nil {
		return err
	}
	b.report.add(millis("breach recorded after its instant, alone, p95", late.percentile(95), n))
	return nil
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
	bare, err := s.bareTimers(b, n)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("breach recorded after its instant, %d at once", n)
	const timers = "bare timers"
	b.report.add(
		millis(name+", p50", late.percentile(50), n).beside(inMillis(bare.percentile(50)), timers),
		millis(name+", p95", late.percentile(95), n).beside(inMillis(bare.percentile(95)), timers),
		millis(name+", the last", late.percentile(100), n).beside(inMillis(bare.percentile(100)), timers))
	return nil
}

// readyBefore is an error unless it is early enough before an instant.
func readyBefore(instant time.Time, what string) error {
	if !time.Now().Before(instant.Add(-5 * time.Second)) {
		return fmt.Errorf("the %s were not ready at their common instant: lower --at-once-pace", what)
	}
	return nil
}

// bareTimers returns how late n bare workflows notice a common instant.
func (s *stack) bareTimers(b *bench, n int) (*samples, error) {
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
	late := &samples{}
	err = bare.await(b.ctx, s, "the bare timers", func(c bareCounts) bool {
		late.all = c.Late
		return len(c.Late) >= n
	})
	return late, err
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
