package telemetry

import "github.com/prometheus/client_golang/prometheus"

// Collectors returns what this program itself collects, in the order of the documentation.
func (t *Telemetry) Collectors() []prometheus.Collector { return t.metrics.all() }

// StateDescs returns the descriptions of what is read from the database.
func StateDescs() []*prometheus.Desc { return stateDescs }
