package local_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// Programs that are developed against up read its mails as JSON, so the fields are a contract.
func TestContract_mailboxIsTheRecordedOne(t *testing.T) {
	t.Parallel()
	const golden = "testdata/mailbox.golden"
	box := startMailbox(t, t.TempDir())
	post(t, box, "ann@example.com", receipt)
	var mails []map[string]any
	if err := json.Unmarshal(serve(box, "/dev/mail.json").Body.Bytes(), &mails); err != nil || len(mails) != 1 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(mails[0])) {
		kind := "null"
		switch mails[0][name].(type) {
		case string:
			kind = "string"
		case float64:
			kind = "number"
		case []any:
			kind = "array"
		case map[string]any:
			kind = "object"
		}
		fmt.Fprintf(&b, "%s: %s\n", name, kind)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("%s differs; make contract records it. Now:\n%s", golden, b.String())
	}
}
