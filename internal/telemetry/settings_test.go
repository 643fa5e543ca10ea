package telemetry_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/logtest"
	"github.com/holesalemart/supportdesk/internal/telemetry"
)

// begin begins to trace with some settings. It returns the warnings, as "variable: what is done instead", and whether it traces.
func begin(t *testing.T, settings map[string]string) (reports []string, traced bool) {
	t.Helper()
	for _, variable := range telemetry.CheckedVariables() {
		t.Setenv(variable, settings[variable])
	}
	var lines logtest.Buffer
	measured, err := telemetry.New(t.Context(), telemetry.Options{Metrics: true, Getenv: os.Getenv, Log: slog.New(slog.NewJSONHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	if err := measured.Close(); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(lines.String()) {
		var l struct{ Level, Variable, Problem, Instead string }
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Level != "WARN" || l.Problem == "" {
			t.Errorf("a line is %s", line)
		}
		if strings.Contains(line, "a-secret") {
			t.Errorf("a secret is logged: %s", line)
		}
		reports = append(reports, l.Variable+": "+l.Instead)
	}
	return reports, measured.Traceparent() != nil
}

// A desk is not down for its telemetry: what is malformed is logged, and the rest is used.
func TestNew_namesEveryMalformedVariable(t *testing.T) {
	for _, variable := range telemetry.CheckedVariables() {
		t.Run(variable, func(t *testing.T) {
			settings := map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "traceidratio"}
			settings[variable] = "%zz"
			reports, traced := begin(t, settings)
			if len(reports) != 1 || !strings.HasPrefix(reports[0], variable+": ") || traced != !strings.HasSuffix(reports[0], "nothing is traced") {
				t.Errorf("%q, and it traces: %v", reports, traced)
			}
		})
	}
}

func TestNew_reportsWhatIsDoneInstead(t *testing.T) {
	const prefix = "OTEL_EXPORTER_OTLP_"
	for _, c := range []struct {
		set  string
		want []string // without the prefix
	}{
		{prefix + "ENDPOINT=::bad", []string{"ENDPOINT: nothing is traced"}},
		{prefix + "ENDPOINT=collector:4318", []string{"ENDPOINT: nothing is traced"}},
		{prefix + "ENDPOINT=http://a-secret@%", []string{"ENDPOINT: nothing is traced"}},
		{prefix + "TRACES_ENDPOINT=collector", []string{"TRACES_ENDPOINT: nothing is traced"}},
		{prefix + "ENDPOINT=collector " + prefix + "TRACES_ENDPOINT=https://collector/v1/traces", []string{"ENDPOINT: it is not used"}},
		{prefix + "ENDPOINT=collector:4317 " + prefix + "PROTOCOL=grpc", nil},
		{prefix + "ENDPOINT=10.0.0.1:4317 " + prefix + "PROTOCOL=grpc", []string{"ENDPOINT: nothing is traced"}},
		{prefix + "TRACES_PROTOCOL=zip", []string{"TRACES_PROTOCOL: nothing is traced"}},
		{prefix + "PROTOCOL=http/json", []string{"PROTOCOL: nothing is traced"}},
		{prefix + "INSECURE=maybe", []string{"INSECURE: it counts as false"}},
		{prefix + "TRACES_INSECURE=TRUE", nil},
		{prefix + "COMPRESSION=zip", []string{"COMPRESSION: traces are not compressed"}},
		{prefix + "COMPRESSION=zip " + prefix + "TRACES_COMPRESSION=gzip", []string{"COMPRESSION: it is not used"}},
		{prefix + "ENDPOINT=http://user:a-secret@% " + prefix + "TRACES_ENDPOINT=https://collector", []string{"ENDPOINT: it is not used"}},
		{prefix + "TRACES_PROTOCOL=GRPC " + prefix + "ENDPOINT=collector:4317", nil},
		{prefix + "TIMEOUT=10s", []string{"TIMEOUT: the default is used"}},
		{prefix + "TIMEOUT=-1", []string{"TIMEOUT: the default is used"}},
		{prefix + "HEADERS=a-secret", []string{"HEADERS: such a part may be left out"}},
		{prefix + "TRACES_HEADERS=a=1,b=a-secret%", []string{"TRACES_HEADERS: such a part may be left out"}},
		{prefix + "HEADERS=a=1,b=%20=", nil},
		{prefix + "HEADERS=a=a-secret%0A", []string{"HEADERS: such a part may be left out"}},
		{prefix + "HEADERS=a!=1", nil},
		{prefix + "HEADERS=a!=1 " + prefix + "PROTOCOL=grpc", []string{"HEADERS: such a part may be left out"}},
		{prefix + "TRACES_CERTIFICATE=/nowhere", []string{"TRACES_CERTIFICATE: it is not used"}},
		{prefix + "CERTIFICATE=/dev/null", []string{"CERTIFICATE: it is not used"}},
		{prefix + "CLIENT_CERTIFICATE=/nowhere " + prefix + "CLIENT_KEY=/nowhere", []string{"CLIENT_CERTIFICATE: it is not used"}},
		{prefix + "CERTIFICATE=a-secret", []string{"CERTIFICATE: it is not used"}},
		{prefix + "CLIENT_CERTIFICATE=/dev/null " + prefix + "CLIENT_KEY=a-secret", []string{"CLIENT_CERTIFICATE: it is not used"}},
		{prefix + "TRACES_CLIENT_KEY=/nowhere", []string{"TRACES_CLIENT_KEY: it is not used"}},
		{"OTEL_SDK_DISABLED=ja", []string{"OTEL_SDK_DISABLED: it counts as false"}},
		{"OTEL_TRACES_EXPORTER=OTLP", nil},
		{"OTEL_TRACES_EXPORTER=None " + prefix + "ENDPOINT=::bad", nil},
		{"OTEL_TRACES_EXPORTER=zipkin", []string{"OTEL_TRACES_EXPORTER: nothing is traced"}},
		{"OTEL_RESOURCE_ATTRIBUTES=a", []string{"OTEL_RESOURCE_ATTRIBUTES: a part without = is left out, and a value that can't be decoded is used as it is"}},
		{"OTEL_TRACES_SAMPLER=seldom", []string{"OTEL_TRACES_SAMPLER: all traces that begin here are sampled"}},
		{"OTEL_TRACES_SAMPLER=Traceidratio OTEL_TRACES_SAMPLER_ARG=1.5", []string{"OTEL_TRACES_SAMPLER_ARG: all traces that begin here are sampled"}},
		{"OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1", nil},
		{"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=-1", nil},
		{"OTEL_BSP_SCHEDULE_DELAY=9300000000000", []string{"OTEL_BSP_SCHEDULE_DELAY: the default is used"}},
		{"OTEL_BSP_EXPORT_TIMEOUT=-1", []string{"OTEL_BSP_EXPORT_TIMEOUT: the default is used"}},
		// These would end the process in the library.
		{"OTEL_BSP_MAX_QUEUE_SIZE=9223372036854775807", []string{"OTEL_BSP_MAX_QUEUE_SIZE: the defaults of it and of OTEL_BSP_MAX_EXPORT_BATCH_SIZE are used"}},
		{"OTEL_BSP_MAX_QUEUE_SIZE=-1", []string{"OTEL_BSP_MAX_QUEUE_SIZE: the defaults of it and of OTEL_BSP_MAX_EXPORT_BATCH_SIZE are used"}},
		{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE=-1", []string{"OTEL_BSP_MAX_EXPORT_BATCH_SIZE: the default is used"}},
		{"OTEL_SDK_DISABLED=true " + prefix + "ENDPOINT=::bad", nil},
		{"OTEL_TRACES_EXPORTER=none " + prefix + "ENDPOINT=::bad OTEL_RESOURCE_ATTRIBUTES=a", nil}, // the metrics don't use them either
	} {
		t.Run(c.set, func(t *testing.T) {
			settings := map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}
			for assignment := range strings.FieldsSeq(c.set) {
				variable, value, _ := strings.Cut(assignment, "=")
				settings[variable] = value
			}
			reports, _ := begin(t, settings)
			for i, r := range reports {
				reports[i] = strings.TrimPrefix(r, prefix)
			}
			if !slices.Equal(reports, c.want) {
				t.Errorf("%q, want %q", reports, c.want)
			}
		})
	}
}

// OpenTelemetry's library writes to standard error in a form of its own unless it has a logger, partly before main begins.
func TestNew_leavesNothingForTheLibraryToWrite(t *testing.T) {
	const inChild = "SUPPORTDESK_TEST_IN_CHILD"
	if os.Getenv(inChild) != "" {
		for _, metrics := range []bool{true, false} {
			measured, err := telemetry.New(t.Context(), telemetry.Options{Metrics: metrics, Getenv: os.Getenv, Log: slog.New(slog.NewJSONHandler(os.Stderr, nil))})
			if err != nil {
				t.Fatal(err)
			}
			_ = measured.Close()
		}
		return
	}
	for _, exporter := range []string{"none", "otlp"} {
		child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$") //nolint:gosec // this test
		child.Env = append(os.Environ(), inChild+"=1", logging.Variable+"="+logging.JSON, "OTEL_TRACES_EXPORTER="+exporter, "OTEL_RESOURCE_ATTRIBUTES=a,b=%zz",
			"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=zz", "OTEL_EXPORTER_OTLP_TIMEOUT=x", "OTEL_GO_X_CARDINALITY_LIMIT=x")
		var written logtest.Buffer
		child.Stderr = &written
		if err := child.Run(); err != nil {
			t.Fatalf("%v\n%s", err, written.String())
		}
		for line := range strings.Lines(written.String()) {
			if !json.Valid([]byte(line)) {
				t.Errorf("with the exporter %s a line is %s", exporter, line)
			}
		}
	}
}
