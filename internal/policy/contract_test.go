package policy_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// The keys and words of a policy document are a contract with those who write one. They are learned from the parser's own
// answers: to an unknown key it lists those that it knows, and to an unknown word those that it takes.
func TestContract_documentIsTheRecordedOne(t *testing.T) {
	const golden = "testdata/contract.golden"
	var lines []string
	describe(t, nil, func(line string) { lines = append(lines, line) })
	slices.Sort(lines)
	got := strings.Join(slices.Compact(lines), "\n") + "\n"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), make contract records it:\n%s", golden, diff)
	}
	for _, line := range []string{
		"clocks.first_response.counts = business_hours, business_days, calendar",
		"escalation[].tell[].webhook",
		"holidays[].date",
		"hours.monday",
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("the walk doesn't reach %q", line)
		}
	}
}

// describe records what may stand at a place of a document. Each key leads one deeper; [] is any element of a list.
func describe(t *testing.T, place []string, record func(string)) {
	t.Helper()
	if len(place) > 6 {
		t.Fatalf("%s: no document is that deep", strings.Join(place, "."))
	}
	shown := strings.ReplaceAll(strings.Join(place, "."), ".[]", "[]")
	parsed := strings.ReplaceAll(shown, "[]", "[0]")
	for _, problem := range problemsOf(t, nest(place, "{unknown: 1}")) {
		if list, ok := listIn(problem, parsed, "; the keys are "); ok {
			for _, key := range strings.Split(list, ", ") {
				record(strings.TrimPrefix(shown+"."+key, "."))
				describe(t, append(slices.Clip(place), key), record)
			}
		}
	}
	for _, problem := range problemsOf(t, nest(place, "unknown")) {
		if list, ok := listIn(problem, parsed, "is not one of "); ok {
			record(shown + " = " + list)
		}
		if problem.Path == parsed && strings.HasPrefix(problem.Message, "must be a list") {
			describe(t, append(slices.Clip(place), "[]"), record)
		}
	}
}

// nest is a document in which text stands at a place, in YAML's flow style.
func nest(place []string, text string) string {
	for _, key := range slices.Backward(place) {
		if key == "[]" {
			text = "[" + text + "]"
		} else {
			text = "{" + key + ": " + text + "}"
		}
	}
	return text
}

func problemsOf(t *testing.T, document string) policy.Problems {
	t.Helper()
	_, err := policy.Parse([]byte(document))
	var problems policy.Problems
	if !errors.As(err, &problems) {
		t.Fatalf("%s is accepted: %v", document, err)
	}
	return problems
}

func listIn(p policy.Problem, path, words string) (list string, found bool) {
	_, list, found = strings.Cut(p.Message, words)
	return list, found && p.Path == path
}
