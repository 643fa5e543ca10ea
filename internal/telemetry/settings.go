package telemetry

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/net/http/httpguts"
)

// setting is a setting of OpenTelemetry. Its library uses something else for a malformed value, and reports that without the variable's
// name or not at all.
type setting struct {
	variables []string // the first that is set prevails
	// problem says what is wrong with a value, which is not empty, or returns "". It quotes none that may contain a secret.
	problem func(variable, value string) string
	instead string // what is done about a malformed value
}

const (
	untraced  = "nothing is traced"
	unused    = "it is not used"
	byDefault = "the default is used"
	sampled   = "all traces that begin here are sampled"
)

// otlp returns the variables of a setting of the exporter.
func otlp(name string) []string {
	return []string{"OTEL_EXPORTER_OTLP_TRACES_" + name, "OTEL_EXPORTER_OTLP_" + name}
}

// environment reads OpenTelemetry's variables.
type environment func(string) string

// get returns the value of a variable as the library reads most of them.
func (e environment) get(variable string) string { return strings.TrimSpace(e(variable)) }

// first returns the value of the first variable that is set.
func (e environment) first(variables ...string) string {
	for _, v := range variables {
		if value := e.get(v); value != "" {
			return value
		}
	}
	return ""
}

// settings returns what is checked, in the order in which it is reported.
func (e environment) settings() []setting {
	return []setting{
		{[]string{"OTEL_SDK_DISABLED"}, boolean, "it counts as false"},
		{[]string{"OTEL_TRACES_EXPORTER"}, oneOf("otlp", "none"), untraced},
		{otlp("PROTOCOL"), oneOf(protocolHTTP, protocolGRPC), untraced},
		{otlp("ENDPOINT"), e.endpoint, untraced},
		{otlp("INSECURE"), boolean, "it counts as false"},
		{otlp("CERTIFICATE"), certificates, unused},
		{otlp("CLIENT_CERTIFICATE"), e.clientCertificate, unused},
		{otlp("CLIENT_KEY"), e.clientKey, unused},
		{otlp("HEADERS"), pairs("NAME", httpguts.ValidHeaderFieldName), "such a part is left out"},
		{otlp("COMPRESSION"), oneOf("gzip", "none"), "traces are not compressed"},
		{otlp("TIMEOUT"), number, unused},
		{[]string{"OTEL_RESOURCE_ATTRIBUTES"}, pairs("KEY", func(string) bool { return true }), "a part without = is left out, other parts are used as they are"},
		{[]string{"OTEL_TRACES_SAMPLER"}, func(variable, value string) string { return oneOf(samplers...)(variable, strings.ToLower(value)) }, sampled},
		{[]string{"OTEL_TRACES_SAMPLER_ARG"}, e.samplerArg, sampled},
		{[]string{bspDelay}, e.positive, byDefault},
		{[]string{bspQueue}, e.positive, "the defaults of it and of " + bspBatch + " are used"},
		{[]string{bspBatch}, e.positive, byDefault},
		{[]string{"OTEL_BSP_EXPORT_TIMEOUT"}, e.exactNumber, byDefault},
		{[]string{"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"}, e.exactNumber, byDefault},
		{[]string{"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"}, e.exactNumber, byDefault},
		{[]string{"OTEL_SPAN_EVENT_COUNT_LIMIT"}, e.exactNumber, byDefault},
		{[]string{"OTEL_SPAN_LINK_COUNT_LIMIT"}, e.exactNumber, byDefault},
		{[]string{"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"}, e.exactNumber, byDefault},
		{[]string{"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"}, e.exactNumber, byDefault},
	}
}

const (
	protocolHTTP = "http/protobuf"
	protocolGRPC = "grpc"

	bspDelay = "OTEL_BSP_SCHEDULE_DELAY"
	bspQueue = "OTEL_BSP_MAX_QUEUE_SIZE"
	bspBatch = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
)

var samplers = []string{
	"parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio", "always_on", "always_off", "traceidratio",
}

// warn logs which settings are malformed, and reports whether traces can be sent all the same.
func (e environment) warn(log *slog.Logger) (usable bool) {
	usable = true
	for _, s := range e.settings() {
		instead := s.instead
		for _, variable := range s.variables {
			value := e.get(variable)
			if value == "" {
				continue
			}
			if problem := s.problem(variable, value); problem != "" {
				log.Warn("a variable of OpenTelemetry is malformed", "variable", variable, "problem", problem, "instead", instead)
				usable = usable && instead != untraced
			}
			instead = unused // as an earlier variable prevails
		}
	}
	return usable
}

// oneOf returns a check that a value is one of several.
func oneOf(allowed ...string) func(_, value string) string {
	return func(_, value string) string {
		if slices.Contains(allowed, value) {
			return ""
		}
		return fmt.Sprintf("is not %s: %q", strings.Join(allowed, " or "), value)
	}
}

func boolean(variable, value string) string {
	return oneOf("true", "false")(variable, strings.ToLower(value))
}

func number(_, value string) string {
	if _, err := strconv.Atoi(value); err != nil {
		return fmt.Sprintf("is not a whole number: %q", value)
	}
	return ""
}

// exactNumber is number of what the library reads with the spaces around it.
func (e environment) exactNumber(variable, _ string) string { return number(variable, e(variable)) }

// positive also rejects what makes the library panic, or send spans again and again without a pause.
func (e environment) positive(variable, _ string) string {
	if n, err := strconv.Atoi(e(variable)); err != nil || n <= 0 {
		return fmt.Sprintf("is not a positive whole number: %q", e(variable))
	}
	return ""
}

// batching returns the defaults of those settings of batches that are rejected although the library would use them.
func (e environment) batching() (options []sdktrace.BatchSpanProcessorOption) {
	for variable, option := range map[string]sdktrace.BatchSpanProcessorOption{
		bspDelay: sdktrace.WithBatchTimeout(sdktrace.DefaultScheduleDelay * time.Millisecond),
		bspQueue: func(o *sdktrace.BatchSpanProcessorOptions) {
			o.MaxQueueSize, o.MaxExportBatchSize = sdktrace.DefaultMaxQueueSize, sdktrace.DefaultMaxExportBatchSize
		},
		bspBatch: sdktrace.WithMaxExportBatchSize(sdktrace.DefaultMaxExportBatchSize),
	} {
		if e(variable) != "" && e.positive(variable, "") != "" {
			options = append(options, option)
		}
	}
	return options
}

// endpoint checks where traces are sent. By gRPC that may be any of its targets, such as collector:4317.
func (e environment) endpoint(_, value string) string {
	u, err := url.Parse(value)
	web := err == nil && (u.Scheme == "http" || u.Scheme == "https")
	grpc := e.first(otlp("PROTOCOL")...) == protocolGRPC
	switch {
	case web && u.Host != "", grpc && err == nil && !web:
		return ""
	case grpc:
		return "is neither an http or https URL nor a target of gRPC"
	default:
		return "is not an http or https URL, such as http://localhost:4318"
	}
}

func certificates(_, file string) string {
	text, err := os.ReadFile(file)
	switch {
	case err != nil:
		return err.Error()
	case !x509.NewCertPool().AppendCertsFromPEM(text):
		return "contains no certificate: " + file
	default:
		return ""
	}
}

func (e environment) clientCertificate(variable, file string) string {
	keyVariable := strings.TrimSuffix(variable, "CERTIFICATE") + "KEY"
	key := e.get(keyVariable)
	if key == "" {
		return keyVariable + " is not set"
	}
	if _, err := tls.LoadX509KeyPair(file, key); err != nil {
		return err.Error()
	}
	return ""
}

// clientKey checks only that there is a certificate, with which the key is checked.
func (e environment) clientKey(variable, _ string) string {
	if certificate := strings.TrimSuffix(variable, "KEY") + "CERTIFICATE"; e.get(certificate) == "" {
		return certificate + " is not set"
	}
	return ""
}

// pairs returns a check of a list. Values are not quoted: those of headers are secrets.
func pairs(key string, valid func(string) bool) func(_, list string) string {
	return func(_, list string) string {
		for part := range strings.SplitSeq(list, ",") {
			k, v, found := strings.Cut(part, "=")
			if _, err := url.PathUnescape(v); !found || err != nil || !valid(strings.TrimSpace(k)) {
				return fmt.Sprintf("is not a list such as %s=VALUE,%s=VALUE, with values encoded as in URLs", key, key)
			}
		}
		return ""
	}
}

// samplerArg checks the ratio of those samplers that use one.
func (e environment) samplerArg(_, value string) string {
	ratio, err := strconv.ParseFloat(value, 64)
	if strings.HasSuffix(strings.ToLower(e.get("OTEL_TRACES_SAMPLER")), "traceidratio") && (err != nil || !(ratio >= 0 && ratio <= 1)) {
		return fmt.Sprintf("is not a number from 0 to 1: %q", value)
	}
	return ""
}
