package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/api/workflowservice/v1"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

var kept = []string{"by_status", "by_workflow_id", "by_workflow_type", "default_idx"}

func TestPrepare_keepsOnlyTheNeededIndexes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	for range 2 { // also at the next start
		if err := prepare(path, "default"); err != nil {
			t.Fatal(err)
		}
		if got := indexes(t, path); !slices.Equal(got, kept) {
			t.Errorf("indexes %v, want %v", got, kept)
		}
	}
}

func TestPrepare_dropsTheIndexesOfAnEarlierVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	if err := sqliteschema.SetupSchema(sqlConfig(path, "wal", "normal")); err != nil {
		t.Fatal(err)
	}
	if got := indexes(t, path); len(got) <= len(kept) {
		t.Fatalf("Temporal's schema has only the indexes %v", got)
	}
	if err := prepare(path, "default"); err != nil {
		t.Fatal(err)
	}
	if got := indexes(t, path); !slices.Equal(got, kept) {
		t.Errorf("indexes %v, want %v", got, kept)
	}
	listWorkflows(t, path)
}

// listWorkflows lists workflows by attributes whose indexes were dropped.
func listWorkflows(t *testing.T, path string) {
	t.Helper()
	frontend := workflowservice.NewWorkflowServiceClient(serve(t, path))
	for _, query := range []string{
		"ExecutionStatus = 'Running' AND TaskQueue = 'tickets'", "HistoryLength > 5", "TemporalWorkerDeploymentVersion IS NULL",
		"TemporalReportedProblems IN ('category=WorkflowTaskFailed')", "ExecutionTime < '2026-11-24T00:00:00Z'",
	} {
		_, err := frontend.ListWorkflowExecutions(t.Context(),
			&workflowservice.ListWorkflowExecutionsRequest{Namespace: "default", Query: query})
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// serve runs a server on a database until the end of the test and returns a connection to its frontend.
func serve(t *testing.T, path string) *grpc.ClientConn {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"--db", path, "--port", "0"}, in)
		in.CloseWithError(errors.Join(io.EOF, err))
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server is not ready: %v", err)
	}
	address := strings.TrimPrefix(strings.Fields(line)[1], "grpc=")
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func indexes(t *testing.T, path string) (names []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(),
		`SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'executions_visibility' AND sql IS NOT NULL ORDER BY name`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}
