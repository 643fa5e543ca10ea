package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// used is the processor time of each part of a stack. On a shared machine it says more than the clock.
type used map[string]time.Duration

// clientsPart is this program and its bare worker: the clients, the mailbox and the bare alternatives.
const clientsPart = "clients"

// processorTime returns what the parts have used so far, from Linux's /proc; elsewhere it is empty.
func (s *stack) processorTime() used {
	const tick = time.Second / 100 // of /proc
	parts := map[int]string{os.Getpid(): clientsPart, s.postgres.PID(): "postgresql", s.temporal.PID(): "temporal"}
	for _, p := range []*process{s.api, s.worker} {
		if p != nil {
			parts[p.run.PID()] = p.name
		}
	}
	total, parent := map[int]time.Duration{}, map[int]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		name, rest, _ := strings.Cut(string(text), " (")
		fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:])
		pid, _ := strconv.Atoi(name)
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		parent[pid], _ = strconv.Atoi(fields[1])
		total[pid] = time.Duration(user+system) * tick
	}
	spent := used{}
	for pid, time := range total {
		for p := pid; p > 1; p = parent[p] {
			if part := parts[p]; part != "" {
				spent[part] += time
				break
			}
		}
	}
	return spent
}

// processorFigure is what one of n operations has used since before, of all parts but the clients.
func (s *stack) processorFigure(name string, n int, before used) figure {
	f := figure{Name: name + ", processor time of each", Unit: "ms", Of: n}
	var parts []string
	for part, now := range s.processorTime() {
		ms := (now - before[part]).Seconds() * 1000 / float64(n)
		if part != clientsPart {
			f.Value += ms
		}
		parts = append(parts, fmt.Sprintf("%s %s", part, number(ms)))
	}
	slices.Sort(parts)
	f.Note = strings.Join(parts, ", ")
	return f
}
