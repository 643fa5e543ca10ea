package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
)

const naming = `time_zone: UTC # as secret-handle said
hours: {monday: ["10:00-17:00"]}
clocks:
  first_response: {target: 8h, counts: business_hours}
  resolution: {target: 10d, counts: calendar}
escalation:
  - {after: 0s, tell: [assignee, {person: secret-handle}, {webhook: secret-hook}, {person: "secret-other"}]}
  # then secret-third
  - after: 1h
    tell:
      - person: |-
          secret-third
`

func TestPublicDocument_isEquivalentWithoutNames(t *testing.T) {
	p, err := policy.Parse([]byte(naming))
	if err != nil {
		t.Fatal(err)
	}
	document, err := p.PublicDocument([]byte(naming))
	if err != nil || strings.Contains(string(document), "secret") {
		t.Fatalf("got %v\n%s", err, document)
	}
	public, err := policy.Parse(document)
	if err != nil {
		t.Fatalf("the public document is invalid: %v\n%s", err, document)
	}
	if d := public.Differences(p.Public()); len(d) != 0 {
		t.Errorf("it differs from the public policy: %v", d)
	}
	if len(p.Differences(p.Public())) != 2 || p.Escalation[0].People[0] != "secret-handle" {
		t.Error("the policy itself was changed")
	}
	plain := policy.Holesalemart()
	p, _ = policy.Parse(plain)
	if checkSame, err := p.PublicDocument(plain); err != nil || !slices.Equal(checkSame, plain) {
		t.Errorf("a document without names became %v\n%s", err, checkSame)
	}
}

func TestPublic_hidesAReplacedRecipient(t *testing.T) {
	was, err := policy.Parse([]byte(naming))
	if err != nil {
		t.Fatal(err)
	}
	is, err := policy.Parse([]byte(strings.Replace(naming, "{person: secret-handle}", "{person: secret-successor}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if d := is.Differences(was); len(d) != 1 {
		t.Errorf("differences for supervisors: %v", d)
	}
	if d := is.Public().Differences(was.Public()); len(d) != 0 {
		t.Errorf("differences for customers: %v", d)
	}
}
