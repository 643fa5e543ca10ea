package workflows_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/workflows"
)

const (
	histories = "testdata/histories"
	release   = "v6" // of the histories that -record adds
)

var record = flag.Bool("record", false, "play the scenarios on a real server and add their histories to "+histories)

// Whatever the code of any release did, today's code does too: the same commands, for as long, to the same end.
func TestReplay_everyStoredHistoryGoesTheSameWay(t *testing.T) {
	if *record {
		recordScenarios(t)
	}
	files, err := filepath.Glob(filepath.Join(histories, "*.json"))
	if err != nil {
		t.Fatalf("list the histories: %v", err)
	}
	if len(files) < len(scenarios) {
		t.Fatalf("%d histories of %d scenarios", len(files), len(scenarios))
	}
	checkReplays(t, files)
}

// checkReplays replays histories and compares what is asked for with the golden values beside them.
func checkReplays(t *testing.T, files []string) {
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			want, err := os.ReadFile(golden(file))
			if err != nil {
				t.Fatalf("golden values: %v", err)
			}
			if got := replay(t, file); got != string(want) {
				t.Errorf("the transcript is\n%s\nand was\n%s", got, want)
			}
		})
	}
}

// stored is the file of a scenario's history, whatever release wrote it; empty: there is none yet.
func stored(scenario string) string { return storedIn(histories, scenario) }

func storedIn(directory, scenario string) string {
	files, err := filepath.Glob(filepath.Join(directory, "v*-"+scenario+".json"))
	if err != nil {
		return ""
	}
	for _, file := range slices.Backward(files) {
		if _, name, _ := strings.Cut(filepath.Base(file), "-"); name == scenario+".json" {
			return file
		}
	}
	return ""
}

func golden(file string) string { return strings.TrimSuffix(file, ".json") + ".golden" }

// replay plays a history on today's code, or on that of another version, and returns the transcript.
func replay(t *testing.T, file string, code ...interceptor.WorkerInterceptor) string {
	t.Helper()
	transcript, err := tryReplay(t, file, code...)
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	return transcript
}

func tryReplay(t *testing.T, file string, code ...interceptor.WorkerInterceptor) (string, error) {
	t.Helper()
	s := &transcriber{}
	replayer, err := sdkworker.NewWorkflowReplayerWithOptions(sdkworker.WorkflowReplayerOptions{
		Interceptors: append([]interceptor.WorkerInterceptor{s}, code...),
	})
	if err != nil {
		t.Fatalf("make a replayer: %v", err)
	}
	replayer.RegisterWorkflowWithOptions(workflows.Ticket, workflow.RegisterOptions{Name: workflows.TicketWorkflow})
	replayer.RegisterWorkflowWithOptions(workflows.Emergency, workflow.RegisterOptions{Name: workflows.EmergencyWorkflow})
	quiet := log.NewStructuredLogger(slog.New(slog.DiscardHandler))
	if err := replayer.ReplayWorkflowHistoryFromJSONFile(quiet, file); err != nil {
		return "", err
	}
	return s.transcript()
}

func recordScenarios(t *testing.T) {
	if err := os.MkdirAll(histories, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, scenario := range scenarios {
		if stored(scenario.name) != "" {
			continue // append-only
		}
		file := filepath.Join(histories, release+"-"+scenario.name+".json")
		t.Run("record "+scenario.name, func(t *testing.T) {
			site := desktest.NewSite(t, parse(t, scenario.policy))
			scenario.play(site)
			site.Ended(number)
			writeFile(t, file, fetch(t, site.Temporal, workflows.TicketID(number)))
			writeFile(t, golden(file), []byte(replay(t, file)))
		})
	}
}

func writeFile(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// fetch returns the history of a workflow's first run as JSON, without what names the machine.
func fetch(t *testing.T, c client.Client, workflow string) []byte {
	t.Helper()
	last, err := c.DescribeWorkflowExecution(t.Context(), workflow, "")
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	var history historypb.History
	iterator := c.GetWorkflowHistory(t.Context(), workflow, last.GetWorkflowExecutionInfo().GetFirstRunId(), false,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iterator.HasNext() {
		event, err := iterator.Next()
		if err != nil {
			t.Fatalf("read the history: %v", err)
		}
		history.Events = append(history.Events, event)
	}
	data, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(&history)
	if err != nil {
		t.Fatalf("encode the history: %v", err)
	}
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	anonymise(tree)
	data, err = json.MarshalIndent(tree, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(data, '\n')
}

func anonymise(tree any) {
	switch node := tree.(type) {
	case []any:
		for _, child := range node {
			anonymise(child)
		}
	case map[string]any:
		if _, ok := node["identity"]; ok {
			node["identity"] = "worker"
		}
		if node["kind"] == "TASK_QUEUE_KIND_STICKY" {
			node["name"] = "sticky"
		}
		for _, child := range node {
			anonymise(child)
		}
	}
}
