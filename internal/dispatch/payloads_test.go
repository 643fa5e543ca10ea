package dispatch_test

import (
	"reflect"
	"testing"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/holesalemart/supportdesk/internal/temporaltest"
)

// The SDK keeps the search attributes of each cached workflow, whose metadata is larger than their values.
func TestConnect_receivedPayloadsShareTheirMetadata(t *testing.T) {
	t.Parallel()
	c := dial(t, temporaltest.Start(t))
	memo := map[string]any{"first": 1, "second": "two", "third": []byte{3}}
	_, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "any", TaskQueue: "any", Memo: memo}, "Any")
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	described, err := c.DescribeWorkflowExecution(t.Context(), "any", "")
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	got := described.GetWorkflowExecutionInfo().GetMemo().GetFields()
	shared := func(a, b string) bool {
		return reflect.ValueOf(got[a].GetMetadata()).Pointer() == reflect.ValueOf(got[b].GetMetadata()).Pointer()
	}
	if !shared("first", "second") {
		t.Error("equal metadata is not shared")
	}
	if shared("first", "third") {
		t.Error("metadata that differs is shared")
	}
	var second string
	if err := converter.GetDefaultDataConverter().FromPayload(got["second"], &second); err != nil || second != "two" {
		t.Errorf("decoded: %q, %v", second, err)
	}
}
