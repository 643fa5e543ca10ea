package workflows_test

import (
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/testsuite"

	"github.com/holesalemart/supportdesk/workflows"
)

func TestEmergencyUpdate_returnsItsResultAndRefusesMalformedInput(t *testing.T) {
	h := newEmergencyFixture(t, 2)
	answers := map[string]string{}
	send := func(id, name string, payload any) {
		h.env.UpdateWorkflow(name, id, &testsuite.TestUpdateCallback{
			OnAccept: func() {},
			OnReject: func(err error) { answers[id] = "rejected" },
			OnComplete: func(v any, err error) {
				if err != nil {
					t.Errorf("%s: %v", id, err)
				}
				answers[id], _ = v.(string)
			},
		}, payload)
	}
	h.at(h1, func() {
		send("declared", "declare", map[string]any{"kind": "closed"})
		send("unknown field", "lift", map[string]any{"emergency": "E-1", "colour": "blue"})
		send("no object", "change", "refuse")
		send("two objects", "lift", converter.NewRawValue(&commonpb.Payload{
			Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)}, Data: []byte(`{} {}`),
		}))
		send("too long", "cancel", map[string]any{"emergency": strings.Repeat("x", 5<<10)})
	})
	next := h.run(workflows.EmergencyStart{}, 2*h1)
	if got := answers["declared"]; got != "declare: done "+string(flood) {
		t.Errorf("declared: %q", got)
	}
	for _, id := range []string{"unknown field", "no object", "two objects", "too long"} {
		if answers[id] != "rejected" {
			t.Errorf("%s: %q", id, answers[id])
		}
	}
	if len(h.orders) != 1 || len(next.Outcomes) != 1 || !strings.HasSuffix(h.orders[0].Key, "/declare/update/declared") {
		t.Errorf("carried out: %+v, log %+v", h.orders, next.Outcomes)
	}
	h.checkTickets("1h0m1s emergency-pause")
}
