// Package supportdesk_test holds the house to its plan: who may know whom.
package supportdesk_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/holesalemart/supportdesk/"

// forbidden says what a package must not depend on, directly or through others, and why.
var forbidden = []struct {
	from string
	why  string
	deps []string
}{
	{"internal/fault", "it is what everybody shares", []string{module, "github.com/", "go.temporal.io/"}},
	{"internal/policy", "deadlines are pure", []string{module + "internal/ticket", module + "internal/store", "go.temporal.io/", "github.com/jackc/", "github.com/gin-gonic/", "net/http"}},
	{"internal/ticket", "the domain is pure", []string{module + "internal/desk", module + "internal/store", "go.temporal.io/", "github.com/jackc/", "github.com/gin-gonic/", "net/http", "database/sql"}},
	{"internal/link", "signing is pure", []string{module + "internal/store", module + "internal/desk", "go.temporal.io/", "github.com/jackc/", "github.com/gin-gonic/", "net/http"}},
	{"workflows", "replayed code reads nothing but its history", []string{module + "internal/store", module + "internal/desk", module + "internal/mail", module + "activities", module + "api", "github.com/gin-gonic/", "github.com/jackc/", "github.com/wneessen/", "database/sql"}},
	{"activities", "what an activity needs comes through its own interfaces", []string{module + "internal/store", module + "internal/mail", module + "internal/webhook", module + "workflows", "github.com/jackc/", "github.com/wneessen/"}},
	{"worker", "it only registers and tunes", []string{module + "internal/store", module + "internal/mail", module + "internal/config", module + "api", "github.com/gin-gonic/", "github.com/jackc/", "github.com/wneessen/"}},
	{"api", "it speaks HTTP and leaves the rest to the desk", []string{module + "internal/store", module + "internal/mail", module + "internal/dispatch", "go.temporal.io/", "github.com/jackc/", "github.com/wneessen/"}},
	{"internal/chart", "it draws numbers and asks for nothing", []string{module, "github.com/", "go.temporal.io/", "database/sql", "net/http"}},
	{"internal/desk", "it is what both sides share", []string{module + "internal/store", module + "internal/dispatch", module + "internal/mail", "go.temporal.io/", "github.com/jackc/", "github.com/gin-gonic/"}},
	{"internal/openid", "it knows the provider and nobody here", []string{module + "internal/store", module + "internal/mail", module + "api", "go.temporal.io/", "github.com/jackc/", "github.com/gin-gonic/"}},
	{"internal/account", "it knows neither where accounts are kept nor how people are answered", []string{module + "internal/store", module + "internal/mail", module + "internal/dispatch", "go.temporal.io/", "github.com/jackc/", "github.com/gin-gonic/", "github.com/wneessen/", "net/http"}},
	{"internal/dispatch", "it knows Temporal and neither SQL nor HTTP", []string{module + "internal/store", module + "internal/mail", module + "api", "github.com/gin-gonic/", "github.com/jackc/", "github.com/wneessen/"}},
	{"internal/store", "it knows PostgreSQL and neither Temporal nor SMTP", []string{module + "workflows", module + "internal/mail", module + "internal/dispatch", "go.temporal.io/", "github.com/gin-gonic/", "github.com/wneessen/"}},
	{"internal/mail", "it knows SMTP and neither SQL nor Temporal", []string{module + "internal/store", module + "workflows", module + "internal/dispatch", "go.temporal.io/", "github.com/gin-gonic/", "github.com/jackc/"}},
	{"internal/webhook", "it knows HTTP and neither SQL nor Temporal", []string{module + "internal/store", module + "workflows", module + "internal/mail", module + "api", "go.temporal.io/", "github.com/jackc/", "github.com/gin-gonic/"}},
	{"internal/config", "it knows names and types", []string{module + "internal/store", module + "internal/mail", module + "api", "go.temporal.io/", "github.com/jackc/", "github.com/gin-gonic/"}},
	{"internal/demo", "it invents what people asked, and the desk works out the rest", []string{module + "internal/store", module + "workflows", module + "api", "go.temporal.io/", "github.com/jackc/", "net/http"}},
	{"internal/local", "no production part may lean on it, nor it on them", []string{module + "internal/store", module + "internal/ticket", module + "workflows", module + "api"}},
}

func TestPackages_knowOnlyWhatTheyMay(t *testing.T) {
	deps := map[string][]string{}
	for _, p := range list(t) {
		deps[p.ImportPath] = p.Deps
	}
	for _, rule := range forbidden {
		known, ok := deps[module+rule.from]
		if !ok {
			t.Errorf("there is no package %s: the rule about it guards nothing", rule.from)
		}
		for _, dep := range known {
			for _, prefix := range rule.deps {
				if matches(dep, prefix) && !allowed(rule.from, dep) {
					t.Errorf("%s depends on %s: %s", rule.from, dep, rule.why)
				}
			}
		}
	}
}

// matches takes a pattern that ends in a slash as a prefix, and any other as one package.
func matches(dep, pattern string) bool {
	return dep == pattern || strings.HasSuffix(pattern, "/") && strings.HasPrefix(dep, pattern)
}

// allowed are the exceptions that a broad prefix needs.
func allowed(from, dep string) bool {
	return dep == module+from || from == "internal/policy" && strings.HasPrefix(dep, "github.com/holesalemart/")
}

func TestTheSoleUserOfTheTemporalClient_isDispatch(t *testing.T) {
	for _, p := range list(t) {
		for _, dep := range p.Imports {
			mayUse := strings.HasSuffix(p.ImportPath, "/internal/dispatch") || strings.HasSuffix(p.ImportPath, "/worker") ||
				strings.HasSuffix(p.ImportPath, "test") // helpers of tests, which nothing else imports
			if dep == "go.temporal.io/sdk/client" && !mayUse {
				t.Errorf("%s imports the Temporal client; internal/dispatch is there for that", p.ImportPath)
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps=false", "-json=ImportPath,Imports,Deps", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		all = append(all, p)
	}
}

// Helpers of tests start servers and forge state: no program may carry them.
func TestPrograms_carryNoHelpersOfTests(t *testing.T) {
	for _, p := range list(t) {
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, module) && strings.HasSuffix(dep, "test") && strings.HasPrefix(p.ImportPath, module+"cmd/") {
				t.Errorf("%s depends on %s", p.ImportPath, dep)
			}
		}
	}
}

// A page package serves one audience. What two need is in api/page or in the desk, and what the pages must not know no
// part of them may.
func TestPages_knowNoOtherAudienceAndNoNeighbour(t *testing.T) {
	shared := map[string]bool{"page": true, "input": true, "request": true}
	neighbours := []string{
		module + "internal/store", module + "internal/mail", module + "internal/dispatch", "go.temporal.io/",
		"github.com/jackc/", "github.com/wneessen/",
	}
	seen := 0
	for _, p := range list(t) {
		name, page := strings.CutPrefix(p.ImportPath, module+"api/")
		if !page {
			continue
		}
		seen++
		for _, dep := range p.Deps {
			if other, is := strings.CutPrefix(dep, module+"api/"); is && (!shared[other] || name != "page" && shared[name]) {
				t.Errorf("api/%s depends on api/%s", name, other)
			}
			for _, pattern := range neighbours {
				if matches(dep, pattern) {
					t.Errorf("api/%s depends on %s: it speaks HTTP and leaves the rest to the desk", name, dep)
				}
			}
		}
	}
	if seen < 5 {
		t.Errorf("only %d packages under api: the rule guards little", seen)
	}
}

// The check of Host headers exists twice, since Temporal's server is a module that imports nothing of this one.
func TestTheLoopbackCheck_isTheSameInBothModules(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(string(text), "\n") // without the package clause
		return strings.ReplaceAll(code, "loopbackOnly", "LoopbackOnly")
	}
	if read("internal/local/loopback.go") != read("temporal/loopback.go") {
		t.Error("internal/local/loopback.go and temporal/loopback.go differ")
	}
}
