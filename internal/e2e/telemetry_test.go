package e2e_test

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// collector is a server that receives spans by OTLP over HTTP.
type collector struct {
	url string

	mu    sync.Mutex
	raw   bytes.Buffer
	spans []receivedSpan
}

// receivedSpan is a span with the process that sent it.
type receivedSpan struct {
	process, name             string
	trace, id, parent         string
	ticket, command, delivery string
	attributes                map[string]string
}

func startCollector(t testing.TB) *collector {
	t.Helper()
	c := &collector{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.receive(r); err != nil {
			t.Errorf("a request of the exporter: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *collector) receive(r *http.Request) error {
	if r.URL.Path != "/v1/traces" {
		return fmt.Errorf("path %s", r.URL.Path)
	}
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(r.Body)
		if err != nil {
			return err
		}
		body = unzipped
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var sent collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(raw, &sent); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(raw)
	for _, resource := range sent.GetResourceSpans() {
		process := texts(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				attributes := texts(s.GetAttributes())
				c.spans = append(c.spans, receivedSpan{
					process: process, name: s.GetName(), trace: hex.EncodeToString(s.GetTraceId()), id: hex.EncodeToString(s.GetSpanId()),
					parent: hex.EncodeToString(s.GetParentSpanId()), ticket: attributes["supportdesk.ticket"],
					command: attributes["supportdesk.command"], delivery: attributes["supportdesk.delivery"], attributes: attributes,
				})
			}
		}
	}
	return nil
}

func texts(all []*commonpb.KeyValue) map[string]string {
	values := map[string]string{}
	for _, a := range all {
		switch v := a.GetValue().GetValue().(type) {
		case *commonpb.AnyValue_StringValue:
			values[a.GetKey()] = v.StringValue
		default:
			values[a.GetKey()] = fmt.Sprint(a.GetValue().GetIntValue())
		}
	}
	return values
}

// find returns the spans that match.
func (c *collector) find(match func(receivedSpan) bool) []receivedSpan {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.spans), func(s receivedSpan) bool { return !match(s) })
}

// await waits for a span of a process with a name, in a trace unless that is empty, and returns it.
func (c *collector) await(t testing.TB, trace, process, name string) (found receivedSpan) {
	t.Helper()
	eventually(t, process+" sends the span "+name, func() (bool, string) {
		all := c.find(func(s receivedSpan) bool {
			return s.process == process && s.name == name && (trace == "" || s.trace == trace)
		})
		if len(all) == 0 {
			return false, fmt.Sprint(c.find(func(receivedSpan) bool { return true }))
		}
		found = all[0]
		return true, ""
	})
	return found
}

// scrape returns the values of metrics by their names and labels as Prometheus writes them, such as a{b="c"}.
func scrape(t testing.TB, address string) map[string]float64 {
	t.Helper()
	values, err := tryScrape(address)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func tryScrape(address string) (map[string]float64, error) {
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s", response.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			key := name
			if len(labels) > 0 {
				key += "{" + strings.Join(labels, ",") + "}"
			}
			switch {
			case m.Counter != nil:
				values[key] = m.GetCounter().GetValue()
			case m.Gauge != nil:
				values[key] = m.GetGauge().GetValue()
			case m.Histogram != nil:
				values[key+" count"] = float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return values, nil
}

// A request, its command, the signal, the step and the mails are one trace, although two processes make it and PostgreSQL lies
// between them. Neither its spans nor the metrics contain anything that people wrote or are called.
func TestTelemetry_followsACommandFromTheRequestToTheMail(t *testing.T) {
	t.Parallel()
	c := startCollector(t)
	metrics := map[string]string{"api": freeAddress(t), "worker": freeAddress(t)}
	s := startTraced(t, metrics, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.url, "OTEL_BSP_SCHEDULE_DELAY=100", "SUPPORTDESK_LOG_FORMAT=json",
		"SUPPORTDESK_TRUSTED_PROXIES=127.0.0.1")
	canary := s.invite("customer", "canary-address@demo.example", "--name", "Canary-Name")
	number := canary.must(http.StatusCreated, http.MethodPost, "/tickets", words{"subject": "Canary-Subject", "body": "Canary-Body"}).number(t)
	s.mails.WaitCount(t, 1)

	const traced = "4bf92f3577b34da6a3ce929d0e0e4736"
	reply := s.traced(traced, s.post(s.agent, "/tickets/"+number+"/replies", words{"body": "Canary-Reply"}))
	if reply.status != http.StatusOK {
		t.Fatalf("the reply: %d %s", reply.status, reply.body)
	}
	request := c.await(t, traced, "supportdesk-api", "POST /api/v1/tickets/:number/replies")
	accepted := c.await(t, traced, "supportdesk-api", "accept agent-reply")
	signal := c.await(t, traced, "supportdesk-api", "signal agent-reply")
	step := c.await(t, traced, "supportdesk-worker", "step")
	sent := c.await(t, traced, "supportdesk-worker", "send")
	sender := step
	if sent.parent != step.id { // it took the step too long to send the email itself
		sender = c.await(t, traced, "supportdesk-worker", "deliver")
	}
	for _, link := range []struct{ child, parent receivedSpan }{
		{accepted, request}, {signal, accepted}, {step, accepted}, {sent, sender},
	} {
		if link.child.parent != link.parent.id {
			t.Errorf("the parent of %q is %s, not %q (%s)", link.child.name, link.child.parent, link.parent.name, link.parent.id)
		}
	}
	for _, span := range []receivedSpan{accepted, signal, step} {
		if span.ticket != number || span.command != "2" {
			t.Errorf("%q is of command %s of %s", span.name, span.command, span.ticket)
		}
	}
	if step.attributes["supportdesk.verb"] != "agent-reply" || step.attributes["supportdesk.outcome"] != "granted" {
		t.Errorf("the step decided %v", step.attributes)
	}
	s.traceOthers(c)
	s.traceEmail(c)
	s.api.stop() // which sends what is left
	s.worker.stop()
	if written := c.raw.String(); strings.Contains(strings.ToLower(written), "canary") || strings.Contains(written, "demo.example") || strings.Contains(written, deskAddress) {
		t.Error("a span contains what people wrote or are called")
	}
	s.checkLogs(number, traced)
}

// traceOthers checks that the emails of accounts, the notification of tickets in an emergency and its announcements continue the
// traces of the requests that cause them.
func (s *stack) traceOthers(c *collector) {
	t := s.t
	t.Helper()
	link, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.base+"/sign-in/link", strings.NewReader("address=canary-address%40demo.example"))
	if err != nil {
		t.Fatal(err)
	}
	link.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cause := range []struct {
		trace, queue string
		request      *http.Request
	}{
		{"4bf92f3577b34da6a3ce929d0e0e4737", "account", link},
		{"4bf92f3577b34da6a3ce929d0e0e4738", "announcement", s.post(s.supervisor, "/emergencies", words{"kind": "closed", "notice": "Canary-Notice"})},
	} {
		path := cause.request.URL.Path
		if a := s.traced(cause.trace, cause.request); a.status >= http.StatusBadRequest {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		request := c.await(t, cause.trace, "supportdesk-api", "POST "+path)
		effects := []receivedSpan{c.await(t, cause.trace, "supportdesk-worker", "send")}
		if cause.queue == "announcement" {
			effects = append(effects, c.await(t, cause.trace, "supportdesk-worker", "notify tickets"))
		}
		if queue := effects[0].attributes["supportdesk.queue"]; queue != cause.queue {
			t.Errorf("%s causes an email of the queue %q", path, queue)
		}
		for _, effect := range effects {
			if effect.parent != request.id {
				t.Errorf("the parent of %q is %s, not %q (%s)", effect.name, effect.parent, request.name, request.id)
			}
		}
	}
}

// traceEmail checks that an email begins the trace of what it becomes, also of emails that are delivered after the step, as here
// where the SMTP server is away.
func (s *stack) traceEmail(c *collector) {
	t := s.t
	t.Helper()
	m := s.addMailroom()
	written := newLetter("canary-writer@demo.example", 100)
	s.mails.Stop()
	m.deliver(written)
	received := c.await(t, "", "supportdesk-mail", "receive email")
	parent := received
	for _, next := range []struct{ process, name string }{
		{"supportdesk-mail", "process email"}, {"supportdesk-mail", "accept submit"}, {"supportdesk-worker", "step"},
		{"supportdesk-worker", "deliver"},
	} {
		span := c.await(t, received.trace, next.process, next.name)
		if span.parent != parent.id {
			t.Errorf("the parent of %q is not %q", span.name, parent.name)
		}
		parent = span
	}
	m.receiver.stop()
	s.mails.Restart()
	eventually(t, "the delivery sends the email", func() (bool, string) {
		all := c.find(func(sent receivedSpan) bool { return sent.trace == received.trace && sent.name == "send" })
		return slices.ContainsFunc(all, func(sent receivedSpan) bool {
			return len(c.find(func(d receivedSpan) bool { return d.id == sent.parent && d.name == "deliver" })) == 1
		}), fmt.Sprint(all)
	})
}

// startTraced is start with metrics at addresses by process.
func startTraced(t *testing.T, metrics map[string]string, env ...string) *stack {
	t.Helper()
	s := start(t, "", env...)
	for part, process := range map[string]*part{"api": s.api, "worker": s.worker} {
		process.stop()
		process.env = append(process.env, "SUPPORTDESK_METRICS_ADDRESS="+metrics[part])
		process.start()
	}
	eventually(t, "the API answers", func() (bool, string) {
		response, err := http.Get(s.base + "/healthz")
		if err != nil {
			return false, err.Error()
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK, response.Status
	})
	return s
}

// post returns a request of a person with a body.
func (s *stack) post(p person, path string, body words) *http.Request {
	s.t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.base+"/api/v1"+path, bytes.NewReader(encoded))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	return request
}

// traced sends a request in a trace of the sender's.
func (s *stack) traced(trace string, request *http.Request) answer {
	s.t.Helper()
	request.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	answered, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{status: response.StatusCode, body: answered}
}

// checkLogs checks that the API's line of the traced command names the request, the ticket, the command and the trace.
func (s *stack) checkLogs(number, trace string) {
	s.t.Helper()
	s.api.log.mu.Lock()
	defer s.api.log.mu.Unlock()
	for line := range strings.Lines(s.api.log.text.String()) {
		var l map[string]any
		if json.Unmarshal([]byte(line), &l) != nil || l["trace_id"] != trace || l["msg"] != "request" {
			continue
		}
		if l["ticket"] != number || l["command"] != 2.0 || l["request_id"] == nil || l["span_id"] == nil {
			s.t.Errorf("the line of the request is %s", line)
		}
		return
	}
	s.t.Errorf("no line of the API is of trace %s", trace)
}

// The metrics of both processes count what happened and stay served while PostgreSQL and Temporal are away, which they report.
func TestTelemetry_countsWhatHappensAndOutagesToo(t *testing.T) {
	t.Parallel()
	metrics := map[string]string{"api": freeAddress(t), "worker": freeAddress(t)}
	s := startTraced(t, metrics)
	number := s.customer.submit("My parcel is late", "It was due last week.")
	s.agent.do(number, "replies", words{"body": "We are looking for it."})
	s.mails.WaitCount(t, 2)
	for _, path := range []string{"/../../etc/passwd", "/a/b/c", "/%00", "/wp-login.php?x=1"} {
		if request, err := http.NewRequestWithContext(t.Context(), "BREW", s.base+path, nil); err == nil {
			if response, err := http.DefaultClient.Do(request); err == nil {
				_ = response.Body.Close()
			}
		}
	}
	eventually(t, "the metrics of both", func() (bool, string) {
		api, worker := scrape(t, metrics["api"]), scrape(t, metrics["worker"])
		missing := lacking(api, map[string]float64{
			`supportdesk_http_requests_total{code="201",method="POST",route="/api/v1/tickets"}`: 1,
			`supportdesk_commands_accepted_total{verb="agent-reply"}`:                           1,
			`supportdesk_commands_accepted_total{verb="submit"}`:                                1,
			`supportdesk_command_outcome_wait_seconds{decided="true"} count`:                    1,
			`supportdesk_relay_deliveries_total{result="ok",way="relay"}`:                       1,
			`supportdesk_relay_lag_seconds count`:                                               2,
			`supportdesk_database_up`:                                                           1, `supportdesk_temporal_up`: 1,
			`supportdesk_commands_undelivered{kind="later"}`: 0, `supportdesk_deliveries_owed{age="1m",queue="ticket"}`: 0,
		})
		missing = append(missing, lacking(worker, map[string]float64{
			`supportdesk_commands_decided_total{outcome="granted",verb="agent-reply"}`:     1,
			`supportdesk_ticket_events_total{kind="submitted"}`:                            1,
			`supportdesk_step_duration_seconds{result="ok"} count`:                         1,
			`supportdesk_deliveries_settled_total{queue="ticket",status="sent"}`:           2,
			`supportdesk_delivery_send_duration_seconds{queue="ticket",result="ok"} count`: 2,
		})...)
		for name := range api {
			if strings.Contains(name, "passwd") || strings.Contains(name, "BREW") || strings.Contains(name, number) {
				missing = append(missing, "a series "+name)
			}
		}
		if !slices.ContainsFunc(keys(worker), func(name string) bool {
			return strings.HasPrefix(name, "temporal_workflow_task_schedule_to_start_latency_seconds")
		}) {
			missing = append(missing, "the SDK's schedule to start")
		}
		return len(missing) == 0, strings.Join(missing, "\n")
	})
	if response, err := http.Get(s.base + "/metrics"); err != nil || response.StatusCode != http.StatusNotFound {
		t.Errorf("the public address serves metrics: %v, %v", response, err)
	}
	s.temporal.Stop()
	eventually(t, "an outage of Temporal is reported", func() (bool, string) {
		api := scrape(t, metrics["api"])
		return api["supportdesk_temporal_up"] == 0 && api["supportdesk_database_up"] == 1, fmt.Sprint(api["supportdesk_temporal_up"])
	})
}

// lacking returns what is missing of some values, where a counter may have a higher one.
func lacking(values, wanted map[string]float64) (missing []string) {
	for name, least := range wanted {
		if got, there := values[name]; !there || got < least {
			missing = append(missing, fmt.Sprintf("%s is %v (%v), not %v", name, got, there, least))
		}
	}
	return missing
}

func keys(m map[string]float64) (all []string) {
	for k := range m {
		all = append(all, k)
	}
	return all
}
