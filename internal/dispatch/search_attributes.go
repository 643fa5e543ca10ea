package dispatch

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/workflows"
)

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
