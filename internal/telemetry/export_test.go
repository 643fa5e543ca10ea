package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Collectors returns what this program itself collects, in the order of the documentation.
func (t *Telemetry) Collectors() []prometheus.Collector { return t.metrics.all() }

// StateDescs returns the descriptions of what is read from the database.
func StateDescs() []*prometheus.Desc { return stateDescs }

// CheckedVariables returns OpenTelemetry's variables whose malformed values are reported.
func CheckedVariables() (all []string) {
	for _, s := range environment(nil).settings() {
		all = append(all, s.variables...)
	}
	return all
}
