package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/workflows"
)

// retention is how long Temporal keeps the history of a closed workflow. Messages and events stay in PostgreSQL.
const retention = 30 * 24 * time.Hour

// EnsureNamespace registers the namespace and the search attributes of the contract where they are missing, as after
// Temporal has lost its data. A namespace that was registered just now is Unavailable until Temporal's own caches know it.
// Where an operator manages both, as in Temporal Cloud, it leaves them alone.
func EnsureNamespace(ctx context.Context, t *Temporal) error {
	err := RegisterAttributes(ctx, t.Client, t.Namespace)
	if managed(err) {
		return nil
	}
	if !noNamespace(err) {
		return err
	}
	_, err = t.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: t.Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	if _, exists := errors.AsType[*serviceerror.NamespaceAlreadyExists](err); err != nil && !exists {
		return kind(err, "register the namespace "+t.Namespace)
	}
	return fault.New(fault.Unavailable, "the namespace %s was missing and is registered: it takes Temporal some seconds to know it", t.Namespace)
}

func noNamespace(err error) bool {
	if _, missing := errors.AsType[*serviceerror.NamespaceNotFound](err); missing {
		return true
	}
	_, missing := errors.AsType[*serviceerror.NotFound](err)
	return missing
}

func managed(err error) bool {
	if _, denied := errors.AsType[*serviceerror.PermissionDenied](err); denied {
		return true
	}
	_, unknown := errors.AsType[*serviceerror.Unimplemented](err)
	return unknown
}

// Lacking returns what EnsureNamespace would register: the namespace, or search attributes by their names.
func Lacking(ctx context.Context, t *Temporal) (namespace bool, attributes []string, err error) {
	missing, err := missingAttributes(ctx, t.Client, t.Namespace)
	switch {
	case managed(err):
		return false, nil, nil
	case noNamespace(err):
		return true, nil, nil
	}
	return false, slices.Sorted(maps.Keys(missing)), err
}

// RegisterAttributes adds the contract's search attributes that a namespace lacks. Workers can't complete a task without
// them.
func RegisterAttributes(ctx context.Context, c client.Client, namespace string) error {
	wanted, err := missingAttributes(ctx, c, namespace)
	if err != nil || len(wanted) == 0 {
		return err
	}
	_, err = c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
		Namespace: namespace, SearchAttributes: wanted,
	})
	if _, raced := errors.AsType[*serviceerror.AlreadyExists](err); raced {
		return nil
	}
	return kind(err, "add search attributes")
}

func missingAttributes(ctx context.Context, c client.Client, namespace string) (map[string]enumspb.IndexedValueType, error) {
	wanted := map[string]enumspb.IndexedValueType{}
	for _, key := range workflows.Attributes() {
		wanted[key.GetName()] = key.GetValueType()
	}
	have, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: namespace})
	if err != nil {
		return nil, kind(err, "list search attributes")
	}
	for name, valueType := range have.GetCustomAttributes() {
		if want, ours := wanted[name]; ours && want != valueType {
			return nil, fmt.Errorf("search attribute %s of namespace %s is a %v, not a %v", name, namespace, valueType, want)
		}
		delete(wanted, name)
	}
	return wanted, nil
}
