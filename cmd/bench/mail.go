package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// mails measures incoming email with Go benchmarks that start what they need: by LMTP, beside the least that storing it as
// safely costs, and until an agent reads it in a browser, which needs Chromium.
func mails(b *bench) error {
	return errors.Join(
		b.goBenchmark("./internal/inbound", "LMTP", b.scaled(b.settings.Mails)),
		b.goBenchmark("./internal/e2e", "MailToPage", max(1, b.scaled(b.settings.Mails)/100)))
}

// goBenchmark runs a Go benchmark of this module a number of times and adds its metrics.
func (b *bench) goBenchmark(folder, name string, times int) error {
	cmd := exec.CommandContext(b.ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark"+name+"$", "-benchtime", fmt.Sprintf("%dx", times), "-timeout", "1h", folder)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("benchmark %s: %w: %s", name, err, out)
	}
	found := false
	for line := range bytes.Lines(out) {
		fields := strings.Fields(string(line))
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark"+name) {
			continue
		}
		metrics := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			if metrics[fields[i+1]], err = strconv.ParseFloat(fields[i], 64); err != nil {
				return fmt.Errorf("read %q: %w", line, err)
			}
		}
		found = true
		b.addMailFigures(fields[0], times, metrics)
	}
	if !found {
		return fmt.Errorf("benchmark %s printed no result: %s", name, out)
	}
	return nil
}

func (b *bench) addMailFigures(benchmark string, times int, metrics map[string]float64) {
	if rate := metrics["mails/s"]; rate > 0 {
		_, connections, _ := strings.Cut(benchmark, "/")
		connections, _, _ = strings.Cut(connections, "-") // the number of processors follows
		f := figure{Name: "email accepted by LMTP, " + connections + " at once", Value: rate, Unit: "/s", Of: times}
		b.report.add(f.beside(metrics["bare/s"], "bare file and row"))
	}
	for _, percent := range []string{"p50", "p95"} {
		if ms := metrics[percent+"-ms"]; ms > 0 {
			b.report.add(figure{Name: "email from its acceptance until it is on an open page, " + percent, Value: ms, Unit: "ms", Of: times * 20})
		}
	}
}
