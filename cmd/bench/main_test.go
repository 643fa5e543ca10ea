package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The tests start this program again as the worker of bare workflows.
func TestMain(m *testing.M) {
	if os.Getenv(bareServer) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Every section runs with the smallest numbers and measures something. No speed is asserted.
func TestBench_measuresEverySection(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "supportdesk")
	if out, err := exec.Command("go", "build", "-o", program, "../supportdesk").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	if os.Getenv("SUPPORTDESK_TEMPORAL_BIN") == "" {
		built, err := filepath.Abs("../../bin/supportdesk-temporal")
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("SUPPORTDESK_TEMPORAL_BIN", built)
	}
	var names []string
	for _, s := range sections {
		// The common instant of breaches is a minute or more away, and those of email are tests of their own.
		if s.name != "breaches" && s.name != "mail" {
			names = append(names, s.name)
		}
	}
	file := filepath.Join(dir, "result.json")
	var out bytes.Buffer
	err := run(t.Context(), []string{
		"--program", program, "--json", file, "--only", strings.Join(names, ","), "--scale", "0.001", "--idle", "1s",
		"--submissions", "4000", "--commands", "8000", "--rush", "20000", "--backlog", "8000", "--emergency", "10000",
	}, &out)
	t.Log(out.String())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	measured := map[string]int{}
	for _, f := range r.Figures {
		measured[f.Section]++
		if f.Value <= 0 && !strings.Contains(f.Name, "processor") && !strings.Contains(f.Name, "distance") && f.Unit != "KB" {
			t.Errorf("%s, %s: %v", f.Section, f.Name, f.Value) // a tick of the processor's clock is 10 ms
		}
	}
	for _, name := range names {
		if measured[name] == 0 {
			t.Errorf("%s measured nothing", name)
		}
	}
	for _, program := range []string{"go", "postgresql", "supportdesk", "temporal"} {
		if r.Machine.Versions[program] == "" {
			t.Errorf("the result names no version of %s", program)
		}
	}
}

func TestBench_refusesUnknownSections(t *testing.T) {
	if err := run(t.Context(), []string{"--only", "commands,nothing"}, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), `"nothing"`) {
		t.Errorf("got %v", err)
	}
}

// A run takes hours, and one that is interrupted keeps the figures of the sections that were done.
func TestBench_keepsFinishedSections(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	file := filepath.Join(t.TempDir(), "result.json")
	err := measure(ctx, settings{JSON: file}, []section{
		{"first", "", func(b *bench) error {
			b.report.add(figure{Name: "a figure", Value: 1})
			return nil
		}},
		{"second", "", func(b *bench) error {
			if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "a figure") {
				t.Errorf("after the first section: %s, %v", text, err)
			}
			interrupt()
			return b.ctx.Err()
		}},
		{"third", "", func(*bench) error { panic("it was interrupted") }},
	}, new(bytes.Buffer))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	text, err := os.ReadFile(file)
	var r report
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil || len(r.Figures) != 1 || len(r.Failed) != 1 {
		t.Errorf("the result is %s, %v", text, err)
	}
}
