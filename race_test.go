package supportdesk_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What CI tests without the race detector must have nothing for it to find.
func TestSequential_packagesHaveNothingConcurrent(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^SEQUENTIAL := (.+)$`).FindSubmatch(makefile)
	if list == nil {
		t.Fatal("the Makefile has no list of them")
	}
	for dir := range strings.FieldsSeq(string(list[1])) {
		files, _ := filepath.Glob(filepath.Join(dir, "*.go")) // the pattern is well formed
		if len(files) == 0 {
			t.Errorf("%s has no files", dir)
		}
		for _, name := range files {
			for _, found := range concurrent(t, name) {
				t.Errorf("%s has %s: test it with the race detector", name, found)
			}
		}
	}
}

// concurrent returns the imports, statements and calls of a file that make code run concurrently.
func concurrent(t *testing.T, name string) []string {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, i := range file.Imports {
		if path := strings.Trim(i.Path.Value, `"`); slices.Contains([]string{"sync", "sync/atomic", "testing/synctest", "golang.org/x/sync/errgroup"}, path) {
			found = append(found, path)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = append(found, "a go statement")
		case *ast.SelectorExpr:
			if slices.Contains([]string{"Parallel", "RunParallel", "AfterFunc"}, n.Sel.Name) {
				found = append(found, n.Sel.Name)
			}
		}
		return true
	})
	return found
}
