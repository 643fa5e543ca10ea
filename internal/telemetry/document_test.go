package telemetry_test

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"

	"github.com/holesalemart/supportdesk/internal/skiptest"
	"github.com/holesalemart/supportdesk/internal/telemetry"
)

var update = flag.Bool("update", false, "write the tables of docs/metrics.md")

const page = "../../docs/metrics.md"

// described is a metric as its collector describes it.
type described struct {
	name, kind, help string
	labels           []string
}

var descForm = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "(.+?)", (?:unit: "[^"]*", )?constLabels: \{\}, variableLabels: \{(.*)\}\}$`)

func describe(t *testing.T, d *prometheus.Desc, kind string) described {
	t.Helper()
	found := descForm.FindStringSubmatch(d.String())
	if found == nil {
		t.Fatalf("a description has another form: %s", d)
	}
	labels := strings.FieldsFunc(found[3], func(r rune) bool { return r == ',' })
	return described{name: found[1], kind: kind, help: strings.ReplaceAll(found[2], `\"`, `"`), labels: labels}
}

// process returns the metrics that a process counts, and state those that are read from the database.
func process(t *testing.T) (all []described) {
	t.Helper()
	measured, err := telemetry.New(t.Context(), telemetry.Options{Metrics: true, Getenv: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range measured.Collectors() {
		kind := "counter"
		switch c.(type) {
		case *prometheus.HistogramVec, prometheus.Histogram:
			kind = "histogram"
		case *prometheus.GaugeVec, prometheus.Gauge:
			kind = "gauge"
		}
		descs := make(chan *prometheus.Desc, 1)
		c.Describe(descs)
		all = append(all, describe(t, <-descs, kind))
	}
	return all
}

func state(t *testing.T) (all []described) {
	t.Helper()
	for _, d := range telemetry.StateDescs() {
		one := describe(t, d, "gauge")
		if strings.HasSuffix(one.name, "_total") {
			one.kind = "counter"
		}
		all = append(all, one)
	}
	return all
}

func table(all []described) string {
	var b strings.Builder
	b.WriteString("| metric | type | labels | |\n|---|---|---|---|\n")
	for _, d := range all {
		labels := "`" + strings.Join(d.labels, "`, `") + "`"
		if len(d.labels) == 0 {
			labels = ""
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", d.name, d.kind, labels, d.help)
	}
	return b.String()
}

// The page lists every metric with its type, its labels and its meaning. With -update its tables are written.
func TestMetrics_areDocumented(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	document := string(text)
	for mark, all := range map[string][]described{"process": process(t), "state": state(t)} {
		begin, end := "<!-- "+mark+" -->\n", "<!-- end of "+mark+" -->"
		before, rest, ok := strings.Cut(document, begin)
		_, after, ended := strings.Cut(rest, end)
		if !ok || !ended {
			t.Fatalf("%s has no part %s", page, mark)
		}
		document = before + begin + table(all) + end + after
	}
	if *update {
		if err := os.WriteFile(page, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if document != string(text) {
		t.Errorf("%s is out of date: go test ./internal/telemetry -run TestMetrics_areDocumented -update", page)
	}
}

func TestMetrics_haveNamesByTheConventions(t *testing.T) {
	base := regexp.MustCompile(`^supportdesk_[a-z]+(_[a-z]+)*$`)
	for _, d := range slices.Concat(process(t), state(t)) {
		if !base.MatchString(d.name) || (d.kind == "counter") != strings.HasSuffix(d.name, "_total") {
			t.Errorf("%s, a %s, has no conventional name", d.name, d.kind)
		}
		if d.kind == "histogram" && !strings.HasSuffix(d.name, "_seconds") {
			t.Errorf("%s does not name its unit", d.name)
		}
		for _, l := range d.labels {
			if slices.Contains([]string{"ticket", "number", "person", "path", "address"}, l) {
				t.Errorf("%s has the label %s, whose values have no bound", d.name, l)
			}
		}
	}
}

// alertRules are as much of the file as the tests look at.
type alertRules struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr string
			Annotations map[string]string
		}
	}
}

func readAlerts(t *testing.T) alertRules {
	t.Helper()
	text, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules alertRules
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

var ownMetric = regexp.MustCompile(`supportdesk_[a-z_]+`)

// known returns the names under which the program's own metrics are queried.
func known(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{"supportdesk_build_info": true}
	for _, d := range slices.Concat(process(t), state(t)) {
		names[d.name] = true
		if d.kind == "histogram" {
			names[d.name+"_bucket"], names[d.name+"_count"], names[d.name+"_sum"] = true, true, true
		}
	}
	return names
}

func TestAlertsAndDashboard_queryMetricsThatExist(t *testing.T) {
	names := known(t)
	for _, file := range []string{"../../deploy/prometheus/alerts.yaml", "../../deploy/grafana/supportdesk.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		used := ownMetric.FindAllString(string(text), -1)
		if len(used) == 0 {
			t.Errorf("%s queries nothing", file)
		}
		for _, name := range used {
			if !names[name] {
				t.Errorf("%s queries %s, which does not exist", file, name)
			}
		}
	}
}

// Each alert has its paragraph in the runbook, to which it links, and the runbook has no other.
func TestAlerts_areInTheRunbook(t *testing.T) {
	text, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var headings []string
	for _, m := range regexp.MustCompile(`(?m)^## (Supportdesk\w+)$`).FindAllStringSubmatch(string(text), -1) {
		headings = append(headings, m[1])
	}
	var alerts []string
	for _, g := range readAlerts(t).Groups {
		for _, r := range g.Rules {
			alerts = append(alerts, r.Alert)
			if want := "#" + strings.ToLower(r.Alert); !strings.HasSuffix(r.Annotations["runbook_url"], want) {
				t.Errorf("%s links to %q", r.Alert, r.Annotations["runbook_url"])
			}
		}
	}
	if !slices.Equal(headings, alerts) {
		t.Errorf("the runbook is about\n%v, and the alerts are\n%v", headings, alerts)
	}
}

// Debian's package prometheus has promtool.
func TestAlerts_passPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		skiptest.Skipf(t, "promtool is not installed (apt-get install prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = "../../deploy/prometheus"
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
