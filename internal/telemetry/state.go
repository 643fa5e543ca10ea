package telemetry

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Database reads what the database knows.
type Database interface {
	Workload(context.Context) (desk.Workload, error)
	DatabaseSessions(context.Context) (desk.DatabaseSessions, error) // also while tables are locked
	PoolStats() *pgxpool.Stat
}

const (
	stateEvery = 5 * time.Second // how long an answer is reused: a scrape every second costs no more than one every five
	stateTime  = 5 * time.Second // for one look, and for a scrape that waits for it: half of what Prometheus waits
	stateKept  = time.Minute     // how long an answer is served while later looks fail
)

// ServeState adds the metrics of the database and of Temporal. They are read when metrics are scraped, at most every stateEvery
// and never longer than stateTime. What can't be read is reported as such, and left out if the last answer is older than stateKept.
func (t *Telemetry) ServeState(db Database, temporal func(context.Context) error) error {
	if t == nil {
		return nil
	}
	return t.registry.Register(&stateCollector{
		db:       db,
		workload: cached[desk.Workload]{look: db.Workload, failed: t.warn("what the database knows can't be measured")},
		sessions: cached[desk.DatabaseSessions]{look: db.DatabaseSessions, failed: t.warn("the database does not answer, as metrics see it")},
		temporal: cached[struct{}]{
			look:   func(ctx context.Context) (struct{}, error) { return struct{}{}, temporal(ctx) },
			failed: t.warn("Temporal does not answer, as metrics see it"),
		},
	})
}

// cached is the answer to a question that costs something. Only one look is under way at a time, and it goes on if those who
// wait for it have gone, so that it may serve the next.
type cached[T any] struct {
	look   func(context.Context) (T, error)
	failed func(error) // is called with the error of a look

	mu     sync.Mutex
	began  time.Time     // the last look
	ended  time.Time     // the last look that did
	err    error         // of that one
	value  T             // the last answer
	at     time.Time     // of it; zero: there was none
	ending chan struct{} // closed when the look under way ends; nil: none is
}

// get returns the last answer and its time, which is zero if none is recent enough. The error is that of the last look that
// ended, or errHangs if one takes longer than it may.
func (c *cached[T]) get() (value T, at time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.ended) >= stateEvery {
		ending := c.begin()
		left := time.Until(c.began.Add(stateTime))
		c.mu.Unlock()
		select {
		case <-ending:
		case <-time.After(left):
		}
		c.mu.Lock()
	}
	err = c.err
	if c.ending != nil && time.Since(c.began) >= stateTime {
		err = errHangs
	}
	if time.Since(c.at) >= stateKept {
		return value, time.Time{}, err
	}
	return c.value, c.at, err
}

var errHangs = fault.New(fault.Unavailable, "there is no answer in time")

// begin begins a look unless one is under way, and returns the channel that is closed at its end.
func (c *cached[T]) begin() <-chan struct{} {
	if c.ending != nil {
		return c.ending
	}
	ending := make(chan struct{})
	c.ending, c.began = ending, time.Now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), stateTime)
		defer cancel()
		value, err := c.look(ctx)
		if err != nil {
			c.failed(err)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.err, c.ended, c.ending = err, time.Now(), nil
		if err == nil {
			c.value, c.at = value, c.ended
		}
		close(ending)
	}()
	return ending
}

// stateCollector collects what the database and Temporal say.
type stateCollector struct {
	db       Database
	workload cached[desk.Workload]
	sessions cached[desk.DatabaseSessions]
	temporal cached[struct{}]
}

// gauge describes a metric without a state of its own.
func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	descDatabase = gauge("database_up", "1 if the database answered the last look at its sessions, which needs no table; 0 if that failed, or takes longer than five seconds.")
	descAge      = gauge("database_read_age_seconds", "Time since the metrics of the database's tables were read. If that fails, or takes longer than five seconds, they are served for a minute longer, and are then missing, as this is.")
	descTemporal = gauge("temporal_up", "1 if Temporal answered the last look; 0 if that failed, or takes longer than five seconds.")

	descUndelivered       = gauge("commands_undelivered", "Accepted commands that the relay has yet to deliver, by kind: \"submission\", \"later\" (of tickets that exist) or \"retried\" (either, after a failed attempt). Imported tickets, whose commands were decided elsewhere, are not included.", "kind")
	descUndeliveredOldest = gauge("commands_undelivered_oldest_seconds", "Age of the oldest of them, since its acceptance; of an email that is its arrival, also if it was processed much later.", "kind")
	descUndecided         = gauge("commands_undecided", "Commands that were delivered and that no step has decided. Those of imported tickets, which were decided elsewhere, are not included.")
	descUndecidedOldest   = gauge("commands_undecided_oldest_seconds", "Age of the oldest of them, since its delivery.")
	descOverdue           = gauge("due_events_overdue", "Due events, such as reminders, breaches and escalation steps, that have not fired. Those of parked steps and those that an incoming email holds up are not included.")
	descOverdueOldest     = gauge("due_events_overdue_oldest_seconds", "Age of the oldest of them, since it was due.")

	descOwed       = gauge("deliveries_owed", "Emails and webhook calls that are owed, by queue and age: each counts once, at the first of 1m, 10m, 1h, 24h that it has not reached, or at \"older\".", "queue", "age")
	descOwedOldest = gauge("deliveries_owed_oldest_seconds", "Age of the oldest of them.", "queue")

	descIncoming          = gauge("incoming_mails_waiting", "Incoming emails that were received and not processed.")
	descIncomingOldest    = gauge("incoming_mails_waiting_oldest_seconds", "Age of the oldest of them.")
	descQuarantined       = gauge("incoming_mails_quarantined", "Incoming emails in quarantine.")
	descMissing           = gauge("workflows_missing", "Tickets that the reconciler found without a running workflow.")
	descStuck             = gauge("workflows_stuck", "Tickets that make no progress although their workflows run.")
	descParked            = gauge("steps_parked", "Tickets with a due event or a transition that can't be recorded.")
	descRestarted         = gauge("workflows_restarted_total", "Workflows that the reconciler has started again, in all processes.")
	descReconciled        = gauge("reconciler_last_round_timestamp_seconds", "When the reconciler last completed a round, in any process; 0: never.")
	descFanoutRunning     = gauge("emergency_fanout_running", "1 while open tickets are notified of an emergency's transition.")
	descFanoutFor         = gauge("emergency_fanout_running_seconds", "Time since the fan-out that runs began; 0: none runs.")
	descFanoutTickets     = gauge("emergency_fanout_tickets", "Tickets of the latest fan-out, by state: \"total\", \"notified\" (signals sent, repeated ones included) or \"behind\" (at the last check).", "state")
	descSessionsLocked    = gauge("database_lock_waits", "Sessions of the database that wait for a lock.")
	descSessionsLockedAge = gauge("database_lock_wait_oldest_seconds", "Time since the statement began that has waited the longest.")
	descSessionsIdle      = gauge("database_idle_transactions", "Sessions of the database that are idle in a transaction.")
	descSessionsIdleAge   = gauge("database_idle_transaction_oldest_seconds", "Time for which the longest of them has been idle.")

	descPoolMax      = gauge("database_pool_connections_max", "The most connections of this process's pool.")
	descPoolConns    = gauge("database_pool_connections", "Connections of this process's pool, by state: \"acquired\", \"idle\" or \"constructing\".", "state")
	descPoolAcquires = gauge("database_pool_acquires_total", "Connections acquired from the pool.")
	descPoolWaits    = gauge("database_pool_waits_total", "Connections acquired from the pool after waiting, since none was idle.")
	descPoolWaitTime = gauge("database_pool_wait_seconds_total", "Time waited for connections, in all.")
	descPoolCanceled = gauge("database_pool_canceled_acquires_total", "Waits for a connection that ended without one.")
)

// stateDescs are the descriptions of everything that a stateCollector collects.
var stateDescs = []*prometheus.Desc{
	descDatabase, descAge, descTemporal, descUndelivered, descUndeliveredOldest, descUndecided, descUndecidedOldest, descOverdue, descOverdueOldest,
	descOwed, descOwedOldest, descIncoming, descIncomingOldest, descQuarantined, descMissing, descStuck, descParked, descRestarted,
	descReconciled, descFanoutRunning, descFanoutFor, descFanoutTickets, descSessionsLocked, descSessionsLockedAge, descSessionsIdle,
	descSessionsIdleAge, descPoolMax, descPoolConns, descPoolAcquires, descPoolWaits, descPoolWaitTime, descPoolCanceled,
}

// Describe implements prometheus.Collector.
func (s *stateCollector) Describe(all chan<- *prometheus.Desc) {
	for _, d := range stateDescs {
		all <- d
	}
}

// Collect implements prometheus.Collector.
func (s *stateCollector) Collect(all chan<- prometheus.Metric) {
	c := collecting{all}
	var (
		asking             sync.WaitGroup
		temporal, database error
		sessions           desk.DatabaseSessions
		seen               time.Time
	)
	asking.Go(func() { _, _, temporal = s.temporal.get() })
	asking.Go(func() { sessions, seen, database = s.sessions.get() })
	w, at, _ := s.workload.get()
	asking.Wait()
	c.yes(descTemporal, temporal == nil)
	c.yes(descDatabase, database == nil)
	c.pool(s.db.PoolStats())
	if !seen.IsZero() {
		c.waiting(descSessionsLocked, descSessionsLockedAge, sessions.Locked)
		c.waiting(descSessionsIdle, descSessionsIdleAge, sessions.Idle)
	}
	if !at.IsZero() {
		c.value(descAge, time.Since(at).Seconds())
		c.workload(w)
	}
}

// collecting passes metrics on.
type collecting struct{ all chan<- prometheus.Metric }

func (c collecting) value(d *prometheus.Desc, v float64, labels ...string) {
	c.all <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func (c collecting) total(d *prometheus.Desc, v float64) {
	c.all <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v)
}

func (c collecting) yes(d *prometheus.Desc, is bool) {
	v := 0.0
	if is {
		v = 1
	}
	c.value(d, v)
}

func (c collecting) waiting(count, oldest *prometheus.Desc, w desk.Waiting, labels ...string) {
	c.value(count, float64(w.Count), labels...)
	c.value(oldest, w.Oldest.Seconds(), labels...)
}

func (c collecting) pool(s *pgxpool.Stat) {
	c.value(descPoolMax, float64(s.MaxConns()))
	c.value(descPoolConns, float64(s.AcquiredConns()), "acquired")
	c.value(descPoolConns, float64(s.IdleConns()), "idle")
	c.value(descPoolConns, float64(s.ConstructingConns()), "constructing")
	c.total(descPoolAcquires, float64(s.AcquireCount()))
	c.total(descPoolWaits, float64(s.EmptyAcquireCount()))
	c.total(descPoolWaitTime, s.EmptyAcquireWaitTime().Seconds())
	c.total(descPoolCanceled, float64(s.CanceledAcquireCount()))
}

func (c collecting) workload(w desk.Workload) {
	c.waiting(descUndelivered, descUndeliveredOldest, w.Submissions, "submission")
	c.waiting(descUndelivered, descUndeliveredOldest, w.Commands, "later")
	c.waiting(descUndelivered, descUndeliveredOldest, w.Retried, "retried")
	c.waiting(descUndecided, descUndecidedOldest, w.Undecided)
	c.waiting(descOverdue, descOverdueOldest, w.Overdue)
	c.waiting(descIncoming, descIncomingOldest, w.Incoming)
	c.value(descQuarantined, float64(w.Quarantined.Count))
	for _, o := range w.Deliveries {
		for i, n := range o.Ages {
			c.value(descOwed, float64(n), o.Queue, ageLabels[i])
		}
		c.value(descOwedOldest, o.Oldest.Seconds(), o.Queue)
	}
	c.value(descMissing, float64(w.Workflows.Missing))
	c.value(descStuck, float64(w.Workflows.Stuck))
	c.value(descParked, float64(w.Workflows.Parked))
	c.total(descRestarted, float64(w.Workflows.Restarted))
	reconciled := 0.0
	if at := w.Workflows.CheckedAt; !at.IsZero() {
		reconciled = float64(at.UnixMilli()) / 1000
	}
	c.value(descReconciled, reconciled)
	c.yes(descFanoutRunning, w.Fanout.Running)
	c.value(descFanoutFor, w.Fanout.For.Seconds())
	c.value(descFanoutTickets, float64(w.Fanout.Total), "total")
	c.value(descFanoutTickets, float64(w.Fanout.Notified), "notified")
	c.value(descFanoutTickets, float64(w.Fanout.Behind), "behind")
}

// ageLabels are the labels of desk.DeliveryAges.
var ageLabels = [len(desk.DeliveryAges) + 1]string{"1m", "10m", "1h", "24h", "older"}
