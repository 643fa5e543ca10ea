package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestBodies_nullIsNotAbsent sends null for every property that the document has, and responses are as the document says: what
// is not nullable is rejected before it reaches the desk. Otherwise a client that sends null for "no value" could
// unassign a ticket by accident.
func TestBodies_nullIsNotAbsent(t *testing.T) {
	_, raw := readDocument(t)
	var d struct {
		Paths map[string]map[string]struct {
			RequestBody *struct {
				Content map[string]struct{ Schema schema }
			}
		}
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	var allowed []string
	asked := 0
	for path, operations := range d.Paths {
		for method, op := range operations {
			if op.RequestBody == nil {
				continue
			}
			body := op.RequestBody.Content["application/json"].Schema
			if body.Ref != "" {
				body = d.Components.Schemas[body.Ref[strings.LastIndex(body.Ref, "/")+1:]]
			}
			for name, property := range body.Properties {
				asked++
				if property.nullable() {
					allowed = append(allowed, strings.ToUpper(method)+" "+path+" "+name)
					continue
				}
				sendNull(t, strings.ToUpper(method), path, name)
			}
		}
	}
	slices.Sort(allowed)
	compare(t, "nullable.golden", strings.Join(allowed, "\n")+"\n")
	if asked < 20 {
		t.Errorf("only %d properties were tried", asked)
	}
}

func sendNull(t *testing.T, method, path, name string) {
	t.Helper()
	number := strings.NewReplacer("{number}", someNumber, "{n}", "1", "{version}", "1", "{id}", "E", "{group}", "g", "{agent}", "a")
	for _, gap := range []string{"", " \n\t"} {
		s := &scripted{}
		h, _ := serve(t, s)
		body := `{"` + name + `"` + gap + `:` + gap + `null}`
		for _, who := range []string{"customer", "agent", "supervisor", "administrator"} {
			a := do(t, h, call{method: method, path: "/api/v1" + number.Replace(path), as: who, body: body})
			if a.Code == 403 || a.Code == 401 {
				continue
			}
			if a.Code != 422 || !strings.Contains(a.Body.String(), `"is null; leave it out instead"`) || !slices.Contains(a.fields(), name) {
				t.Errorf("%s %s %s: %d %s", method, path, body, a.Code, a.Body)
			}
			if len(s.requested)+len(s.submitted) > 0 {
				t.Errorf("%s %s %s reached the store", method, path, body)
			}
			break
		}
	}
}

// schema is what the test reads of one. Type is a string, or a list of them with null.
type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	Properties map[string]schema
}

func (s schema) nullable() bool {
	several, _ := s.Type.([]any)
	return slices.Contains(several, any("null"))
}
