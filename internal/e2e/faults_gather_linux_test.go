package e2e_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/faulttest"
)

// unfinished counts what is not done yet: commands to deliver or decide, emails to send or to process, due events to come, and tickets
// to notify of an emergency. A ticket that it has paused, or whose deadlines have all passed, has no due event to come.
const unfinished = `SELECT (SELECT count(*) FROM undelivered) + (SELECT coalesce(sum(last_command - taken), 0) FROM tickets)
	+ (SELECT count(*) FROM deliveries WHERE status IN ('owed', 'held')) + (SELECT count(*) FROM incoming_mails WHERE status = 'received')
	+ (SELECT count(*) FROM tickets WHERE next_due < 'infinity') + (SELECT count(*) FROM emergencies WHERE ends_at > clock_timestamp())
	+ (SELECT count(*) FROM tickets WHERE status <> 'closed'
		AND transitions_until < (SELECT max(ends_at) FROM emergencies WHERE cancelled_at IS NULL AND ends_at <= clock_timestamp()))`

// hasten ends waits of minutes: announcements that a mail server has refused for the moment are due.
const hasten = `UPDATE deliveries SET not_before = '-infinity' WHERE queue = 'announcement' AND status = 'owed' AND not_before > clock_timestamp()`

// rest waits until nothing is left to do, for as long as something is done, and reports whether that was so.
func (d *faultyDesk) rest(ctx context.Context) bool {
	least, since, looked := -1, time.Now(), time.Now()
	for time.Since(since) < patience+30*time.Second { // workflows have two minutes to come back
		n, err := d.count(d.pool, unfinished)
		switch {
		case err == nil && n == 0:
			return true
		case err == nil && (n < least || least < 0):
			least, since = n, time.Now()
		}
		if time.Since(looked) > diagnosis {
			d.diagnose(ctx, n)
			looked = time.Now()
		}
		_, _ = d.pool.Exec(ctx, hasten)
		time.Sleep(200 * time.Millisecond) // between looks, not instead of one
	}
	d.t.Errorf("the desk does not come to rest: %d things are left to do", least)
	return false
}

// diagnosis is the interval at which what the desk still has to do is noted in the folder of logs.
const diagnosis = 10 * time.Second

// diagnose notes what some tickets wait for: their commands, what the reconciler found, and what Temporal says.
func (d *faultyDesk) diagnose(ctx context.Context, unfinished int) {
	file, err := os.OpenFile(filepath.Join(d.logs, "unfinished"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		d.t.Error(err)
		return
	}
	defer func() { _ = file.Close() }()
	var tickets, deliveries []struct{ Name, Row string }
	err = collect(ctx, d, &deliveries, `SELECT queue, row_to_json(d)::text FROM deliveries d WHERE status IN ('owed', 'held') AND ticket IS NULL ORDER BY n LIMIT 4`)
	_, _ = fmt.Fprintf(file, "%s %d things are left to do; among them %v\n", time.Now().Format(time.TimeOnly), unfinished, deliveries)
	if err == nil {
		err = collect(ctx, d, &tickets, `SELECT number, json_build_object('ticket', (SELECT row_to_json(x) FROM (SELECT status, taken, last_command, next_due, submitted_at) x),
			'undelivered', (SELECT json_agg(u) FROM undelivered u WHERE u.ticket = number), 'check', (SELECT row_to_json(c) FROM ticket_checks c WHERE c.ticket = number),
			'deliveries', (SELECT count(*) FROM deliveries o WHERE o.ticket = number AND status = 'owed'))::text
		FROM tickets WHERE taken < last_command OR next_due < clock_timestamp() - interval '5 seconds'
			OR status <> 'closed' AND transitions_until < (SELECT max(ends_at) FROM emergencies WHERE cancelled_at IS NULL AND ends_at <= clock_timestamp())
			OR EXISTS (SELECT FROM deliveries o WHERE o.ticket = number AND status = 'owed') ORDER BY next_due LIMIT 4`)
	}
	if err != nil {
		_, _ = fmt.Fprintln(file, err)
	}
	for _, t := range tickets {
		described, err := d.temporalClient().DescribeWorkflowExecution(ctx, t.Name, "")
		_, _ = fmt.Fprintf(file, "  %s %s\n    %v %s, pending: %v %v\n", t.Name, t.Row, err, described.GetWorkflowExecutionInfo().GetStatus(),
			described.GetPendingWorkflowTask(), described.GetPendingActivities())
	}
}

// gather reads from the outside what the desk holds. The doctor is asked until it finds nothing, for some time.
func (d *faultyDesk) gather(doctor time.Duration) faulttest.Facts {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	f := faulttest.Facts{Keys: map[string]int{}, Files: map[string]string{}, Steps: hastySteps, Targets: hastyTargets, Reminders: hastyReminders}
	d.mu.Lock()
	f.Faults = append(f.Faults, d.faults...)
	d.mu.Unlock()
	for _, read := range []func(context.Context, *faulttest.Facts) error{
		d.gatherTickets, d.gatherRows, d.gatherIncoming, d.gatherShown, d.gatherFiles, d.gatherRunning,
	} {
		if err := read(ctx, &f); err != nil {
			d.t.Error(err)
		}
	}
	for _, m := range d.mails.Messages() {
		f.Received = append(f.Received, faulttest.Mail{ID: m.MessageID, To: strings.Join(m.To, " "), Text: m.Text, At: m.ReceivedAt})
	}
	if out, well := d.doctorAtRest(doctor); !well {
		f.Doctor = strings.Split(strings.TrimSpace(out), "\n")
	}
	return f
}

// doctorAtRest asks the doctor. A worker that has just started has not looked for lost workflows yet, so it is asked again.
func (d *faultyDesk) doctorAtRest(wait time.Duration) (out string, well bool) {
	for deadline := time.Now().Add(wait); ; time.Sleep(time.Second) { // between looks, not instead of one
		if out, well = d.doctor(); well || time.Now().After(deadline) {
			return out, well
		}
	}
}

// collect reads rows, whose columns are the fields of T in order.
func collect[T any](ctx context.Context, d *faultyDesk, into *[]T, sql string) error {
	rows, _ := d.pool.Query(ctx, sql)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	*into = all
	return err
}

func (d *faultyDesk) gatherTickets(ctx context.Context, f *faulttest.Facts) error {
	type row struct {
		Number, Status, Follows string
		Submitted               time.Time
		Next                    *time.Time
		Undecided               int
	}
	var rows []row
	err := collect(ctx, d, &rows, `SELECT number, status, coalesce(follows, ''), submitted_at, nullif(next_due, 'infinity'), last_command - taken FROM tickets`)
	for _, r := range rows {
		t := faulttest.Ticket{Number: r.Number, Status: r.Status, Follows: r.Follows, Submitted: r.Submitted, Undecided: r.Undecided, Clocks: map[string]faulttest.Clock{}}
		if r.Next != nil {
			t.Next = *r.Next
		}
		f.Tickets = append(f.Tickets, t)
	}
	return err
}

func (d *faultyDesk) gatherRows(ctx context.Context, f *faulttest.Facts) error {
	if err := collect(ctx, d, &f.Messages, `SELECT m.ticket, m.body, (SELECT count(*) FROM events WHERE ticket = m.ticket AND message = m.id),
		coalesce((SELECT bool_or(o.refused) FROM commands c JOIN outcomes o USING (ticket, seq) WHERE c.message = m.id), false) FROM messages m`); err != nil {
		return err
	}
	if err := collect(ctx, d, &f.Events, `SELECT ticket, n, kind, at, recorded_at, coalesce(data->>'promise', ''), coalesce((data->>'escalation_step')::int, 0),
		coalesce(data->>'emergency', ''), coalesce(data->>'status', ''), coalesce((data->>'answers')::boolean, false) FROM events ORDER BY ticket, n`); err != nil {
		return err
	}
	if err := collect(ctx, d, &f.Deliveries, `SELECT queue, coalesce(ticket, ''), n, status, coalesce(d.address, p.address, ''), coalesce(kind, '')
		FROM deliveries d LEFT JOIN people p ON p.id = d.person`); err != nil {
		return err
	}
	if err := collect(ctx, d, &f.Emergencies, `SELECT id, starts_at, ends_at FROM emergencies WHERE kind = 'closed' AND cancelled_at IS NULL`); err != nil {
		return err
	}
	rows, _ := d.pool.Query(ctx, `SELECT key, count(*) FROM commands WHERE key IS NOT NULL GROUP BY key`)
	var key string
	var n int
	_, err := pgx.ForEachRow(rows, []any{&key, &n}, func() error { f.Keys[key] = n; return nil })
	return err
}

func (d *faultyDesk) gatherIncoming(ctx context.Context, f *faulttest.Facts) error {
	type row struct{ Status, Blob string }
	var rows []row
	if err := collect(ctx, d, &rows, `SELECT status, blob FROM incoming_mails ORDER BY id`); err != nil {
		return err
	}
	for _, r := range rows {
		i := faulttest.Incoming{Status: r.Status}
		content, _, err := d.blobs.Open(ctx, r.Blob)
		if err == nil {
			i.Raw, err = io.ReadAll(content)
			_ = content.Close()
		}
		if err == nil {
			var parsed *mail.Message
			if parsed, err = mail.ReadMessage(bytes.NewReader(i.Raw)); err == nil {
				i.ID = parsed.Header.Get("Message-Id")
			}
		}
		if err != nil {
			i.ID = fmt.Sprint(err) // so that the email counts as lost, and the reason is shown
		}
		f.Incoming = append(f.Incoming, i)
	}
	return nil
}

// shownClock is a clock as the API shows it.
type shownClock struct {
	Budget      int64     `json:"budget_seconds"`
	Used        int64     `json:"used_seconds"`
	Remaining   int64     `json:"remaining_seconds"`
	Due         time.Time `json:"due"`
	Running     bool      `json:"running"`
	MetAt       time.Time `json:"met_at"`
	BreachedAt  time.Time `json:"breached_at"`
	Explanation []struct {
		Running bool  `json:"running"`
		Used    int64 `json:"used_seconds"`
	} `json:"explanation"`
}

// gatherShown reads each ticket by the API.
func (d *faultyDesk) gatherShown(_ context.Context, f *faulttest.Facts) error {
	return d.each(f, func(t *faulttest.Ticket) error {
		var v struct {
			Clocks map[string]shownClock `json:"clocks"`
		}
		got, err := d.agent.try(http.MethodGet, "/tickets/"+t.Number, "", nil)
		if err == nil {
			err = got.into(&v)
		}
		for name, c := range v.Clocks {
			clock := faulttest.Clock{
				Budget: seconds(c.Budget), Used: seconds(c.Used), Remaining: seconds(c.Remaining),
				Due: c.Due, Running: c.Running, MetAt: c.MetAt, Breached: !c.BreachedAt.IsZero(),
			}
			for _, line := range c.Explanation {
				clock.Explained += seconds(line.Used)
				if !line.Running {
					clock.UsedWhilePaused += seconds(line.Used)
				}
			}
			t.Clocks[name] = clock
		}
		return err
	})
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// each calls do for each ticket, several at once.
func (d *faultyDesk) each(f *faulttest.Facts, do func(*faulttest.Ticket) error) error {
	var all errgroup.Group
	all.SetLimit(4)
	for i := range f.Tickets {
		all.Go(func() error { return do(&f.Tickets[i]) })
	}
	return all.Wait()
}

func (d *faultyDesk) gatherFiles(ctx context.Context, f *faulttest.Facts) error {
	for id := range d.acknowledged.Files {
		got, err := d.agent.send(ctx, d.base, http.MethodGet, "/files/"+id, "", "", nil)
		if err != nil {
			return err
		}
		if got.status == http.StatusOK {
			sum := sha256.Sum256(got.body)
			f.Files[id] = hex.EncodeToString(sum[:])
		}
	}
	return nil
}

// gatherRunning asks Temporal about each ticket's workflow. One that ends with its ticket's last step may take a moment to.
func (d *faultyDesk) gatherRunning(ctx context.Context, f *faulttest.Facts) error {
	c := d.temporalClient()
	ending, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return d.each(f, func(t *faulttest.Ticket) error {
		for {
			described, err := c.DescribeWorkflowExecution(ctx, t.Number, "")
			if _, missing := errors.AsType[*serviceerror.NotFound](err); err != nil && !missing {
				return err
			}
			t.Running = described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING
			if !t.Running || t.Status != "closed" || ending.Err() != nil {
				return nil //nolint:nilerr // it is NotFound: no workflow runs
			}
			time.Sleep(100 * time.Millisecond) // between looks, not instead of one
		}
	})
}
