package workflows_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// workflowcheck runs the checker with our configuration and returns its findings.
func workflowcheck(t *testing.T, packages ...string) string {
	t.Helper()
	checker := filepath.Join(t.TempDir(), "workflowcheck")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", checker, "go.temporal.io/sdk/contrib/tools/workflowcheck")
	build.Dir = filepath.Join("..", "tools")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build workflowcheck: %v\n%s", err, out)
	}
	args := append([]string{"-config", "workflowcheck.yaml"}, packages...)
	out, err := exec.CommandContext(t.Context(), checker, args...).CombinedOutput()
	if exit, failed := errors.AsType[*exec.ExitError](err); err != nil && (!failed || exit.ExitCode() != 3) {
		t.Fatalf("workflowcheck: %v\n%s", err, out)
	}
	return string(out)
}

func TestWorkflowcheck_findsEveryPlantedViolationAndNothingElse(t *testing.T) {
	t.Parallel()
	found := workflowcheck(t, ".", "./testdata/planted")
	for line := range strings.Lines(found) {
		if !strings.HasPrefix(line, " ") && !strings.Contains(line, filepath.Join("testdata", "planted")) {
			t.Errorf("found in what is not planted: %s", line)
		}
	}
	planted := 0
	for _, declaration := range declarations(t, filepath.Join("testdata", "planted", "planted.go")) {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		planted++
		if !strings.Contains(found, "planted."+f.Name.Name+" is non-deterministic") {
			t.Errorf("%s is not found", f.Name.Name)
		}
	}
	if planted < 15 {
		t.Errorf("only %d are planted", planted)
	}
}

// A name in the configuration that is no function any more guards nothing, and workflowcheck does not say so.
func TestWorkflowcheck_isConfiguredForFunctionsThatExist(t *testing.T) {
	config, err := os.ReadFile("workflowcheck.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`supportdesk/(internal/\w+)\.(?:(\w+)\)\.)?(\w+): true`).FindAllStringSubmatch(string(config), -1)
	if len(names) < 10 {
		t.Errorf("only %d functions of this module are configured", len(names))
	}
	for _, name := range names {
		if dir, receiver, function := name[1], name[2], name[3]; !hasFunction(t, filepath.Join("..", dir), receiver, function) {
			t.Errorf("%s has no function %s of %q", dir, function, receiver)
		}
	}
}

func hasFunction(t *testing.T, dir, receiver, function string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, declaration := range declarations(t, file) {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Name.Name != function {
				continue
			}
			if receiver == "" && f.Recv == nil {
				return true
			}
			if f.Recv != nil && strings.TrimPrefix(types.ExprString(f.Recv.List[0].Type), "*") == receiver {
				return true
			}
		}
	}
	return false
}

// workflowcheck can't tell a global that changes from one that doesn't, so each one here is looked at by a person.
func TestWorkflows_keepNothingInGlobals(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var globals []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, declaration := range declarations(t, file) {
			if d, ok := declaration.(*ast.GenDecl); ok && d.Tok == token.VAR {
				for _, spec := range d.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						globals = append(globals, name.Name)
					}
				}
			}
		}
	}
	slices.Sort(globals)
	equal(t, "globals", globals, []string{
		"AttributeAssignee", "AttributeBreached", "AttributeCategory", "AttributeEmergency", "AttributeEscalation",
		"AttributeNextDue", "AttributeNextEvent", "AttributePaused", "AttributePausedFor", "AttributePriority",
		"AttributePromise", "AttributePromiseDue", "AttributeStatus",
		"permanentErrors",
	})
}

func declarations(t *testing.T, file string) []ast.Decl {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatalf("parse %s: %v", file, err)
	}
	return parsed.Decls
}
