package telemetry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
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
	problem   check
	instead   string // what is done about a malformed value
}

// check says what is wrong with a value of a variable, which is not empty, or returns "". It quotes none that may contain a secret.
type check func(variable, value string) string

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
		{[]string{"OTEL_TRACES_EXPORTER"}, inAnyCase(oneOf("otlp", exporterNone)), untraced},
		{otlp("PROTOCOL"), inAnyCase(oneOf(protocolHTTP, protocolGRPC)), untraced},
		{otlp("ENDPOINT"), e.endpoint, untraced},
		{otlp("INSECURE"), boolean, "it counts as false"},
		{otlp("CERTIFICATE"), certificates, unused},
		{otlp("CLIENT_CERTIFICATE"), e.clientCertificate, unused},
		{otlp("CLIENT_KEY"), e.clientKey, unused},
		{otlp("HEADERS"), pairs("NAME", e.header), "such a part may be left out"},
		{otlp("COMPRESSION"), oneOf("gzip", "none"), "traces are not compressed"},
		{otlp("TIMEOUT"), milliseconds(0), byDefault},
		{[]string{"OTEL_RESOURCE_ATTRIBUTES"}, pairs("KEY", func(_, _ string) bool { return true }), "a part without = is left out, and a value that can't be decoded is used as it is"},
		{[]string{"OTEL_TRACES_SAMPLER"}, inAnyCase(oneOf(samplers...)), sampled},
		{[]string{"OTEL_TRACES_SAMPLER_ARG"}, e.samplerArg, sampled},
		{[]string{bspDelay}, e.exact(batchLimits[bspDelay]), byDefault},
		{[]string{bspQueue}, e.exact(batchLimits[bspQueue]), "the defaults of it and of " + bspBatch + " are used"},
		{[]string{bspBatch}, e.exact(batchLimits[bspBatch]), byDefault},
		{[]string{bspTimeout}, e.exact(batchLimits[bspTimeout]), byDefault},
		{[]string{"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"}, e.exact(number), byDefault},
		{[]string{"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT"}, e.exact(number), byDefault},
		{[]string{"OTEL_SPAN_EVENT_COUNT_LIMIT"}, e.exact(number), byDefault},
		{[]string{"OTEL_SPAN_LINK_COUNT_LIMIT"}, e.exact(number), byDefault},
		{[]string{"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"}, e.exact(number), byDefault},
		{[]string{"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"}, e.exact(number), byDefault},
	}
}

const (
	protocolHTTP = "http/protobuf"
	protocolGRPC = "grpc"
	exporterNone = "none"

	bspDelay   = "OTEL_BSP_SCHEDULE_DELAY"
	bspQueue   = "OTEL_BSP_MAX_QUEUE_SIZE"
	bspBatch   = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
	bspTimeout = "OTEL_BSP_EXPORT_TIMEOUT"
)

// batchLimits reject what makes the library panic, take all memory, send spans again and again without a pause, or wait for ever.
var batchLimits = map[string]check{
	bspDelay: milliseconds(1), bspQueue: within(1, 1<<20), bspBatch: within(1, 1<<20), bspTimeout: milliseconds(0),
}

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
func oneOf(allowed ...string) check {
	return func(_, value string) string {
		if slices.Contains(allowed, value) {
			return ""
		}
		return fmt.Sprintf("is not %s: %q", strings.Join(allowed, " or "), value)
	}
}

func inAnyCase(c check) check {
	return func(variable, value string) string { return c(variable, strings.ToLower(value)) }
}

var boolean = inAnyCase(oneOf("true", "false"))

// exact returns a check of what the library reads with the spaces around it.
func (e environment) exact(c check) check {
	return func(variable, _ string) string { return c(variable, e(variable)) }
}

func number(_, value string) string {
	if _, err := strconv.Atoi(value); err != nil {
		return fmt.Sprintf("is not a whole number: %q", value)
	}
	return ""
}

// within returns a check of a whole number.
func within(least, most int) check {
	return func(_, value string) string {
		if n, err := strconv.Atoi(value); err != nil || n < least || n > most {
			return fmt.Sprintf("is not a whole number from %d to %d: %q", least, most, value)
		}
		return ""
	}
}

// milliseconds returns a check of a duration of an hour at most.
func milliseconds(least int) check { return within(least, int(time.Hour/time.Millisecond)) }

// batching returns the defaults of those settings of batches that are rejected although the library would use them.
func (e environment) batching() (options []sdktrace.BatchSpanProcessorOption) {
	for variable, option := range map[string]sdktrace.BatchSpanProcessorOption{
		bspDelay: sdktrace.WithBatchTimeout(sdktrace.DefaultScheduleDelay * time.Millisecond),
		bspQueue: func(o *sdktrace.BatchSpanProcessorOptions) {
			o.MaxQueueSize, o.MaxExportBatchSize = sdktrace.DefaultMaxQueueSize, sdktrace.DefaultMaxExportBatchSize
		},
		bspBatch:   sdktrace.WithMaxExportBatchSize(sdktrace.DefaultMaxExportBatchSize),
		bspTimeout: sdktrace.WithExportTimeout(sdktrace.DefaultExportTimeout * time.Millisecond),
	} {
		if e(variable) != "" && batchLimits[variable](variable, e(variable)) != "" {
			options = append(options, option)
		}
	}
	return options
}

// endpoint checks where traces are sent. By gRPC that may be any of its targets, such as collector:4317.
func (e environment) endpoint(_, value string) string {
	u, err := url.Parse(value)
	web := err == nil && (u.Scheme == "http" || u.Scheme == "https")
	grpc := e.grpc()
	switch {
	case web && u.Host != "", grpc && err == nil && !web:
		return ""
	case grpc:
		return "is neither an http or https URL nor a target of gRPC"
	default:
		return "is not an http or https URL, such as http://localhost:4318"
	}
}

func (e environment) grpc() bool {
	return strings.EqualFold(e.first(otlp("PROTOCOL")...), protocolGRPC)
}

// unreadable returns the reason of an error without the name of the file: by mistake, that may be the key itself.
func unreadable(err error) string {
	if failed, ok := errors.AsType[*fs.PathError](err); ok {
		err = failed.Err
	}
	return "can't be read: " + err.Error()
}

func certificates(_, file string) string {
	text, err := os.ReadFile(file)
	switch {
	case err != nil:
		return unreadable(err)
	case !x509.NewCertPool().AppendCertsFromPEM(text):
		return "contains no certificate"
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
		return "with " + keyVariable + ", it " + unreadable(err)
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
func pairs(key string, valid func(key, value string) bool) check {
	return func(_, list string) string {
		for part := range strings.SplitSeq(list, ",") {
			k, v, found := strings.Cut(part, "=")
			if v, err := url.PathUnescape(strings.TrimSpace(v)); !found || err != nil || !valid(strings.TrimSpace(k), v) {
				return fmt.Sprintf("is not a list such as %s=VALUE,%s=VALUE, with values encoded as in URLs", key, key)
			}
		}
		return ""
	}
}

// header reports whether a header can be sent.
func (e environment) header(name, value string) bool {
	const grpcNames = "abcdefghijklmnopqrstuvwxyz0123456789-_."
	if e.grpc() && strings.Trim(strings.ToLower(name), grpcNames) != "" {
		return false
	}
	return httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value)
}

// samplerArg checks the ratio of those samplers that use one.
func (e environment) samplerArg(_, value string) string {
	ratio, err := strconv.ParseFloat(value, 64)
	if strings.HasSuffix(strings.ToLower(e.get("OTEL_TRACES_SAMPLER")), "traceidratio") && (err != nil || !(ratio >= 0 && ratio <= 1)) {
		return fmt.Sprintf("is not a number from 0 to 1: %q", value)
	}
	return ""
}
