package telemetry

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// namespace begins the names of all metrics of this program's own.
const namespace = "supportdesk"

// metrics are what this process has done since it started. What the database knows is read by a stateCollector instead.
type metrics struct {
	requests        *prometheus.CounterVec
	requestDuration *prometheus.HistogramVec

	accepted      *prometheus.CounterVec
	rejected      *prometheus.CounterVec
	outcomeWait   *prometheus.HistogramVec
	relayed       *prometheus.CounterVec
	relayLag      prometheus.Histogram
	relayWindow   prometheus.Gauge
	relayLatency  *prometheus.GaugeVec
	stepDuration  *prometheus.HistogramVec
	decided       *prometheus.CounterVec
	events        *prometheus.CounterVec
	breaches      *prometheus.CounterVec
	escalations   *prometheus.CounterVec
	dueEventDelay *prometheus.HistogramVec

	checks *prometheus.CounterVec

	settled      *prometheus.CounterVec
	deferred     *prometheus.CounterVec
	sendDuration *prometheus.HistogramVec

	received  *prometheus.CounterVec
	processed *prometheus.CounterVec
	postponed prometheus.Counter
}

// Buckets of durations, in seconds.
var (
	fastBuckets = []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2, 5}
	slowBuckets = []float64{.05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400}
)

func newMetrics() metrics {
	return metrics{
		requests:        counters("http_requests_total", "HTTP requests, by method, route and status. Requests that match no route have the route \"none\". A response that was cut has the status 500, or 499 if its client was gone.", "method", "route", "code"),
		requestDuration: histograms("http_request_duration_seconds", "Time until the end of an HTTP response. Event streams are not included.", fastBuckets, "method", "route"),

		accepted:    counters("commands_accepted_total", "Commands accepted by this process, by verb. A submission is the command \"submit\". Repetitions with the same idempotency key are not counted.", "verb"),
		rejected:    counters("commands_rejected_total", "Commands that were not accepted, by verb and kind of error.", "verb", "kind"),
		outcomeWait: histograms("command_outcome_wait_seconds", "Time that a request waited for the outcome of its command, by whether it was decided meanwhile.", fastBuckets, "decided"),
		relayed:     counters("relay_deliveries_total", "Attempts to deliver a command to its workflow, by way and result: \"ok\" or the kind of error. A process delivers what it accepts by the way \"direct\", only to workflows that run; what is \"not-found\" or fails there is delivered by \"relay\".", "way", "result"),
		relayLag:    histogram("relay_lag_seconds", "Time from the acceptance of a command to its delivery to its workflow. Acceptance is a whole second, so up to a second too long. Of an email it is the arrival, so the time until it was processed is included.", slowBuckets),
		relayWindow: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: namespace, Name: "relay_window", Help: "New tickets that the relay of this process starts before they have taken their first step. In a rush, others wait. In the process that has the lease of the window it follows the latencies, in others it is 2.",
		}),
		relayLatency: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: namespace, Name: "relay_latency_seconds", Help: "What the window follows: time from the start of a new ticket's workflow to its first step (\"start\"), or from the signal of a command to the next step of its ticket (\"command\"), as the median of the last ones; 0: there was none since the window changed.",
		}, []string{"of"}),
		stepDuration: histograms("step_duration_seconds", "Time of a step's transaction, by result: \"ok\" or the kind of error.", fastBuckets, "result"),
		decided:      counters("commands_decided_total", "Commands that steps decided, by verb and outcome: \"granted\" or \"refused\".", "verb", "outcome"),
		events:       counters("ticket_events_total", "Events that steps recorded, by kind.", "kind"),
		breaches:     counters("breaches_total", "Targets that were breached, by clock.", "clock"),
		escalations:  counters("escalations_total", "Escalation steps that fired, by clock.", "clock"),
		dueEventDelay: histograms("due_event_delay_seconds", "Time from when a reminder, breach, escalation step, nudge, resolution, closure or end of a snooze was due until a step recorded it, by the event's kind.",
			slowBuckets, "kind"),

		checks: counters("reconciler_checks_total", "Checks of overdue tickets by the reconciler, by what it found: \"missing\" (no workflow runs), \"restarted\", \"running\" (without progress) or \"trying\" (deliveries are being tried).", "found"),

		settled:      counters("deliveries_settled_total", "Emails and webhook calls that were settled, by queue and status: \"sent\", \"bounced\", \"failed\" or \"superseded\".", "queue", "status"),
		deferred:     counters("deliveries_deferred_total", "Attempts at emails and webhook calls that were rejected temporarily, or whose server was not reached, by queue. They are made again.", "queue"),
		sendDuration: histograms("delivery_send_duration_seconds", "Time to send an email to the mail server, or to call a webhook, by queue and result: \"ok\" or the kind of error.", slowBuckets, "queue", "result"),

		received:  counters("incoming_mails_received_total", "Incoming emails that were stored, by the way they came.", "source"),
		processed: counters("incoming_mails_processed_total", "Incoming emails that were processed, by status: \"accepted\", \"recorded\", \"quarantined\" or \"duplicate\".", "status"),
		postponed: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "incoming_mails_deferred_total", Help: "Attempts to process an incoming email that are made again later.",
		}),
	}
}

// initialize creates the series whose labels are known, at 0. The increase of a series that begins at 1 is 0, so otherwise the
// first failure would go unnoticed.
func (m metrics) initialize() {
	for _, q := range outbox.Queues() {
		m.deferred.WithLabelValues(string(q))
		for _, status := range []desk.DeliveryStatus{desk.DeliverySent, desk.DeliveryBounced, desk.DeliveryFailed, desk.DeliverySuperseded} {
			m.settled.WithLabelValues(string(q), string(status))
		}
	}
	for _, d := range ticket.Definitions() {
		m.accepted.WithLabelValues(string(d.Verb))
		for _, refused := range []bool{false, true} {
			m.decided.WithLabelValues(string(d.Verb), outcomeOf(ticket.Outcome{Refused: refused}))
		}
	}
	for _, clock := range policy.ClockNames() {
		m.breaches.WithLabelValues(string(clock))
		m.escalations.WithLabelValues(string(clock))
	}
	for _, way := range []Way{Direct, Relay} {
		m.relayed.WithLabelValues(string(way), resultOf(nil))
	}
	for _, of := range []string{latencyOfStart, latencyOfCommand} {
		m.relayLatency.WithLabelValues(of)
	}
	for _, found := range []desk.CheckResult{desk.FoundMissing, desk.FoundRestarted, desk.FoundRunning, desk.FoundTrying} {
		m.checks.WithLabelValues(string(found))
	}
	for _, source := range []desk.MailSource{desk.SourceLMTP, desk.SourceSMTP, desk.SourceIMAP, desk.SourceHTTP} {
		m.received.WithLabelValues(string(source))
	}
	for _, status := range []desk.IncomingStatus{desk.IncomingAccepted, desk.IncomingRecorded, desk.IncomingQuarantined, desk.IncomingDuplicate} {
		m.processed.WithLabelValues(string(status))
	}
	for _, decided := range []bool{false, true} {
		m.outcomeWait.WithLabelValues(strconv.FormatBool(decided))
	}
}

// all returns the collectors of all fields.
func (m metrics) all() []prometheus.Collector {
	return []prometheus.Collector{
		m.requests, m.requestDuration, m.accepted, m.rejected, m.outcomeWait, m.relayed, m.relayLag, m.relayWindow, m.relayLatency, m.stepDuration, m.decided,
		m.events, m.breaches, m.escalations, m.dueEventDelay, m.checks, m.settled, m.deferred, m.sendDuration, m.received, m.processed, m.postponed,
	}
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, labels)
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets})
}

// newRegistry returns a registry with the metrics of Go, of the process and of its version.
func newRegistry(o Options) *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with the program's version and the command that runs.",
	}, []string{"version", "process"})
	build.WithLabelValues(o.Version, o.Process).Set(1)
	r.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// seconds observes the time since an instant.
func seconds(o prometheus.Observer, since time.Time) { o.Observe(max(time.Since(since), 0).Seconds()) }
