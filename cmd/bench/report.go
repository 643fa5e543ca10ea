package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one measured number, with the bare alternative if there is one.
type figure struct {
	Section string   `json:"section"`
	Name    string   `json:"name"`
	Value   float64  `json:"value"`
	Unit    string   `json:"unit"`
	Of      int      `json:"of,omitempty"`      // number of samples
	Bare    *float64 `json:"bare,omitempty"`    // the same of the bare alternative
	Beside  string   `json:"beside,omitempty"`  // what that is
	Ratio   *float64 `json:"ratio,omitempty"`   // value / bare
	Aim     string   `json:"aim,omitempty"`     // such as "< 10 ms" or "≥ 0.7 of bare"
	Reached *bool    `json:"reached,omitempty"` // whether the aim is
	Note    string   `json:"note,omitempty"`
}

// beside sets the bare alternative.
func (f figure) beside(bare float64, what string) figure {
	f.Bare, f.Beside = &bare, what
	if bare > 0 {
		ratio := f.Value / bare
		f.Ratio = &ratio
	}
	return f
}

// atLeast and atMost set the aim for the value, and ofBare for its ratio to the bare alternative.
func (f figure) atLeast(least float64) figure {
	return f.aim(fmt.Sprintf("≥ %s %s", number(least), f.Unit), f.Value >= least)
}

func (f figure) atMost(most float64) figure {
	return f.aim(fmt.Sprintf("≤ %s %s", number(most), f.Unit), f.Value <= most)
}

func (f figure) ofBare(least float64) figure {
	return f.aim(fmt.Sprintf("≥ %s of bare", number(least)), f.Ratio != nil && *f.Ratio >= least)
}

func (f figure) aim(text string, reached bool) figure {
	f.Aim, f.Reached = text, &reached
	return f
}

// millis returns a figure in milliseconds.
func millis(name string, d time.Duration, of int) figure {
	return figure{Name: name, Value: float64(d.Microseconds()) / 1000, Unit: "ms", Of: of}
}

// perSecond returns a figure of a rate.
func perSecond(name string, n int, took time.Duration) figure {
	return figure{Name: name, Value: float64(n) / took.Seconds(), Unit: "/s", Of: n}
}

// report is the result of a run.
type report struct {
	Began    time.Time `json:"began"`
	Took     string    `json:"took"`
	Machine  machine   `json:"machine"`
	Settings settings  `json:"settings"`
	Figures  []figure  `json:"figures"`
	Failed   []string  `json:"failed,omitempty"`

	section string
}

// machine is what figures depend on and that is not ours.
type machine struct {
	CPUs       int               `json:"cpus"`
	Processor  string            `json:"processor,omitempty"`
	MemoryMB   int               `json:"memory_mb,omitempty"`
	System     string            `json:"system"`
	LoadBefore string            `json:"load_before,omitempty"` // averages over 1, 5 and 15 minutes
	LoadAfter  string            `json:"load_after,omitempty"`
	Versions   map[string]string `json:"versions"` // by program
}

func newReport(s settings) *report {
	return &report{Began: time.Now().UTC(), Settings: s, Machine: machine{
		CPUs: runtime.NumCPU(), Processor: processor(), MemoryMB: memory(), System: runtime.GOOS + "/" + runtime.GOARCH,
		LoadBefore: load(), Versions: map[string]string{"go": runtime.Version()},
	}}
}

func (r *report) begin(section string) { r.section = section }

func (r *report) add(figures ...figure) {
	for _, f := range figures {
		f.Section = r.section
		r.Figures = append(r.Figures, f)
	}
}

// version notes the version of a program that takes part.
func (r *report) version(program, version string) { r.Machine.Versions[program] = version }

// finish notes the end of a section, with the errors of all so far.
func (r *report) finish(errs []error) {
	r.Took = time.Since(r.Began).Round(time.Second).String()
	r.Machine.LoadAfter = load()
	r.Failed = nil
	for _, err := range errs {
		r.Failed = append(r.Failed, err.Error())
	}
}

// print writes the figures of a section as a table.
func (r *report) print(w io.Writer, section string) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range r.Figures {
		if f.Section != section {
			continue
		}
		var bare, ratio, aim string
		if f.Bare != nil {
			bare = fmt.Sprintf("%s: %s %s", f.Beside, number(*f.Bare), f.Unit)
		}
		if f.Ratio != nil {
			ratio = fmt.Sprintf("× %.2f", *f.Ratio)
		}
		if f.Reached != nil {
			aim = map[bool]string{true: "reached: ", false: "aim: "}[*f.Reached] + f.Aim
		}
		fmt.Fprintf(table, "  %s\t%s %s\t%s\t%s\t%s\t%s\n", f.Name, number(f.Value), f.Unit, bare, ratio, aim, f.Note)
	}
	table.Flush()
}

// number formats three digits.
func number(n float64) string {
	switch {
	case n == 0:
		return "0"
	case n >= 100 || n == float64(int64(n)):
		return fmt.Sprintf("%.0f", n)
	case n >= 10:
		return fmt.Sprintf("%.1f", n)
	default:
		return fmt.Sprintf("%.3g", n)
	}
}

func (r *report) write(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fmt.Errorf("make the folder of the result: %w", err)
	}
	if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// processor, memory and load read what Linux says of the machine; elsewhere they are empty.

func processor() string { return procField("/proc/cpuinfo", "model name") }

func memory() int {
	var kb int
	if _, err := fmt.Sscan(procField("/proc/meminfo", "MemTotal"), &kb); err != nil {
		return 0
	}
	return kb >> 10
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}

func procField(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// versions notes what the stack is made of.
func (s *stack) versions(ctx context.Context, r *report) error {
	var postgres string
	if err := s.pool.QueryRow(ctx, `SHOW server_version`).Scan(&postgres); err != nil {
		return err
	}
	r.version("postgresql", postgres)
	out, err := s.command(ctx, "version")
	if err != nil {
		return err
	}
	r.version("supportdesk", strings.TrimSpace(out))
	info, err := s.temporalVersion(ctx)
	r.version("temporal", cmp.Or(info, "unknown"))
	return err
}
