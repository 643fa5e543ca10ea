package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var update = flag.Bool("update", false, "rewrite golden files")

type document struct {
	OpenAPI string
	Info    struct{ Title, Version string }
	Servers []struct{ URL string }
	Paths   map[string]map[string]struct {
		OperationID string
		Security    []map[string][]string
		Parameters  []struct{ Name, In string }
		RequestBody *struct{ Content map[string]any }
		Responses   map[string]struct {
			Description string
			Content     map[string]struct{ Schema map[string]any }
		}
	}
	Components struct {
		Schemas         map[string]any
		SecuritySchemes map[string]any
	}
}

func readDocument(t *testing.T) (document, []byte) {
	t.Helper()
	h, _ := serve(t, &scripted{})
	a := do(t, h, call{method: "GET", path: "/api/openapi.json"})
	if a.Code != 200 {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	return decode[document](t, a), a.Body.Bytes()
}

func TestDocument_listsEveryRoute(t *testing.T) {
	d, _ := readDocument(t)
	if d.OpenAPI != "3.1.0" || d.Info.Title == "" || d.Info.Version != "v0-test" || d.Servers[0].URL != "/api/v1" {
		t.Errorf("%s %+v %+v", d.OpenAPI, d.Info, d.Servers)
	}
	routed := map[string]string{}
	for _, line := range api.Lines() {
		path := strings.TrimPrefix(line.Path, "/api/v1")
		routed[line.Method+" "+path] = line.ID
	}
	var golden []string
	for path, operations := range d.Paths {
		for method, op := range operations {
			name := strings.ToUpper(method) + " " + path
			if routed[name] != op.OperationID {
				t.Errorf("%s is %q in the document and %q in the table", name, op.OperationID, routed[name])
			}
			delete(routed, name)
			var inputs, outputs []string
			for _, p := range op.Parameters {
				inputs = append(inputs, p.In+"."+p.Name)
			}
			for status := range op.Responses {
				outputs = append(outputs, status)
			}
			slices.Sort(outputs)
			golden = append(golden, fmt.Sprintf("%s %s body:%v security:%d in:%v out:%v\n",
				name, op.OperationID, op.RequestBody != nil, len(op.Security), inputs, outputs))
			if _, ok := op.Responses["default"].Content["application/problem+json"]; !ok {
				t.Errorf("%s does not document its problems", name)
			}
		}
	}
	if len(routed) > 0 {
		t.Errorf("not in the document: %v", routed)
	}
	slices.Sort(golden)
	compare(t, "operations.golden", strings.Join(golden, ""))
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; -update rewrites it. Now:\n%s", file, got)
	}
}

// TestDocument_isTheRecordedOne: a change of the document shows as a change of the golden file.
func TestDocument_isTheRecordedOne(t *testing.T) {
	_, raw := readDocument(t)
	var text bytes.Buffer
	if err := json.Indent(&text, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	compare(t, "openapi.json", text.String()+"\n")
}

// TestDocument_hasTheOperationsOfTheRegistry, each with the fields of its verb, and no other that asks a ticket for
// something. Only the rating is no verb.
func TestDocument_hasTheOperationsOfTheRegistry(t *testing.T) {
	_, raw := readDocument(t)
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string
			Summary     string
			RequestBody struct {
				Content map[string]struct{ Schema schema }
			}
		}
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	want := map[string]ticket.Definition{}
	for _, definition := range ticket.Definitions() {
		people := slices.ContainsFunc(definition.Roles, func(r ticket.Role) bool { return r == ticket.RoleCustomer || r == ticket.RoleAgent })
		if people && len(definition.Operations) == 0 && definition.Verb != ticket.VerbSubmit &&
			definition.Verb != ticket.VerbMergePerson { // follows from the confirmation of an address
			t.Errorf("people may ask for %s, and no operation does", definition.Verb)
		}
		for _, o := range definition.Operations {
			want[o.ID+": "+o.Summary] = definition
		}
	}
	for path, operations := range d.Paths {
		for method, op := range operations {
			name := op.OperationID + ": " + op.Summary
			definition, known := want[name]
			if !strings.Contains(path, "/tickets/{number}") || method == "get" || op.OperationID == "rate-ticket" {
				continue
			}
			if delete(want, name); !known {
				t.Errorf("%s %s is of no verb", method, path)
				continue
			}
			body := op.RequestBody.Content["application/json"].Schema.Ref
			fields := slices.Sorted(maps.Keys(d.Components.Schemas[body[strings.LastIndex(body, "/")+1:]].Properties))
			if taken := requested(definition); !slices.Equal(fields, taken) {
				t.Errorf("%s takes %v, and its verb %v", op.OperationID, fields, taken)
			}
		}
	}
	for name := range want {
		t.Errorf("the document lacks %s", name)
	}
}

// requested names the fields of a verb that a body holds: a mail's number is in the path.
func requested(d ticket.Definition) (names []string) {
	for _, f := range d.Fields {
		if d.Verb.Takes(f.Name) && f.Kind != ticket.FieldMail {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// TestDocument_holdsTogether: every reference leads somewhere, every schema is used, every response is described, every
// path parameter is declared, and every operation has an ID of its own.
func TestDocument_holdsTogether(t *testing.T) {
	d, raw := readDocument(t)
	var whole any
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	references(whole, func(ref string) {
		name, ok := strings.CutPrefix(ref, "#/components/schemas/")
		if _, known := d.Components.Schemas[name]; !ok || !known {
			t.Errorf("%s leads nowhere", ref)
		}
		used[name] = true
	})
	for name := range d.Components.Schemas {
		if !used[name] {
			t.Errorf("the schema %s is used nowhere", name)
		}
	}
	ids := map[string]bool{}
	for path, operations := range d.Paths {
		for method, op := range operations {
			if op.OperationID == "" || ids[op.OperationID] {
				t.Errorf("%s %s: operation ID %q", method, path, op.OperationID)
			}
			ids[op.OperationID] = true
			declared := slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool {
				return p.In == "path" && p.Name == "number"
			})
			if declared != strings.Contains(path, "{number}") {
				t.Errorf("%s %s: declares its path parameter: %v", method, path, declared)
			}
			for status, r := range op.Responses {
				if r.Description == "" || len(r.Content) == 0 {
					t.Errorf("%s %s: response %s is %+v", method, path, status, r)
				}
			}
			for _, need := range op.Security {
				for scheme := range need {
					if _, ok := d.Components.SecuritySchemes[scheme]; !ok {
						t.Errorf("%s %s: no security scheme %q", method, path, scheme)
					}
				}
			}
		}
	}
}

func references(v any, found func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if ref, ok := value.(string); ok && key == "$ref" {
				found(ref)
			}
			references(value, found)
		}
	case []any:
		for _, value := range v {
			references(value, found)
		}
	}
}
