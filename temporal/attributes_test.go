package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	commandpb "go.temporal.io/api/command/v1"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/common/dynamicconfig"
)

// The frontend knows the attributes of a start, and the history service those of an upsert, each by a cache of its own.
func TestServer_usesSearchAttributesAsSoonAsTheyAreRegistered(t *testing.T) {
	conn := serve(t, filepath.Join(t.TempDir(), "new.db"))
	frontend, operator := workflowservice.NewWorkflowServiceClient(conn), operatorservice.NewOperatorServiceClient(conn)
	register := func(name string) {
		t.Helper()
		_, err := operator.AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
			Namespace: "default", SearchAttributes: map[string]enumspb.IndexedValueType{name: enumspb.INDEXED_VALUE_TYPE_KEYWORD},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	value := func(name string) *commonpb.SearchAttributes {
		return &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{
			name: {Metadata: map[string][]byte{"encoding": []byte("json/plain"), "type": []byte("Keyword")}, Data: []byte(`"yes"`)},
		}}
	}
	queue := &taskqueuepb.TaskQueue{Name: "queue"}
	register("First")
	_, err := frontend.StartWorkflowExecution(t.Context(), &workflowservice.StartWorkflowExecutionRequest{
		Namespace: "default", WorkflowId: "w", WorkflowType: &commonpb.WorkflowType{Name: "W"}, TaskQueue: queue, RequestId: "r",
		SearchAttributes: value("First"),
	})
	if err != nil {
		t.Fatalf("start with an attribute: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout) // the server wants one
	defer cancel()
	task, err := frontend.PollWorkflowTaskQueue(ctx, &workflowservice.PollWorkflowTaskQueueRequest{Namespace: "default", TaskQueue: queue})
	if err != nil {
		t.Fatal(err)
	}
	register("Second")
	_, err = frontend.RespondWorkflowTaskCompleted(t.Context(), &workflowservice.RespondWorkflowTaskCompletedRequest{
		Namespace: "default", TaskToken: task.GetTaskToken(),
		Commands: []*commandpb.Command{{
			CommandType: enumspb.COMMAND_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
			Attributes: &commandpb.Command_UpsertWorkflowSearchAttributesCommandAttributes{
				UpsertWorkflowSearchAttributesCommandAttributes: &commandpb.UpsertWorkflowSearchAttributesCommandAttributes{SearchAttributes: value("Second")},
			},
		}},
	})
	if err != nil {
		t.Errorf("complete a workflow task with another attribute: %v", err)
	}
}

func TestDynamicSettings_readAttributesFromTheDatabaseOnlyAfterAChange(t *testing.T) {
	s := dynamicConfig()
	key := dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key()
	if s.GetValue(key)[0].Value != false {
		t.Error("attributes are read from the database though none were registered")
	}
	s.changed.Store(time.Now().UnixNano())
	if s.GetValue(key)[0].Value != true {
		t.Error("attributes are read from a cache just after some were registered")
	}
	s.changed.Store(time.Now().Add(-attributesSettle).UnixNano())
	if s.GetValue(key)[0].Value != false {
		t.Error("attributes are still read from the database when the caches know them")
	}
}
