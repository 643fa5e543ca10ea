package app_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const domain = `"github.com/holesalemart/supportdesk/internal/ticket"`

// stepping are the functions of the domain that a step is made of.
var stepping = []string{"Decide", "Advance", "ApplyTransitions", "RecordBounce", "RecordDelivery", "RecordWebhookFailure", "NewState"}

// forecasting are the files that ask the domain what would come of something, and record nothing of the answer.
var forecasting = map[string][]string{
	"internal/app/policy_adoption.go":   {"Decide"},                     // a dry run of another policy
	"internal/app/emergency_dry_run.go": {"Decide"},                     // a dry run of an emergency
	"internal/app/ticket_view.go":       {"ApplyTransitions", "Decide"}, // the deadlines of a ticket whose step is to come
	"internal/app/mail_deadline.go":     {"ApplyTransitions"},           // the dates that a mail promised
	"internal/demo/builder.go":          {"Advance", "Decide"},          // whether an invented action could be refused
}

// Only the step records what becomes of a ticket: the worker, the import and the tests' desk all use it.
func TestStep_isTheOnlyImplementation(t *testing.T) {
	found := map[string][]string{}
	walk(t, "../..", func(path string, file *ast.File) {
		for _, f := range calls(file) {
			if slices.Contains(stepping, f) && !slices.Contains(found[path], f) {
				found[path] = append(found[path], f)
			}
		}
	})
	steps := map[string]bool{}
	for path, functions := range found {
		slices.Sort(functions)
		switch allowed, forecasts := forecasting[path]; {
		case strings.HasPrefix(path, "internal/app/step_"), path == "internal/app/import_replay.go":
			for _, f := range functions {
				steps[f] = true
			}
		case !forecasts:
			t.Errorf("%s calls %v of the domain: only internal/app's step does", path, functions)
		case !slices.Equal(functions, allowed):
			t.Errorf("%s calls %v of the domain, and may call %v", path, functions, allowed)
		}
	}
	for path := range forecasting {
		if found[path] == nil {
			t.Errorf("%s calls nothing of it any more: its exception guards nothing", path)
		}
	}
	if len(steps) != len(stepping) {
		t.Errorf("the step calls only %v: the rule guards little", slices.Sorted(maps.Keys(steps)))
	}
}

// walk parses every file of the module that is no test, but for the domain's own. Helpers of tests are no tests.
func walk(t *testing.T, root string, visit func(path string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || name == "internal/ticket" || name == "temporal" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir(), !strings.HasSuffix(name, ".go"), strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err == nil {
			visit(name, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// calls lists the functions of the domain that a file names, whatever it calls the package.
func calls(file *ast.File) (all []string) {
	var local string
	for _, imported := range file.Imports {
		if imported.Path.Value == domain {
			local = "ticket"
			if imported.Name != nil {
				local = imported.Name.Name
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && local != "" {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == local {
				all = append(all, s.Sel.Name)
			}
		}
		return true
	})
	return all
}
